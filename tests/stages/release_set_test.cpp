// The release set in a layout: images and index by digest, no tag.
#include <gmock/gmock.h>

#include "oci/media_types.h"
#include "pipeline/release_set.h"
#include "stages/release_fixture.h"
#include "stages/staging.h"
#include "stages/tag_state.h"

namespace crategate::stages {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const std::string kSet = "me/release-set";

/// Answers for the images' own repositories only, as a registry does that keeps them apart.
class Apart final : public sample::WatchedReader {
 public:
  using WatchedReader::WatchedReader;
  Result<std::optional<oci::Digest>> digest(const oci::Reference& reference) override {
    if (reference.repository.path == kSet && !there) return std::nullopt;
    return WatchedReader::digest(reference);
  }
  bool there = false;
};

class ReleaseSetStage : public sample::Release {
 protected:
  ReleaseSetStage() {
    make_plan();
    prove_all();
    std::map<std::string, oci::Descriptor> found;
    auto& copies = publication.changes.copies;
    for (const auto& each : plan->cells) {
      const auto digest = candidate(each.key);
      found.emplace(each.key, layout.find(digest).value()->descriptor);
      copies.push_back({each.key, each.candidate, kSet, digest});
    }
    publication.release_set = pipeline::release_set_index(*plan, found).value();
    copies.push_back({"", "", kSet, index()});
  }
  oci::Digest index() const { return oci::Digest::of(publication.release_set); }
  Result<void> stage() { return stage_images(publication, apart, apart, writer); }

  oci::Repository set = oci::parse_repository(kSet).value();
  Publication publication;
  Apart apart{reader};
};

TEST_F(ReleaseSetStage, BringsEveryImageAndThenTheIndexAndNoTag) {
  const auto staged = stage();
  ASSERT_TRUE(staged) << describe(staged.error());
  ASSERT_THAT(writer.manifests, SizeIs(plan->cells.size() + 1));
  EXPECT_EQ(writer.manifests.back(), "me/release-set@" + index().text());
  EXPECT_THAT(writer.mounts, SizeIs(plan->cells.size()));
  EXPECT_THAT(tags(), IsEmpty());
  const auto stored = store.manifest({set, std::nullopt, index()}).value().value();
  EXPECT_EQ(stored.bytes, publication.release_set);
}

TEST_F(ReleaseSetStage, LeavesAloneWhatIsThere) {
  ASSERT_TRUE(stage());
  writer.manifests.clear();
  apart.there = true;
  writer.has_all = true;
  EXPECT_TRUE(stage());
  EXPECT_THAT(writer.manifests, IsEmpty());
}

TEST_F(ReleaseSetStage, FailsWhereAnImageIsMissing) {
  publication.changes.copies.front().digest = oci::Digest::of("gone");
  EXPECT_EQ(stage().error().code, ErrorCode::not_found);
  EXPECT_THAT(writer.manifests, ::testing::Not(::testing::Contains(HasSubstr(index().text()))));
}

TEST_F(ReleaseSetStage, TrustsNoRegistryThatServesSomethingElse) {
  auto& copies = publication.changes.copies;
  copies.erase(copies.begin(), copies.end() - 1);
  writer.serves = oci::Digest::of("something else");
  EXPECT_EQ(stage().error().code, ErrorCode::integrity);
}

TEST_F(ReleaseSetStage, SaysItsVersionToTheRulesOfTags) {
  ASSERT_TRUE(store.put_manifest({set, "latest", std::nullopt}, publication.release_set, oci::kOciIndex));
  EXPECT_EQ(tag_state({set, "latest", std::nullopt}, reader).value()->version, "v1.2.3");
}

}  // namespace
}  // namespace crategate::stages
