// comment: pull requests of real repositories, images in a layout, and a pull request's comments in memory.
#include "stages/comment.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "layout/image_store.h"
#include "oci/media_types.h"
#include "pipeline/base_watch.h"
#include "pipeline/comment.h"
#include "stages/fake_comments.h"
#include "stages/fake_github.h"
#include "stages/image_size.h"
#include "stages/layout_registry.h"
#include "stages/project.h"
#include "support/test_image.h"

namespace crategate::stages {
namespace {

using sample::FakeComments;
using sample::kSelf;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr std::int64_t kStranger = 7;
const std::string kMarker = pipeline::comment_marker("ci-image", "ghcr.io/o/r/ci");

class Comment : public ::testing::Test {
 protected:
  Comment() {
    project.configuration.ci_image = config::CiImage{.image = "ghcr.io/o/r/ci",
                                                     .dockerfile = {},
                                                     .default_tag = "stable",
                                                     .workflow = {},
                                                     .watch = {"ci.Dockerfile"},
                                                     .branches = {{"main", "latest"}},
                                                     .platforms = {},
                                                     .generate = {}};
    project.write("ci.Dockerfile", "FROM scratch\n");
    project.init();
    project.git({"update-ref", "refs/remotes/origin/main", "HEAD"});
    project.git({"checkout", "-q", "-b", "fix"});
    push("FROM busybox\n");
    event();
  }
  void push(const std::string& dockerfile) {
    project.write("ci.Dockerfile", dockerfile);
    head = project.commit("change");
  }
  void event(const std::string& name = "pull_request", int head_repository = 1, const std::string& action = "opened") {
    project.invocation = {};
    project.invocation.event = name;
    project.invocation.ref = name == "push" ? "refs/heads/main" : "refs/pull/7/merge";
    project.directory.write(
        "event.json", name == "push" ? std::string("{}")
                                     : concat(R"({"action":")", action,
                                              R"(","number":7,"pull_request":{"number":7,"title":"@org/team <b>",)",
                                              R"("head":{"ref":"fix","sha":")", head, R"(","repo":{"id":)",
                                              head_repository, R"(}},"base":{"ref":"main"}},"repository":{"id":1}})"));
    project.invocation.payload = (project.directory / "event.json").string();
  }
  static oci::Reference at(const std::string& tag) {
    return {oci::parse_repository("ghcr.io/o/r/ci").value(), tag, std::nullopt};
  }
  static registry::BlobSource source(const std::string& bytes) {
    return {std::nullopt, [bytes](std::uint64_t) -> Result<net::BodySource> {
              return net::BodySource(
                  [rest = bytes]() mutable -> Result<std::string> { return std::exchange(rest, std::string()); });
            }};
  }
  /// An image of that commit at the tag, empty = at none, with layers of those sizes.
  oci::Descriptor image(const std::string& tag, const std::string& revision, const std::vector<std::size_t>& layers,
                        const std::string& architecture = "amd64") {
    test::TestImage made;
    made.layers.clear();
    for (const auto size : layers) made.layers.emplace_back(size, static_cast<char>('a' + size % 26));
    made.architecture = architecture;
    if (!revision.empty()) made.labels[std::string(pipeline::kRevisionLabel)] = revision;
    for (const auto& bytes : made.layers) put(bytes);
    put(made.config());
    auto reference = at(tag);
    if (tag.empty()) reference = {reference.repository, std::nullopt, made.manifest_digest()};
    const auto digest = registry.put_manifest(reference, made.manifest(), oci::kOciManifest);
    EXPECT_TRUE(digest) << (digest ? "" : describe(digest.error()));
    config_size = made.config().size();
    return {std::string(oci::kOciManifest),
            made.manifest_digest(),
            made.manifest().size(),
            {},
            oci::Platform{"linux", architecture, ""}};
  }
  void put(const std::string& bytes) {
    const oci::Descriptor blob{"", oci::Digest::of(bytes), bytes.size(), {}, std::nullopt};
    EXPECT_TRUE(registry.put_blob(at("x").repository, blob, source(bytes)));
  }
  void index(const std::string& tag, const std::vector<oci::Descriptor>& images) {
    const oci::Index made{std::string(oci::kOciIndex), images, {}};
    EXPECT_TRUE(registry.put_manifest(at(tag), made.to_json(), oci::kOciIndex));
  }
  Result<PreparedComment> prepare(const PullRequestApi* api = nullptr) {
    return prepare_comment(project.plan_inputs(), project.plan_services(), registry, api);
  }
  PreparedComment prepared() {
    auto comment = prepare();
    EXPECT_TRUE(comment) << (comment ? "" : describe(comment.error()));
    return comment.value_or(PreparedComment{});
  }
  Result<PostedComment> post(const PreparedComment& comment) {
    workflow.annotations.clear();
    comments.calls.clear();
    return post_comment(comment, github::RepositoryName::parse("o/r").value(), comments, workflow);
  }
  CommentOutcome outcome(const PreparedComment& comment) {
    const auto posted = post(comment);
    EXPECT_TRUE(posted) << (posted ? "" : describe(posted.error()));
    return posted ? posted->outcome : CommentOutcome::failed;
  }

  sample::Project project;
  std::string head;
  std::size_t config_size = 0;
  LayoutRegistry registry{layout::OciLayout::open(project.directory / "registry").value()};
  FakeComments comments;
  test::RecordingWorkflow workflow;
};

TEST_F(Comment, ShowsTheImageOfThePullRequestAgainstTheBases) {
  image("latest", "", {1000});
  const auto own = image("pr-7", head, {1000, 3000});
  const auto comment = prepared();
  EXPECT_EQ(comment.pull_request, 7);
  EXPECT_EQ(comment.marker, kMarker);
  EXPECT_THAT(
      comment.text,
      AllOf(StartsWith(kMarker + "\n### CI image `ghcr.io/o/r/ci:pr-7`\n"),
            HasSubstr("docker pull ghcr.io/o/r/ci@" + own.digest.text() + "\n"), HasSubstr("`" + head + "`"),
            HasSubstr(R"(`pull request 7 changes "ci.Dockerfile": an image of its own, pr-7`)"),
            HasSubstr("to download for `linux/amd64`, 3.1 KiB more than `ghcr.io/o/r/ci:latest` of branch `main`"),
            HasSubstr("- platforms: `linux/amd64`\n")));
  EXPECT_EQ(prepared().text, comment.text);
}

/// The title of a pull request is anybody's: nothing of it is shown.
TEST_F(Comment, A28ShowsNothingOfTheTitle) {
  image("pr-7", head, {1000});
  EXPECT_THAT(prepared().text, AllOf(Not(HasSubstr("@org")), Not(HasSubstr("<b>"))));
}

/// C-9, and the events that have no comment.
TEST_F(Comment, SaysNothingAboutOtherEvents) {
  image("pr-7", head, {1000});
  const std::pair<std::string, std::string> rows[] = {{"pull_request_target", "changes"}, {"push", "main"}};
  for (const auto& [name, reason] : rows) {
    event(name);
    const auto comment = prepared();
    EXPECT_EQ(comment.text, "") << name;
    EXPECT_THAT(comment.reason, HasSubstr(reason));
  }
  event("pull_request", 2);
  const auto fork = prepared();
  EXPECT_EQ(fork.text, "");
  EXPECT_THAT(fork.reason, HasSubstr("comes from a fork"));
  event("pull_request", 1, "closed");
  EXPECT_EQ(prepared().text, "");
  push("FROM scratch\n");
  event();
  const auto unchanged = prepared();
  EXPECT_EQ(unchanged.text, "");
  EXPECT_THAT(unchanged.reason, HasSubstr("changes no watched file"));
}

/// As the stage that hands the image over: what the clone cannot tell, GitHub lists.
TEST_F(Comment, AsksGitHubWhereTheCloneCannotTell) {
  image("pr-7", head, {1000});
  project.git({"update-ref", "-d", "refs/remotes/origin/main"});
  sample::FakeGitHub github;
  github.pull.head.sha = head;
  const PullRequestApi api{github, github::RepositoryName::parse("o/r").value()};
  github.files = {{"src/a"}, 1, true};
  EXPECT_EQ(prepare(&api).value().text, "");
  github.files.paths.emplace_back("ci.Dockerfile");
  EXPECT_THAT(prepare(&api).value().text, HasSubstr("pr-7"));
}

TEST_F(Comment, SaysNothingAboutAnImageThatIsNotThere) {
  for (const char* revision : {"", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}) {
    if (*revision != 0) image("pr-7", revision, {1000});
    const auto comment = prepare();
    ASSERT_FALSE(comment);
    EXPECT_EQ(comment.error().code, ErrorCode::not_found);
    EXPECT_THAT(comment.error().message,
                AllOf(HasSubstr("ghcr.io/o/r/ci:pr-7"), HasSubstr(head), HasSubstr("found none")));
    EXPECT_THAT(comment.error().hint, HasSubstr("need the one that builds"));
  }
}

TEST_F(Comment, IsOneNumberShorterWithoutTheBase) {
  image("pr-7", head, {1000});
  EXPECT_THAT(prepared().text, AllOf(HasSubstr("- size: "), Not(HasSubstr("latest"))));
  image("latest", "", {1000}, "arm64");
  EXPECT_THAT(prepared().text, Not(HasSubstr("latest"))) << "another platform's size compares with nothing";
  index("latest", {});
  EXPECT_THAT(prepared().text, Not(HasSubstr("latest"))) << "no image";
}

TEST_F(Comment, MeasuresThePlatformThatRunnersHave) {
  const auto arm = image("", head, {5000}, "arm64"), amd = image("", head, {2000, 1000});
  oci::Descriptor attestation = image("", head, {9000}, "arm");
  attestation.platform = oci::Platform{"unknown", "unknown", ""};
  index("pr-7", {attestation, arm, amd});
  const auto size = image_size(at("pr-7"), {}, registry);
  ASSERT_TRUE(size) << describe(size.error());
  EXPECT_EQ((*size)->platform.text(), "linux/amd64");
  EXPECT_EQ((*size)->platforms, (std::vector<oci::Platform>{{"linux", "arm64", ""}, {"linux", "amd64", ""}}));
  EXPECT_THAT(prepared().text, HasSubstr("- platforms: `linux/arm64`, `linux/amd64`\n"));
  index("pr-7", {attestation, arm});
  EXPECT_EQ(image_size(at("pr-7"), {}, registry).value()->platform.text(), "linux/arm64");
  index("pr-7", {attestation});
  EXPECT_EQ(image_size(at("pr-7"), {}, registry).error().code, ErrorCode::integrity);
  EXPECT_FALSE(image_size(at("nothing"), {}, registry).value());
}

TEST_F(Comment, CountsEachLayerOnceAndTheConfiguration) {
  image("pr-7", head, {1000, 1000, 24});
  EXPECT_EQ(image_size(at("pr-7"), {}, registry).value()->bytes, 1024 + config_size);
}

TEST_F(Comment, IsMadeOnceAndUpdatedInPlace) {
  comments.add(kStranger, "hello");
  image("pr-7", head, {1000});
  const auto first = prepared();
  EXPECT_EQ(outcome(first), CommentOutcome::created);
  EXPECT_THAT(comments.calls, ElementsAre("viewer", "list o/r 7", "create o/r 7"));
  EXPECT_EQ(outcome(first), CommentOutcome::unchanged);
  EXPECT_FALSE(comments.wrote()) << "unchanged text = no write";
  push("FROM alpine\n");
  event();
  image("pr-7", head, {2000});
  EXPECT_EQ(outcome(prepared()), CommentOutcome::updated);
  EXPECT_THAT(comments.calls, ElementsAre("viewer", "list o/r 7", "update o/r 2"));
  ASSERT_THAT(comments.all, SizeIs(2));
  EXPECT_EQ(comments.all[0].body, "hello");
  EXPECT_THAT(comments.all[1].body, HasSubstr(head));
  EXPECT_THAT(workflow.annotations, IsEmpty());
}

TEST_F(Comment, A39NeverTouchesAStrangersComment) {
  image("pr-7", head, {1000});
  comments.add(kStranger, kMarker + "\nfree images: evil.example");
  comments.add(kSelf, "> " + kMarker + "\nquoted by another step with the same token");
  EXPECT_EQ(outcome(prepared()), CommentOutcome::created);
  EXPECT_THAT(comments.calls, ElementsAre("viewer", "list o/r 7", "create o/r 7"));
  EXPECT_THAT(comments.all[0].body, HasSubstr("evil.example"));
}

TEST_F(Comment, OfTwoImagesOfOneRepositoryAreTwo) {
  image("pr-7", head, {1000});
  EXPECT_EQ(outcome(prepared()), CommentOutcome::created);
  auto other = prepared();
  other.marker = pipeline::comment_marker("ci-image", "ghcr.io/o/r/ci-slim");
  other.text = other.marker + "\nanother";
  EXPECT_EQ(outcome(other), CommentOutcome::created);
  EXPECT_EQ(outcome(prepared()), CommentOutcome::unchanged);
  EXPECT_EQ(outcome(other), CommentOutcome::unchanged);
}

TEST_F(Comment, UpdatesTheNewestOfSeveralOfItsOwn) {
  image("pr-7", head, {1000});
  for (int i = 0; i < 3; ++i) comments.add(kSelf, kMarker + "\nold");
  EXPECT_EQ(outcome(prepared()), CommentOutcome::updated);
  EXPECT_EQ(comments.calls.back(), "update o/r 3");
}

TEST_F(Comment, IsMadeAnewWhenItWasDeletedMeanwhile) {
  image("pr-7", head, {1000});
  comments.add(kSelf, kMarker + "\nold");
  comments.deleted = 1;
  EXPECT_EQ(outcome(prepared()), CommentOutcome::created);
  EXPECT_THAT(comments.calls, ElementsAre("viewer", "list o/r 7", "update o/r 1", "create o/r 7"));
}

TEST_F(Comment, WithoutAnAccountWritesOverNobody) {
  image("pr-7", head, {1000});
  comments.viewer_error = Error{.code = ErrorCode::not_found, .message = "no GraphQL here", .hint = {}};
  EXPECT_EQ(outcome(prepared()), CommentOutcome::created);
  EXPECT_EQ(outcome(prepared()), CommentOutcome::unchanged);
  EXPECT_FALSE(comments.wrote());
  comments.all.front().body += "an older image";
  EXPECT_EQ(outcome(prepared()), CommentOutcome::left);
  EXPECT_FALSE(comments.wrote());
  ASSERT_THAT(workflow.annotations, SizeIs(1));
  EXPECT_EQ(workflow.annotations.front().severity, actions::Severity::warning);
  EXPECT_THAT(workflow.annotations.front().message, HasSubstr("https://github.com/o/r/pull/7#1"));
}

/// B18, A62: no check depends on a comment.
TEST_F(Comment, B18ThatCannotBeWrittenIsAWarning) {
  image("pr-7", head, {1000});
  const auto comment = prepared();
  for (const auto code : {ErrorCode::unauthenticated, ErrorCode::forbidden, ErrorCode::not_found,
                          ErrorCode::rate_limited, ErrorCode::unavailable, ErrorCode::github_api}) {
    const Error error{.code = code, .message = "cannot comment", .hint = "add `permissions: pull-requests: write`"};
    for (auto* const place : {&comments.list_error, &comments.write_error}) {
      *place = error;
      EXPECT_EQ(outcome(comment), CommentOutcome::failed) << name(code);
      place->reset();
      ASSERT_THAT(workflow.annotations, SizeIs(1)) << name(code);
      EXPECT_EQ(workflow.annotations.front().severity, actions::Severity::warning);
      EXPECT_THAT(workflow.annotations.front().message,
                  AllOf(HasSubstr("cannot comment"), HasSubstr("`permissions: pull-requests: write`")));
    }
  }
  EXPECT_THAT(comments.all, IsEmpty());
}

TEST_F(Comment, B18HidesNeitherBadInputNorTheEnd) {
  image("pr-7", head, {1000});
  const auto comment = prepared();
  for (const auto code : {ErrorCode::bad_input, ErrorCode::interrupted, ErrorCode::terminated, ErrorCode::internal}) {
    const Error error{.code = code, .message = "no", .hint = {}};
    for (auto* const place : {&comments.viewer_error, &comments.list_error, &comments.write_error}) {
      *place = error;
      const auto posted = post(comment);
      place->reset();
      ASSERT_FALSE(posted) << name(code);
      EXPECT_EQ(posted.error().code, code);
    }
  }
}

}  // namespace
}  // namespace crategate::stages
