// ci-image build, gen and load: requests as values, and what a registry has afterwards.
#include "stages/build_ci_image.h"

#include <gmock/gmock.h>

#include "layout/archive.h"
#include "layout/archive_writer.h"
#include "layout/image_store.h"
#include "oci/media_types.h"
#include "pipeline/base_watch.h"
#include "stages/ci_container.h"
#include "stages/layout_registry.h"
#include "stages/project.h"
#include "stages/prune_ci_image.h"
#include "support/fake_engine.h"
#include "support/test_image.h"

namespace crategate::stages {
namespace {

using pipeline::CiBuild;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

const std::string kImage = "ghcr.io/o/r/ci";
const std::string kHead(40, 'a');

class BuildCiImage : public ::testing::Test {
 protected:
  BuildCiImage() {
    config::CiImage settings;
    settings.image = kImage;
    settings.dockerfile = "ci.Dockerfile";
    settings.watch = {"ci.Dockerfile"};
    project.configuration.ci_image = settings;
    project.write("ci.Dockerfile", "FROM scratch\n");
    builder.on_build = [this](const docker::BuildRequest& request) { built = write_layout(request); };
  }
  config::CiImage& settings() { return *project.configuration.ci_image; }
  /// Of a pull request that may publish `pr-7`.
  CiImageBuildInputs inputs() {
    pipeline::CiImageDecision decision;
    decision.event = pipeline::CiEvent::pull_request_changed;
    decision.tag = "pr-7";
    decision.publish = publish;
    decision.build = build;
    CiImageBuildInputs in{.configuration = project.configuration, .workspace = project.workspace};
    if (in_job) in.decision = decision;
    in.revision = revision;
    in.branch_tag = "latest";
    in.source_url = "https://github.com/o/r";
    in.architecture = "arm64";
    return in;
  }
  std::vector<std::string> arguments(const CiImageBuildInputs& in) {
    const auto request = ci_image_request(in);
    EXPECT_TRUE(request) << (request ? "" : describe(request.error()));
    return request ? docker::build_arguments(*request) : std::vector<std::string>{};
  }
  /// What buildx would leave.
  oci::Digest write_layout(const docker::BuildRequest& request) {
    if (request.layout.empty()) return oci::Digest::of("none");
    test::TestImage image;
    image.layers.clear();
    image.labels = request.labels;
    if (!label.empty()) image.labels[std::string(pipeline::kRevisionLabel)] = label;
    auto layout = layout::OciLayout::open(project.workspace.root / request.layout).value();
    EXPECT_TRUE(layout.write_blob(image.config_digest(), image.config()));
    const auto manifest = layout.write_manifest(image.manifest(), oci::kOciManifest).value();
    EXPECT_TRUE(layout.tag("latest", manifest));
    return manifest.digest;
  }
  Result<CiImageBuilt> run(const CiImageBuildInputs& in) {
    const std::function<Result<registry::Access>(const oci::Repository&)> asked = [this](const auto& repository) {
      asked_for.push_back(repository.familiar());
      return access;
    };
    return build_ci_image(in, {project.files, builder, registry, registry, asked, project.repository, progress});
  }
  std::optional<oci::Digest> digest(const std::string& tag) {
    return registry.digest({oci::parse_repository(kImage).value(), tag, std::nullopt}).value();
  }

  sample::Project project;
  std::vector<std::string> publish = {"pr-7"};
  std::string revision = kHead;
  CiBuild build = CiBuild::yes;
  bool in_job = true;
  std::string label;  ///< in place of the one that was asked for
  oci::Digest built = oci::Digest::of("nothing");
  test::RecordingBuilder builder;
  LayoutRegistry registry{layout::OciLayout::open(project.directory / "registry").value()};
  Result<registry::Access> access = registry::Access{};
  std::vector<std::string> asked_for;  ///< repositories
  Progress progress;
};

TEST_F(BuildCiImage, IsOneCommandThatWritesTheCacheAndNoTag) {
  publish = {"latest", "main-sha-a"};
  EXPECT_THAT(arguments(inputs()),
              ElementsAre("build", "--platform=linux/amd64", "--file=ci.Dockerfile",
                          "--output=type=oci,tar=false,dest=.crategate/ci-image/layout", "--progress=plain",
                          "--provenance=false", "--cache-from=type=registry,ref=ghcr.io/o/r/ci:buildcache",
                          "--cache-from=type=registry,ref=ghcr.io/o/r/ci:pr-7",
                          "--cache-from=type=registry,ref=ghcr.io/o/r/ci:latest",
                          "--cache-to=type=registry,ref=ghcr.io/o/r/ci:buildcache,mode=max,image-manifest=true,"
                          "oci-mediatypes=true",
                          "--cache-to=type=inline", "--label=org.opencontainers.image.revision=" + kHead,
                          "--label=org.opencontainers.image.source=https://github.com/o/r", "."));
}

/// What a pull request, a merge group or a branch of nobody's leaves is not what another branch is built from.
TEST_F(BuildCiImage, WritesTheCacheForABranchThatHasATagOnly) {
  for (const std::string& only : {std::string("pr-7"), "gh-readonly-queue-sha-" + kHead}) {
    publish = {only};
    EXPECT_THAT(arguments(inputs()), Not(Contains(StartsWith("--cache-to=type=registry")))) << only;
    EXPECT_THAT(arguments(inputs()), Contains("--cache-to=type=inline"));
  }
}

TEST_F(BuildCiImage, TakesNothingFromACacheWhenForcedAndWritesItAllTheSame) {  // C-10
  build = CiBuild::fresh;
  publish = {"latest", "main-sha-a"};
  const auto argv = arguments(inputs());
  EXPECT_THAT(argv, Contains("--pull"));
  EXPECT_THAT(argv, Contains("--no-cache"));
  EXPECT_THAT(argv, Not(Contains(StartsWith("--cache-from"))));
  EXPECT_THAT(argv, Contains(StartsWith("--cache-to=type=registry")));
}

TEST_F(BuildCiImage, HasNoLoginAndWritesNothingWhereNothingIsPublished) {  // C-9
  publish.clear();
  settings().platforms = {{"linux", "arm64", ""}};
  auto in = inputs();
  in.from_fork = true;
  const auto request = ci_image_request(in).value();
  EXPECT_FALSE(request.log_in);
  EXPECT_THAT(request.cache_to, IsEmpty());
  EXPECT_EQ(request.platform, oci::Platform{}) << "amd64 only";
  EXPECT_THAT(request.tags, ElementsAre(kImage + ":local"));
  const auto done = run(in);
  ASSERT_TRUE(done) << describe(done.error());
  EXPECT_EQ(done->image, "");
  EXPECT_EQ(registry.tags(oci::parse_repository(kImage).value()).value().value_or(std::vector<std::string>{}),
            std::vector<std::string>{});
  in.artifact = true;
  const auto kept = run(in);
  ASSERT_TRUE(kept) << describe(kept.error());
  EXPECT_TRUE(project.exists(".crategate/ci-image/layout/index.json")) << "for the artifact";
  EXPECT_EQ(kept->local, "");
  publish = {"pr-7"};
  auto silent = inputs();
  silent.publish = false;
  EXPECT_FALSE(ci_image_request(silent)->log_in) << "--publish=false";
}

TEST_F(BuildCiImage, StaysOnAPersonsMachineAndAsksNoRegistry) {
  in_job = false;
  EXPECT_THAT(arguments(inputs()),
              ElementsAre("build", "--platform=linux/arm64", "--file=ci.Dockerfile", "--tag=ghcr.io/o/r/ci:local",
                          "--output=type=docker,oci-mediatypes=true", "--progress=plain", "--provenance=false", "."));
  settings().platforms = {{"linux", "amd64", ""}, {"linux", "arm64", ""}};
  EXPECT_EQ(ci_image_request(inputs())->platform.architecture, "arm64") << "this machine's";
  settings().platforms = {{"linux", "s390x", ""}, {"linux", "amd64", ""}};
  EXPECT_EQ(ci_image_request(inputs())->platform.architecture, "s390x") << "else the first";
}

TEST_F(BuildCiImage, MakesOneIndexOfAllPlatformsForARegistry) {
  settings().platforms = {{"linux", "amd64", ""}, {"linux", "arm64", ""}};
  EXPECT_THAT(arguments(inputs()), Contains("--platform=linux/amd64,linux/arm64"));
}

TEST_F(BuildCiImage, TagsTheWholeImageTheMovingTagLast) {
  publish = {"latest", "main-sha-" + kHead};
  const auto done = run(inputs());
  ASSERT_TRUE(done) << describe(done.error());
  EXPECT_EQ(done->image, concat(kImage, "@", built.text()));
  EXPECT_EQ(digest("latest"), built);
  EXPECT_EQ(digest("main-sha-" + kHead), built);
  EXPECT_FALSE(project.exists(".crategate/ci-image/layout"));
  EXPECT_THAT(builder.requests.front().cache_from, IsEmpty()) << "a cache that is not there is not asked for";
  const auto again = run(inputs());
  ASSERT_TRUE(again);
  ASSERT_THAT(builder.requests.back().cache_from, SizeIs(1));
  EXPECT_EQ(builder.requests.back().cache_from.front().reference, kImage + ":latest");
}

/// A re-run of an old build of a branch does not take its image back.
TEST_F(BuildCiImage, LeavesABranchsTagThatNamesALaterCommit) {
  const auto second = project.init();
  const auto first = project.git({"rev-parse", second + "^"});
  publish = {"latest", "main-sha-" + second};
  revision = second;
  ASSERT_TRUE(run(inputs()));
  const auto newest = built;
  publish = {"latest", "main-sha-" + first};
  revision = first;
  const auto late = run(inputs());
  ASSERT_TRUE(late) << describe(late.error());
  EXPECT_NE(built, newest);
  EXPECT_EQ(digest("latest"), newest);
  EXPECT_EQ(digest("main-sha-" + first), built) << "whoever asks for that commit has it";
  EXPECT_THAT(late->tags, ElementsAre("main-sha-" + first));
  revision = second;
  publish = {"latest"};
  ASSERT_TRUE(run(inputs()));
  EXPECT_EQ(digest("latest"), built) << "the same commit, built again";
}

TEST_F(BuildCiImage, TagsNothingThatIsLabelledWithAnotherCommit) {  // C-6
  ASSERT_TRUE(run(inputs()));
  const auto before = digest("pr-7");
  label = std::string(40, 'b');
  const auto refused = run(inputs());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::integrity);
  EXPECT_THAT(refused.error().message, HasSubstr(kHead));
  EXPECT_EQ(digest("pr-7"), before);
  EXPECT_FALSE(project.exists(".crategate/ci-image/layout"));
}

TEST_F(BuildCiImage, TagsNothingWhenTheBuildFails) {
  builder.answer = fail(ErrorCode::engine, "it broke");
  EXPECT_EQ(run(inputs()).error().code, ErrorCode::engine);
  EXPECT_EQ(digest("pr-7"), std::nullopt);
}

TEST_F(BuildCiImage, AsksForTheRightToPushBeforeItBuilds) {
  access = registry::Access{.user = "me", .no_pull = std::nullopt, .no_push = Error{.code = ErrorCode::forbidden}};
  EXPECT_EQ(run(inputs()).error().code, ErrorCode::forbidden);
  access = fail(ErrorCode::unavailable, "503");
  EXPECT_EQ(run(inputs()).error().code, ErrorCode::unavailable);
  EXPECT_THAT(builder.requests, IsEmpty());
  EXPECT_THAT(asked_for, ElementsAre(kImage, kImage));
  publish.clear();
  EXPECT_TRUE(run(inputs())) << "of what is not pushed nobody asks";
  EXPECT_THAT(asked_for, SizeIs(2));
}

TEST_F(BuildCiImage, SaysWhereTheLogOfAFailureIs) {
  builder.lines = {"#1 it begins"};
  builder.answer = fail(ErrorCode::engine, "it broke");
  EXPECT_THAT(run(inputs()).error().message, HasSubstr("it broke; log: .crategate/logs/ci-image-build.log"));
  EXPECT_EQ(project.read(".crategate/logs/ci-image-build.log"), "#1 it begins\n");
  builder.lines.clear();
  EXPECT_THAT(run(inputs()).error().message, Not(HasSubstr("log:"))) << "there is nothing in it";
}

struct DockerfileRow {
  const char* name;
  std::vector<std::string> watch;
  std::string dockerfile, built, error;
};

class CiDockerfile : public BuildCiImage, public ::testing::WithParamInterface<DockerfileRow> {};

TEST_P(CiDockerfile, IsTheOneThatIsWatched) {
  settings().watch = GetParam().watch;
  settings().dockerfile = GetParam().dockerfile;
  const auto request = ci_image_request(inputs());
  EXPECT_EQ(request ? request->dockerfile : std::string(), GetParam().built);
  if (GetParam().error.empty()) return;
  ASSERT_FALSE(request);
  EXPECT_EQ(request.error().code, ErrorCode::bad_input);
  EXPECT_THAT(request.error().message, HasSubstr(GetParam().error));
  EXPECT_THAT(request.error().hint, HasSubstr("`dockerfile: "));
  EXPECT_THAT(request.error().hint, Not(HasSubstr("`image:"))) << "that is there";
}

INSTANTIATE_TEST_SUITE_P(
    Rows, CiDockerfile,
    ::testing::Values(
        DockerfileRow{"Suffix", {".github/workflows/a.yml", "ci.Dockerfile"}, "", "ci.Dockerfile", ""},
        DockerfileRow{
            "Prefix", {"ci/Dockerfile.tools", "ci/Dockerfile.tools.dockerignore"}, "", "ci/Dockerfile.tools", ""},
        DockerfileRow{"Plain", {"Dockerfile", "requirements.txt"}, "", "Dockerfile", ""},
        DockerfileRow{"OtherName", {"Containerfile"}, "", "Containerfile", ""},
        DockerfileRow{"Given", {"a.Dockerfile", "b.Dockerfile"}, "b.Dockerfile", "b.Dockerfile", ""},
        DockerfileRow{"GivenAndNotWatched", {"a.Dockerfile"}, "c", "c", ""},
        DockerfileRow{"Several",
                      {"a.Dockerfile", "b.Dockerfile"},
                      "",
                      "",
                      "several in ci-image.watch: a.Dockerfile, b.Dockerfile"},
        DockerfileRow{"None", {"docs/Dockerfiles.md", "dockerfile_list"}, "", "", "none in ci-image.watch"}),
    [](const auto& each) { return std::string(each.param.name); });

TEST_F(BuildCiImage, NamesTheOneSettingThatIsMissing) {
  settings().image.clear();
  const auto request = ci_image_request(inputs());
  ASSERT_FALSE(request);
  EXPECT_THAT(request.error().message, HasSubstr("ci-image.image: expected"));
  EXPECT_THAT(request.error().hint, Not(HasSubstr("dockerfile")));
}

/// The label says what the image was built from: that must be what is checked out.
TEST(EventCommit, IsTheOneThatIsCheckedOut) {
  sample::Project project;
  const std::string base = project.init();
  project.git({"checkout", "-q", "-b", "fix"});
  const std::string head = project.commit("change");
  project.git({"checkout", "-q", "--detach", base});
  project.git({"merge", "-q", "--no-ff", "-m", "merge", head});
  const std::string merge = project.git({"rev-parse", "HEAD"});
  const auto admitted = [&project](const std::string& sha, const std::string& head_sha) {
    pipeline::Event event;
    event.sha = sha;
    event.head_sha = head_sha;
    const auto checked = require_event_commit(event, project.repository);
    EXPECT_TRUE(checked || checked.error().code == ErrorCode::bad_input);
    return checked.has_value();
  };
  EXPECT_TRUE(admitted(merge, head));
  EXPECT_TRUE(admitted("", head)) << "HEAD is a merge of it";
  EXPECT_FALSE(admitted("", base)) << "that is what it was merged into";
  EXPECT_FALSE(admitted(std::string(40, 'c'), head)) << "another merge of the same head";
  project.git({"checkout", "-q", "fix"});
  EXPECT_TRUE(admitted(merge, head)) << "the head itself";
  EXPECT_TRUE(admitted(head, head));
  project.git({"checkout", "-q", "main"});
  EXPECT_FALSE(admitted("", head));
  EXPECT_FALSE(admitted(merge, head));
  EXPECT_FALSE(admitted(head, head));
}

TEST(EventCommit, CannotBeProvenWithoutGit) {
  sample::Project project;
  pipeline::Event event;
  event.sha = event.head_sha = kHead;
  const auto checked = require_event_commit(event, project.repository);
  ASSERT_FALSE(checked);
  EXPECT_THAT(checked.error().message, HasSubstr("found none"));
}

TEST_F(BuildCiImage, RefusesWhatItCannotBuild) {
  project.write("ci.Dockerfile", "# syntax=evil/frontend:1\nFROM scratch\n");  // A20
  EXPECT_THAT(run(inputs()).error().message, HasSubstr("the CI image: expected the frontend"));
  settings().dockerfile = "gone.Dockerfile";
  EXPECT_THAT(run(inputs()).error().message, HasSubstr("\"gone.Dockerfile\", found none"));
  EXPECT_THAT(builder.requests, IsEmpty());
}

TEST(CiContainer, SeesTheRepositoryAndNothingElse) {
  const config::Argv generate = {"make", "gen"};
  const CiContainerInputs in{
      .image = "i", .generate = generate, .workspace = {.root = "/a \"b"}, .user = "7:8", .shell = {}};
  const auto spec = ci_container(in);
  EXPECT_THAT(spec.binds, ElementsAre("/a \"b:/workspace"));
  EXPECT_THAT(spec.env, ElementsAre("HOME=/tmp"));
  EXPECT_EQ(spec.user, "7:8");
  EXPECT_EQ(spec.workdir, "/workspace");
  const auto shell = ci_shell(in, {{"PATH", "/bin"}});
  EXPECT_THAT(shell.arguments, Contains("--mount=type=bind,\"source=/a \"\"b\",target=/workspace"));
  EXPECT_THAT(shell.arguments, Contains("--user=7:8"));
}

TEST(CiContainer, NeedsACommandThatRunsInTheImage) {
  EXPECT_TRUE(require_ci_generate({"make", "generated"}));
  const auto refused = require_ci_generate({});
  EXPECT_THAT(refused.error().message, StartsWith("ci-image.generate: expected"));
  EXPECT_THAT(refused.error().hint, HasSubstr("not a target that calls"));
}

/// A stream of bytes, whole.
std::string drain(const net::BodySource& source) {
  std::string bytes;
  while (true) {
    const auto chunk = source();
    EXPECT_TRUE(chunk) << (chunk ? "" : describe(chunk.error()));
    if (!chunk || chunk->empty()) return bytes;
    bytes += *chunk;
  }
}

TEST(ArchiveOfALayout, IsReadBackAsTheSameImage) {
  const test::TestDirectory directory;
  auto from = layout::OciLayout::open(directory / "from").value();
  test::TestImage image;
  image.layers.clear();
  ASSERT_TRUE(from.write_blob(image.config_digest(), image.config()));
  const auto manifest = from.write_manifest(image.manifest(), oci::kOciManifest).value();
  const auto name = oci::parse_reference("localhost:5000/a/ci:fork").value();
  const auto archive = layout::write_archive(from, manifest.digest, name);
  ASSERT_TRUE(archive) << describe(archive.error());
  const std::string bytes = drain(archive->source);
  EXPECT_EQ(bytes.size(), archive->size);
  EXPECT_THAT(bytes, HasSubstr("\"io.containerd.image.name\":\"localhost:5000/a/ci:fork\""));
  auto to = layout::OciLayout::open(directory / "to").value();
  const auto read = layout::import_archive(
      [bytes, given = false]() mutable -> Result<std::string> {
        return std::exchange(given, true) ? std::string() : bytes;
      },
      {}, to);
  ASSERT_TRUE(read) << describe(read.error());
  EXPECT_EQ(read->manifest.digest, manifest.digest);
}

/// A number of another repository's pull request would decide over a tag of this one.
TEST(OriginOnGitHub, IsOneOfThatServerOnly) {
  const auto found = [](std::string_view origin, std::string_view server = "") {
    const auto name = repository_of_origin(origin, server);
    return name ? name->text() : std::string(crategate::name(name.error().code));
  };
  for (const std::string_view origin :
       {"https://github.com/o/n.git", "https://GitHub.com/o/n", "https://github.com:443/o/n/", "git@github.com:o/n.git",
        "github.com:/o/n", "ssh://git@github.com/o/n.git", "ssh://git@github.com:22/o/n"})
    EXPECT_EQ(found(origin), "o/n") << origin;
  for (const std::string_view origin :
       {"", "/tmp/o.git", "file:///tmp/o/n.git", "https://gitlab.com/kubernetes/kubernetes.git", "https://github.com/n",
        "https://github.com/a/o/n.git", "https://github.com.evil.example/o/n", "https://evil.example/github.com/o/n",
        "https://github.com:8443/o/n", "git@gitlab.com:o/n.git", "../o/n", "http://github.com/o/n", "gh:o/n"})
    EXPECT_EQ(found(origin), "bad-input") << origin;
  EXPECT_EQ(found("https://ghe.example:8443/o/n", "https://ghe.example:8443"), "o/n");
  EXPECT_EQ(found("git@ghe.example:o/n.git", "https://ghe.example:8443"), "o/n");
  EXPECT_EQ(found("https://github.com/o/n", "https://ghe.example"), "bad-input");
  const auto refused = repository_of_origin("https://gitlab.com/o/n", "");
  EXPECT_THAT(refused.error().message, AllOf(HasSubstr("on github.com"), HasSubstr("https://gitlab.com/o/n")));
  EXPECT_THAT(refused.error().hint, HasSubstr("GITHUB_REPOSITORY=OWNER/NAME"));
}

}  // namespace
}  // namespace crategate::stages
