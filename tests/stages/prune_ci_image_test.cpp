// ci-image prune: which tags of a registry and of a package go, and which stay.
#include "stages/prune_ci_image.h"

#include <gmock/gmock.h>

#include "base/strings.h"
#include "layout/image_store.h"
#include "oci/media_types.h"
#include "stages/layout_registry.h"
#include "stages/watched_reader.h"
#include "support/test_directory.h"
#include "support/test_image.h"

namespace crategate::stages {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

/// 9 is open, 8 is known to nobody; all others were closed.
class PruneCiImage : public ::testing::Test {
 protected:
  PruneCiImage() {
    test::TestImage image;
    image.layers.clear();
    for (const std::string tag : {"latest", "pr-7", "pr-12", "pr-9", "pr-007", "pr-x", "buildcache", "pr-8"})
      EXPECT_TRUE(registry.put_manifest({repository, tag, std::nullopt}, image.manifest(), oci::kOciManifest));
  }
  Result<Pruned> prune(bool remove) { return prune(place, remove); }
  Result<Pruned> prune(TagPlace& from, bool remove) const {
    return prune_ci_image(from, remove, [this](std::int64_t number) -> Result<bool> {
      if (number == 8) return fail(eight, "no", "ask somebody");
      return number != 9;
    });
  }
  std::vector<std::string> tags() { return registry.tags(repository).value().value(); }
  oci::Repository repository = oci::parse_repository("ghcr.io/o/r/ci").value();
  ErrorCode eight = ErrorCode::not_found;
  test::TestDirectory directory;
  LayoutRegistry registry{layout::OciLayout::open(directory / "registry").value()};
  RegistryTags place{repository, registry, registry};
};

TEST_F(PruneCiImage, RemovesTagsOfClosedPullRequestsOnly) {
  const auto all = tags();
  const auto listed = prune(false);
  ASSERT_TRUE(listed) << describe(listed.error());
  EXPECT_THAT(listed->removed, ElementsAre("pr-7", "pr-12"));
  EXPECT_THAT(listed->open, ElementsAre("pr-9"));
  EXPECT_THAT(listed->unknown, ElementsAre("pr-8"));
  EXPECT_EQ(tags(), all) << "nothing is removed unasked";
  EXPECT_THAT(prune(true)->removed, ElementsAre("pr-7", "pr-12"));
  EXPECT_THAT(tags(), UnorderedElementsAre("latest", "pr-9", "pr-007", "pr-x", "buildcache", "pr-8"));
}

/// GitHub says 404 of what a token may not see, too.
TEST_F(PruneCiImage, SaysWhatIsMissingWhereGitHubKnowsNone) {
  EXPECT_EQ(prune(false)->hint, "") << "one of several may have been deleted";
  const auto none = prune_ci_image(place, true, [](std::int64_t) -> Result<bool> {
    return fail(ErrorCode::not_found, "no", "add `permissions: pull-requests: read`");
  });
  EXPECT_EQ(none->hint, "add `permissions: pull-requests: read`");
  EXPECT_THAT(none->unknown, ElementsAre("pr-7", "pr-8", "pr-9", "pr-12"));
}

TEST_F(PruneCiImage, RemovesNothingWhereGitHubDoesNotAnswer) {
  eight = ErrorCode::rate_limited;
  const auto all = tags();
  EXPECT_EQ(prune(true).error().code, ErrorCode::rate_limited);
  EXPECT_EQ(tags(), all);
}

/// A registry's 404 to somebody without a login is no empty repository.
TEST_F(PruneCiImage, IsRefusedWhereTheTagsAreShownToNobodyWithoutALogin) {
  LayoutRegistry none{layout::OciLayout::open(directory / "none").value()};
  sample::WatchedReader reader(none);
  RegistryTags from{oci::parse_repository("docker.io/o/ci").value(), reader, none};
  EXPECT_TRUE(prune(from, false)) << "with a login there is no such repository yet";
  reader.anonymous = true;
  const auto refused = prune(from, true);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::not_found);
  EXPECT_THAT(refused.error().message, HasSubstr("without a login"));
  EXPECT_THAT(refused.error().hint, HasSubstr("docker login"));
}

class FakePackages final : public github::PackageClient {
 public:
  Result<std::optional<github::ContainerPackage>> container_package(const oci::Repository&) override {
    return github::ContainerPackage{"o", "r/ci", true};
  }
  Result<std::vector<github::PackageVersion>> package_versions(const github::ContainerPackage&) override {
    return versions;
  }
  Result<std::optional<github::PackageVersion>> package_version(const github::ContainerPackage&,
                                                                std::int64_t id) override {
    if (before_reading) before_reading();
    for (const auto& version : versions)
      if (version.id == id) return version;
    return std::nullopt;
  }
  Result<void> delete_package_version(const github::ContainerPackage&, std::int64_t id) override {
    if (id == refused) return fail(ErrorCode::forbidden, "refused on purpose");
    std::erase_if(versions, [id](const auto& version) { return version.id == id; });
    return {};
  }
  std::vector<std::int64_t> ids() const {
    std::vector<std::int64_t> all;
    for (const auto& version : versions) all.push_back(version.id);
    return all;
  }
  std::vector<github::PackageVersion> versions{{1, "", {"latest"}},         {2, "", {"pr-7", "latest-before"}},
                                               {3, "", {"pr-9", "pr-10"}},  {4, "", {}},
                                               {5, "", {"pr-11", "pr-12"}}, {6, "", {"pr-13"}}};
  std::int64_t refused = 0;
  std::function<void()> before_reading;
};

class PrunePackage : public PruneCiImage {
 protected:
  Result<Pruned> prune(bool remove) {
    PackageTags tags_of{{"o", "r/ci", true}, packages};
    return PruneCiImage::prune(tags_of, remove);
  }
  FakePackages packages;
};

TEST_F(PrunePackage, DeletesAVersionOnlyWithAllItsTags) {
  const auto listed = prune(false);
  ASSERT_TRUE(listed) << describe(listed.error());
  EXPECT_THAT(listed->removed, ElementsAre("pr-11", "pr-12", "pr-13"));
  EXPECT_THAT(packages.ids(), ElementsAre(1, 2, 3, 4, 5, 6));
  const auto pruned = prune(true);
  ASSERT_TRUE(pruned) << describe(pruned.error());
  EXPECT_EQ(pruned->removed, listed->removed);
  ASSERT_EQ(pruned->kept.size(), 2U);
  EXPECT_EQ(pruned->kept[0].tag, "pr-7");
  EXPECT_THAT(pruned->kept[0].reason, EndsWith("latest-before"));
  EXPECT_EQ(pruned->kept[1].tag, "pr-10");
  EXPECT_THAT(pruned->kept[1].reason, EndsWith("pr-9"));
  EXPECT_THAT(packages.ids(), ElementsAre(1, 2, 3, 4));
}

TEST_F(PrunePackage, ReadsAVersionOnceMoreBeforeItGoes) {
  packages.before_reading = [this] { packages.versions.back().tags = {"pr-13", "latest"}; };
  auto pruned = prune(true);
  ASSERT_TRUE(pruned) << describe(pruned.error());
  EXPECT_THAT(packages.ids(), ElementsAre(1, 2, 3, 4, 6));
  EXPECT_EQ(pruned->kept.back().tag, "pr-13");
  packages.versions = {{1, "", {"pr-1"}}};
  packages.before_reading = [this] { packages.versions[0].tags = {}; };
  pruned = prune(true);
  EXPECT_THAT(pruned->kept.at(0).reason, EndsWith("another image by now"));
  EXPECT_THAT(packages.ids(), ElementsAre(1));
}

TEST_F(PrunePackage, SaysWhatWasRemovedBeforeAFailure) {
  packages.refused = 6;
  const auto failed = prune(true);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::forbidden);
  EXPECT_THAT(failed.error().message, EndsWith("removed before: pr-11, pr-12"));
  packages.versions = {{6, "", {"pr-13"}}};
  EXPECT_THAT(prune(true).error().message, EndsWith("no tag was removed"));
  packages.versions = {};
  EXPECT_THAT(prune(true)->removed, IsEmpty());
}

}  // namespace
}  // namespace crategate::stages
