#include <gmock/gmock.h>

#include <algorithm>

#include "docker/build.h"

namespace crategate::docker {
namespace {

using testing::ElementsAre;
using testing::Not;
using testing::StartsWith;

using Argv = std::vector<std::string>;

BuildRequest request() {
  BuildRequest made;
  made.dockerfile = "docker/Dockerfile.cpu-py3.10";
  made.tags = {"braindotai/opencrate-cpu-py3.10:v1.2.3"};
  return made;
}

const Cache kCache{.reference = "braindotai/opencrate-build-cache:cpu-py3.10", .directory = {}};
const std::string kFrom = "--cache-from=type=registry,ref=braindotai/opencrate-build-cache:cpu-py3.10";
const std::string kTo =
    "--cache-to=type=registry,ref=braindotai/"
    "opencrate-build-cache:cpu-py3.10,mode=max,image-manifest=true,oci-mediatypes=true";

Argv with_middle(const Argv& middle) {
  Argv argv{"build",
            "--platform=linux/amd64",
            "--file=docker/Dockerfile.cpu-py3.10",
            "--tag=braindotai/opencrate-cpu-py3.10:v1.2.3",
            "--output=type=docker,oci-mediatypes=true",
            "--progress=plain",
            "--provenance=false"};
  argv.insert(argv.end(), middle.begin(), middle.end());
  argv.push_back(".");
  return argv;
}

struct PolicyRow {
  const char* name;
  bool fresh, read, write;
  Argv middle;
};

class BuildArgumentsPolicy : public testing::TestWithParam<PolicyRow> {};

TEST_P(BuildArgumentsPolicy, IsExactlyTheRowOfThePolicyTable) {
  BuildRequest asked = request();
  asked.fresh = GetParam().fresh;
  if (GetParam().read) asked.cache_from = {kCache};
  if (GetParam().write) asked.cache_to = {kCache};
  EXPECT_EQ(build_arguments(asked), with_middle(GetParam().middle));
}

INSTANTIATE_TEST_SUITE_P(
    Rows, BuildArgumentsPolicy,
    testing::Values(PolicyRow{"PullRequest", true, false, false, {"--pull", "--no-cache"}},
                    PolicyRow{"TagDependenciesUnchanged", false, true, false, {kFrom}},
                    PolicyRow{"TagDependenciesChanged", false, true, true, {kFrom, kTo}},
                    PolicyRow{"Schedule", true, false, true, {"--pull", "--no-cache", kTo}},
                    PolicyRow{"FreshNeverReadsWhateverIsAsked", true, true, false, {"--pull", "--no-cache"}},
                    PolicyRow{"FreshNeverReadsButMayWrite", true, true, true, {"--pull", "--no-cache", kTo}},
                    PolicyRow{"NoCacheAtAll", false, false, false, {}}),
    [](const auto& each) { return std::string(each.param.name); });

TEST(BuildArguments, OfALayoutNameAllPlatformsAndTheDirectory) {
  BuildRequest asked = request();
  asked.tags.clear();
  asked.layout = "state/a,b";
  asked.more_platforms = {{"linux", "arm64", ""}};
  asked.inline_cache = true;
  EXPECT_THAT(build_arguments(asked),
              ElementsAre("build", "--platform=linux/amd64,linux/arm64", "--file=docker/Dockerfile.cpu-py3.10",
                          "--output=type=oci,tar=false,\"dest=state/a,b\"", "--progress=plain", "--provenance=false",
                          "--cache-to=type=inline", "."));
}

TEST(BuildArguments, WritesEveryOptionInOneFixedOrder) {
  BuildRequest asked = request();
  asked.platform = {"linux", "arm64", "v8"};
  asked.build_args = {"A=1", "B=2"};
  asked.build_contexts = {"src=."};
  asked.secrets = {"id=token,env=TOKEN"};
  asked.labels = {{"z", "last"}, {"a", "first"}};
  asked.annotations = {"manifest:k=v"};
  asked.target = "final";
  asked.network = "host";
  asked.builder = "mine";
  asked.provenance = true;
  asked.metadata_file = "meta.json";
  asked.context = "ctx";
  EXPECT_THAT(build_arguments(asked),
              ElementsAre("build", "--platform=linux/arm64/v8", "--file=docker/Dockerfile.cpu-py3.10",
                          "--tag=braindotai/opencrate-cpu-py3.10:v1.2.3", "--output=type=docker,oci-mediatypes=true",
                          "--progress=plain", "--provenance=true", "--build-arg=A=1", "--build-arg=B=2",
                          "--build-context=src=.", "--secret=id=token,env=TOKEN", "--label=a=first", "--label=z=last",
                          "--annotation=manifest:k=v", "--target=final", "--network=host", "--builder=mine",
                          "--metadata-file=meta.json", "ctx"));
}

TEST(BuildArguments, NamesALocalCacheByItsDirectory) {
  BuildRequest asked = request();
  asked.cache_from = {Cache{.reference = {}, .directory = ".crategate/cache"}};
  asked.cache_to = {Cache{.reference = {}, .directory = ".crategate/cache", .ignore_error = true}};
  EXPECT_EQ(build_arguments(asked),
            with_middle({"--cache-from=type=local,src=.crategate/cache",
                         "--cache-to=type=local,dest=.crategate/cache,mode=max,ignore-error=true"}));
}

TEST(BuildArguments, KeepsACommaInACachePathFromBecomingAnOption) {
  BuildRequest asked = request();
  asked.cache_from = {Cache{.reference = {}, .directory = R"(a,type=registry"b)"}};
  EXPECT_EQ(build_arguments(asked), with_middle({R"(--cache-from=type=local,"src=a,type=registry""b")"}));
}

TEST(BuildArguments, LeavesOutACacheWithoutAPlace) {
  BuildRequest asked = request();
  asked.cache_from = {Cache{}};
  asked.cache_to = {Cache{}};
  EXPECT_EQ(build_arguments(asked), with_middle({}));
}

struct ContextRow {
  const char *given, *argument;
};

TEST(BuildArguments, TurnsAContextThatLooksLikeAnOptionIntoADirectory) {
  for (const auto& [given, argument] :
       {ContextRow{"-", "./-"}, {"--privileged", "./--privileged"}, {"", "."}, {"src", "src"}, {"/abs", "/abs"}}) {
    BuildRequest asked = request();
    asked.context = given;
    EXPECT_EQ(build_arguments(asked).back(), argument) << given;
  }
}

TEST(BuildArguments, KeepsEveryUntrustedValueBehindItsOptionName) {
  BuildRequest asked = request();
  asked.dockerfile = asked.target = asked.network = asked.metadata_file = asked.builder = "--push";
  asked.tags = asked.build_args = asked.secrets = asked.annotations = asked.build_contexts = {"--push"};
  asked.context = "--push";
  const Argv argv = build_arguments(asked);
  EXPECT_THAT(argv, testing::Each(Not(StartsWith("--push"))));
}

TEST(BuildArguments, RewriteTimesOnlyIntoAnArchive) {
  BuildRequest asked = request();
  asked.source_date_epoch = "1700000000";
  asked.archive = ".crategate/builds/a,b.tar";
  asked.build_args = {"SOURCE_DATE_EPOCH=5"};
  const auto argv = build_arguments(asked);
  EXPECT_THAT(
      argv, testing::Contains(
                R"(--output=type=docker,oci-mediatypes=true,"dest=.crategate/builds/a,b.tar",rewrite-timestamp=true)"));
  const auto ours = std::ranges::find(argv, "--build-arg=SOURCE_DATE_EPOCH=1700000000");
  const auto theirs = std::ranges::find(argv, "--build-arg=SOURCE_DATE_EPOCH=5");
  ASSERT_NE(ours, argv.end());
  EXPECT_LT(ours, theirs) << "the project's own value counts";
  asked.archive.clear();
  EXPECT_THAT(build_arguments(asked), testing::Contains("--output=type=docker,oci-mediatypes=true"));
}

}  // namespace
}  // namespace crategate::docker
