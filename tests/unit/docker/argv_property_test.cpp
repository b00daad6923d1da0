// A73: whatever a project, a branch or an event calls something, no word of a command line is one that we did not mean.
#include <gmock/gmock.h>

#include <random>

#include "base/strings.h"
#include "docker/build.h"

namespace crategate::docker {
namespace {

/// Words that would do something if a command line took them for its own.
std::string hostile(std::mt19937& random) {
  static const std::vector<std::string> kWords = {"--push",
                                                  "-f",
                                                  "--output=type=registry",
                                                  "--allow=security.insecure",
                                                  "--",
                                                  "-",
                                                  "@/etc/passwd",
                                                  "$(id)",
                                                  "a,b=c",
                                                  "\"",
                                                  "\n--push",
                                                  " --push",
                                                  "=",
                                                  "../",
                                                  "--secret=id=x,env=HOME"};
  const auto any = [&random](std::size_t below) {
    return std::uniform_int_distribution<std::size_t>(0, below - 1)(random);
  };
  std::string text;
  for (std::size_t count = 1 + any(3); count > 0; --count) text += kWords[any(kWords.size())];
  return text;
}

std::vector<std::string> some(std::mt19937& random) { return {hostile(random), hostile(random)}; }

TEST(ArgvProperty, OfABuildHasOnlyOptionsThatWeWrite) {
  const std::vector<std::string> bare = {"build",
                                         "--pull",
                                         "--no-cache",
                                         "--progress=plain",
                                         "--output=type=docker,oci-mediatypes=true",
                                         "--provenance=false"};
  const std::vector<std::string> named = {
      "--platform=",  "--file=",    "--tag=",     "--cache-from=",    "--cache-to=",
      "--build-arg=", "--secret=",  "--label=",   "--build-context=", "--annotation=",
      "--target=",    "--network=", "--builder=", "--metadata-file="};
  std::mt19937 random(73);
  for (int i = 0; i < 500; ++i) {
    BuildRequest asked;
    asked.dockerfile = hostile(random);
    asked.context = hostile(random);
    asked.tags = some(random);
    asked.fresh = i % 2 == 0;
    asked.cache_from = asked.cache_to = {{.reference = hostile(random), .directory = {}},
                                         {.reference = {}, .directory = hostile(random)}};
    asked.build_args = some(random);
    asked.build_contexts = some(random);
    asked.secrets = some(random);
    asked.labels = {{hostile(random), hostile(random)}};
    asked.annotations = some(random);
    asked.target = hostile(random);
    asked.network = hostile(random);
    asked.builder = hostile(random);
    asked.metadata_file = hostile(random);
    const auto argv = build_arguments(asked);
    ASSERT_EQ(argv.size(), 26U) << "no value becomes two words";
    for (std::size_t word = 0; word + 1 < argv.size(); ++word) {
      const bool ours = std::ranges::find(bare, argv[word]) != bare.end();
      const bool value = std::ranges::any_of(named, [&](const auto& name) { return argv[word].starts_with(name); });
      EXPECT_TRUE(ours || value) << quoted(argv[word]);
    }
    EXPECT_FALSE(argv.back().starts_with('-')) << quoted(argv.back());
  }
}

}  // namespace
}  // namespace crategate::docker
