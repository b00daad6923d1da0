// The release set in a layout: images and index by digest, no tag.
#include "stages/release_set.h"

#include <gmock/gmock.h>

#include "oci/media_types.h"
#include "pipeline/release_set.h"
#include "stages/release_fixture.h"
#include "stages/tag_state.h"

namespace crategate::stages {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// Answers for the images' own repositories only, as a registry does that keeps them apart.
class Apart final : public registry::RegistryReader {
 public:
  explicit Apart(registry::RegistryReader& inner) : inner_(inner) {}
  Result<std::optional<registry::StoredManifest>> manifest(const oci::Reference& reference) override {
    return inner_.manifest(reference);
  }
  Result<std::optional<oci::Digest>> digest(const oci::Reference& reference) override {
    if (reference.repository.path == "me/release-set" && !there) return std::nullopt;
    return inner_.digest(reference);
  }
  Result<bool> has_blob(const oci::Repository& repository, const oci::Digest& digest) override {
    return inner_.has_blob(repository, digest);
  }
  Result<std::optional<std::string>> blob(const oci::Repository& repository, const oci::Digest& digest,
                                          std::size_t limit) override {
    return inner_.blob(repository, digest, limit);
  }
  Result<bool> read_blob(const oci::Repository& repository, const oci::Descriptor& blob,
                         const net::BodySink& sink) override {
    return inner_.read_blob(repository, blob, sink);
  }
  Result<std::optional<std::vector<std::string>>> tags(const oci::Repository& repository) override {
    return inner_.tags(repository);
  }
  Result<std::vector<oci::Descriptor>> referrers(const oci::Repository& repository,
                                                 const oci::Digest& subject) override {
    return inner_.referrers(repository, subject);
  }
  bool there = false;

 private:
  registry::RegistryReader& inner_;
};

class ReleaseSetStage : public sample::Release {
 protected:
  ReleaseSetStage() {
    make_plan();
    prove_all();
    std::map<std::string, oci::Descriptor> found;
    for (const auto& each : plan->cells) {
      const auto digest = candidate(each.key);
      found.emplace(each.key, layout.find(digest).value()->descriptor);
      images.push_back({oci::parse_repository(each.candidate).value(), std::nullopt, digest});
    }
    index = pipeline::release_set_index(*plan, found).value();
  }
  Result<oci::Digest> stage() { return stage_release_set(set, images, index, apart, writer); }

  oci::Repository set = oci::parse_repository("me/release-set").value();
  std::vector<oci::Reference> images;
  std::string index;
  Apart apart{reader};
};

TEST_F(ReleaseSetStage, BringsEveryImageAndThenTheIndexAndNoTag) {
  const auto digest = stage();
  ASSERT_TRUE(digest) << describe(digest.error());
  EXPECT_EQ(*digest, oci::Digest::of(index));
  ASSERT_THAT(writer.manifests, SizeIs(plan->cells.size() + 1));
  EXPECT_EQ(writer.manifests.back(), "me/release-set@" + digest->text());
  EXPECT_THAT(writer.mounts, SizeIs(plan->cells.size()));
  EXPECT_THAT(tags(), IsEmpty());
  const auto stored = store.manifest({set, std::nullopt, *digest}).value().value();
  EXPECT_EQ(stored.bytes, index);
}

TEST_F(ReleaseSetStage, LeavesAloneWhatIsThere) {
  ASSERT_TRUE(stage());
  writer.manifests.clear();
  apart.there = true;
  EXPECT_EQ(stage().value(), oci::Digest::of(index));
  EXPECT_THAT(writer.manifests, IsEmpty());
}

TEST_F(ReleaseSetStage, BringsNothingIntoTheRepositoryThatHasIt) {
  set = images.front().repository;
  images.resize(1);
  ASSERT_TRUE(stage());
  EXPECT_THAT(writer.manifests, SizeIs(1));
}

TEST_F(ReleaseSetStage, FailsWhereAnImageIsMissing) {
  images.front().digest = oci::Digest::of("gone");
  EXPECT_EQ(stage().error().code, ErrorCode::not_found);
  EXPECT_THAT(writer.manifests, ::testing::Not(::testing::Contains(HasSubstr(oci::Digest::of(index).text()))));
}

TEST_F(ReleaseSetStage, TrustsNoRegistryThatServesSomethingElse) {
  apart.there = false;
  images.clear();
  writer.serves = oci::Digest::of("something else");
  EXPECT_EQ(stage().error().code, ErrorCode::integrity);
}

TEST_F(ReleaseSetStage, SaysItsVersionToTheRulesOfTags) {
  ASSERT_TRUE(store.put_manifest({set, "latest", std::nullopt}, index, oci::kOciIndex));
  EXPECT_EQ(tag_state({set, "latest", std::nullopt}, reader).value()->version, "v1.2.3");
}

}  // namespace
}  // namespace crategate::stages
