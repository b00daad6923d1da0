// ci-image build, gen, load and prune: requests as values, and what a registry has afterwards.
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
    in.revision = kHead;
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
    return build_ci_image(in, {project.files, builder, registry, registry, progress});
  }
  std::optional<oci::Digest> digest(const std::string& tag) {
    return registry.digest({oci::parse_repository(kImage).value(), tag, std::nullopt}).value();
  }

  sample::Project project;
  std::vector<std::string> publish = {"pr-7"};
  CiBuild build = CiBuild::yes;
  bool in_job = true;
  std::string label;  ///< in place of the one that was asked for
  oci::Digest built = oci::Digest::of("nothing");
  test::RecordingBuilder builder;
  LayoutRegistry registry{layout::OciLayout::open(project.directory / "registry").value()};
  Progress progress;
};

TEST_F(BuildCiImage, IsOneCommandThatWritesTheCacheAndNoTag) {
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

TEST_F(BuildCiImage, TakesNothingFromACacheWhenForcedAndWritesItAllTheSame) {  // C-10
  build = CiBuild::fresh;
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

TEST_F(BuildCiImage, RefusesWhatItCannotBuild) {
  project.write("ci.Dockerfile", "# syntax=evil/frontend:1\nFROM scratch\n");  // A20
  EXPECT_THAT(run(inputs()).error().message, HasSubstr("the CI image: expected the frontend"));
  settings().dockerfile = "gone.Dockerfile";
  EXPECT_THAT(run(inputs()).error().message, HasSubstr("\"gone.Dockerfile\", found none"));
  settings().dockerfile.clear();
  EXPECT_THAT(run(inputs()).error().message, HasSubstr("ci-image.dockerfile: expected"));
  EXPECT_THAT(builder.requests, IsEmpty());
}

TEST(CiContainer, SeesTheRepositoryAndNothingElse) {
  const config::Argv generate = {"make", "gen"};
  const CiContainerInputs in{.image = "i", .generate = generate, .workspace = {.root = "/a \"b"}, .user = "7:8"};
  const auto spec = ci_container(in);
  EXPECT_THAT(spec.binds, ElementsAre("/a \"b:/workspace"));
  EXPECT_THAT(spec.env, ElementsAre("HOME=/tmp"));
  EXPECT_EQ(spec.user, "7:8");
  EXPECT_EQ(spec.workdir, "/workspace");
  const auto shell = ci_shell(in, {{"PATH", "/bin"}});
  EXPECT_THAT(shell.arguments, Contains("--mount=type=bind,\"source=/a \"\"b\",target=/workspace"));
  EXPECT_THAT(shell.arguments, Contains("--user=7:8"));
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

class PruneCiImage : public ::testing::Test {
 protected:
  PruneCiImage() {
    test::TestImage image;
    image.layers.clear();
    for (const std::string tag : {"latest", "pr-7", "pr-12", "pr-9", "pr-007", "pr-x", "buildcache", "pr-8"})
      EXPECT_TRUE(registry.put_manifest({repository, tag, std::nullopt}, image.manifest(), oci::kOciManifest));
  }
  Result<Pruned> prune(bool remove) {
    return prune_ci_image(repository, remove, {registry, registry, [this](std::int64_t number) -> Result<bool> {
                                                 if (number == 8) return fail(eight, "no");
                                                 return number != 9;
                                               }});
  }
  std::vector<std::string> tags() { return registry.tags(repository).value().value(); }
  oci::Repository repository = oci::parse_repository(kImage).value();
  ErrorCode eight = ErrorCode::not_found;
  test::TestDirectory directory;
  LayoutRegistry registry{layout::OciLayout::open(directory / "registry").value()};
};

TEST_F(PruneCiImage, RemovesTagsOfClosedPullRequestsOnly) {
  const auto all = tags();
  const auto listed = prune(false);
  ASSERT_TRUE(listed) << describe(listed.error());
  EXPECT_THAT(listed->closed, ElementsAre("pr-7", "pr-12"));
  EXPECT_THAT(listed->open, ElementsAre("pr-9"));
  EXPECT_THAT(listed->unknown, ElementsAre("pr-8"));
  EXPECT_EQ(tags(), all) << "nothing is removed unasked";
  EXPECT_EQ(prune(true)->removed, 2U);
  EXPECT_THAT(tags(), ::testing::UnorderedElementsAre("latest", "pr-9", "pr-007", "pr-x", "buildcache", "pr-8"));
}

TEST_F(PruneCiImage, RemovesNothingWhereGitHubDoesNotAnswer) {
  eight = ErrorCode::rate_limited;
  const auto all = tags();
  EXPECT_EQ(prune(true).error().code, ErrorCode::rate_limited);
  EXPECT_EQ(tags(), all);
}

}  // namespace
}  // namespace crategate::stages
