// What a tag names: labels, indexes, and the tag list where no label says a version.
#include "stages/tag_state.h"

#include <gmock/gmock.h>

#include "oci/media_types.h"
#include "stages/release_fixture.h"

namespace crategate::stages {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

/// Counts whom it asks, and may refuse the list of tags.
class Asked final : public registry::RegistryReader {
 public:
  explicit Asked(registry::RegistryReader& inner) : inner_(inner) {}
  Result<std::optional<registry::StoredManifest>> manifest(const oci::Reference& reference) override {
    manifests.push_back(reference.familiar());
    return inner_.manifest(reference);
  }
  Result<std::optional<oci::Digest>> digest(const oci::Reference& reference) override {
    digests.push_back(reference.tag.value_or(""));
    return inner_.digest(reference);
  }
  Result<bool> has_blob(const oci::Repository& repository, const oci::Digest& digest) override {
    return inner_.has_blob(repository, digest);
  }
  Result<std::optional<std::string>> blob(const oci::Repository& repository, const oci::Digest& digest,
                                          std::size_t limit) override {
    ++blobs;
    return inner_.blob(repository, digest, limit);
  }
  Result<bool> read_blob(const oci::Repository& repository, const oci::Descriptor& blob,
                         const net::BodySink& sink) override {
    return inner_.read_blob(repository, blob, sink);
  }
  Result<std::optional<std::vector<std::string>>> tags(const oci::Repository& repository) override {
    if (refusal) return fail(*refusal);
    if (knows_no_tags) return std::nullopt;
    return inner_.tags(repository);
  }
  Result<std::vector<oci::Descriptor>> referrers(const oci::Repository& repository,
                                                 const oci::Digest& subject) override {
    return inner_.referrers(repository, subject);
  }
  std::vector<std::string> manifests, digests;
  int blobs = 0;
  bool knows_no_tags = false;
  std::optional<Error> refusal;

 private:
  registry::RegistryReader& inner_;
};

class TagStates : public sample::Release {
 protected:
  TagStates() {
    make_plan();
    prove(cell());
  }
  void tag_candidate(const std::string& name) {
    const auto stored = layout.find(candidate()).value().value();
    ASSERT_TRUE(layout.tag(concat(cell().image, ":", name), stored.descriptor));
  }
  /// An index at `name`.
  oci::Digest put_index(const std::string& name, std::vector<oci::Descriptor> children,
                        std::map<std::string, std::string> annotations = {}) {
    const oci::Index index{std::string(oci::kOciIndex), std::move(children), std::move(annotations)};
    return store.put_manifest(reference(name), index.to_json(), oci::kOciIndex).value();
  }
  oci::Descriptor child(const oci::Digest& digest) const {
    return {.media_type = std::string(oci::kOciManifest), .digest = digest, .size = 1};
  }
  oci::Reference reference(const std::string& name) const {
    return {oci::parse_repository(cell().image).value(), name, std::nullopt};
  }
  Result<std::optional<pipeline::TagState>> state(const std::string& name, pipeline::TagRank rank) {
    return tag_state(*plan, {.cell = cell().key, .repository = cell().image, .tag = name, .rank = rank}, kTarget,
                     asked);
  }
  pipeline::TagState latest() { return state("latest", pipeline::TagRank::moving).value().value(); }

  const oci::Digest kTarget = oci::Digest::of("target");
  Asked asked{store};
};

TEST_F(TagStates, HaveTheLabelsOfTheImage) {
  EXPECT_FALSE(tag_state(reference("v1.2.3"), asked).value());
  tag_candidate("v1.2.3");
  const auto state = tag_state(reference("v1.2.3"), asked).value().value();
  EXPECT_EQ(state.manifest, candidate());
  EXPECT_EQ(state.trigger, "release");
  EXPECT_EQ(state.released, "true");
  EXPECT_EQ(state.version, "v1.2.3");
}

TEST_F(TagStates, OfAnIndexAreOfUnknownOrigin) {
  put_index("v1.2.3", {});
  EXPECT_EQ(tag_state(reference("v1.2.3"), asked).value()->trigger, "");
  put_index("v1.2.3", {child(candidate())});
  const auto state = tag_state(reference("v1.2.3"), asked).value().value();
  EXPECT_EQ(state.trigger, "");
  EXPECT_EQ(state.released, "");
  EXPECT_EQ(state.version, "v1.2.3");
}

TEST_F(TagStates, OfAnIndexHaveItsAnnotationBeforeTheLabelOfItsFirstImage) {
  put_index("latest", {child(candidate())}, {{"org.opencontainers.image.version", "v7.0.0"}});
  EXPECT_EQ(latest().version, "v7.0.0");
}

TEST_F(TagStates, OfAnIndexPassOverAttestations) {
  auto attestation = child(oci::Digest::of("attestation"));
  attestation.platform = oci::Platform{.os = "unknown", .architecture = "unknown", .variant = {}};
  put_index("latest", {attestation, child(candidate())});
  EXPECT_EQ(latest().version, "v1.2.3");
}

TEST_F(TagStates, OfAnIndexWhoseImageIsGoneHaveNoVersion) {
  put_index("latest", {child(oci::Digest::of("gone"))});
  EXPECT_EQ(latest().version, "");
  EXPECT_EQ(latest().version_by, pipeline::VersionBy::label);
}

TEST_F(TagStates, WithoutALabelHaveTheHighestVersionTagAboveOurs) {
  const auto digest = put_index("latest", {});
  for (const auto* name : {"v1.2.2", "v1.4.0", "v1.10.0", "nightly"}) ASSERT_EQ(put_index(name, {}), digest);
  put_index("v1.11.0", {}, {{"other", "content"}});
  EXPECT_EQ(latest().version, "v1.10.0");
  EXPECT_EQ(latest().version_by, pipeline::VersionBy::tag);
  asked.digests.clear();
  latest();
  EXPECT_THAT(asked.digests, ::testing::ElementsAre("v1.11.0", "v1.10.0"));
}

TEST_F(TagStates, AskOnlyForVersionsAboveOurs) {
  const auto digest = put_index("latest", {});
  for (const auto* name : {"v1.2.2", "v1.2.3", "v1.2.3-rc1"}) ASSERT_EQ(put_index(name, {}), digest);
  EXPECT_EQ(latest().version, "");
  EXPECT_FALSE(latest().may_be_higher);
  EXPECT_THAT(asked.digests, IsEmpty());
}

TEST_F(TagStates, LookAtFiftyTagsAtMost) {
  const auto digest = put_index("latest", {});
  ASSERT_EQ(put_index("v2.0.0", {}), digest);
  for (int i = 1; i <= 50; ++i) put_index(concat("v2.1.", i), {}, {{"other", "content"}});
  EXPECT_EQ(latest().version, "");
  EXPECT_TRUE(latest().may_be_higher);
  asked.digests.clear();
  latest();
  EXPECT_THAT(asked.digests, SizeIs(50));
}

TEST_F(TagStates, AreUnknownWhereTheRegistryListsNoTags) {
  const auto digest = put_index("latest", {});
  ASSERT_EQ(put_index("v2.0.0", {}), digest);
  asked.knows_no_tags = true;
  EXPECT_EQ(latest().version, "");
  EXPECT_TRUE(latest().may_be_higher);
  for (const auto code : {ErrorCode::unauthenticated, ErrorCode::forbidden, ErrorCode::not_found}) {
    asked.refusal = Error{code, "the list is not for you", "", {}, {}, {}};
    EXPECT_EQ(latest().version, "");
    EXPECT_TRUE(latest().may_be_higher);
  }
  asked.refusal = Error{ErrorCode::unavailable, "the registry went away", "", {}, {}, {}};
  EXPECT_EQ(state("latest", pipeline::TagRank::moving).error().code, ErrorCode::unavailable);
}

TEST_F(TagStates, TakeTheVersionFromTheTagOfTheLastRelease) {
  const pipeline::PlannedTag tag{
      .cell = cell().key, .repository = cell().image, .tag = "latest", .rank = pipeline::TagRank::moving};
  const auto version_after = [&](const std::string& last) {
    asked.blobs = 0;
    return tag_state(*plan, tag, kTarget, asked, {last, std::nullopt}).value().value().version;
  };
  tag_candidate("latest");
  tag_candidate("v1.0.0");
  put_index("v0.9.0", {});
  EXPECT_EQ(version_after("v1.0.0"), "v1.0.0");
  EXPECT_EQ(asked.blobs, 0);
  for (const auto* other : {"v0.9.0", "v0.8.0", "not a tag", ""}) {
    EXPECT_EQ(version_after(other), "v1.2.3") << "the label of what is at latest, last release: " << other;
    EXPECT_EQ(asked.blobs, 1) << other;
  }
}

TEST_F(TagStates, HaveTheVersionOfTheImageThatTheLastReleaseLeft) {
  const pipeline::PlannedTag tag{
      .cell = cell().key, .repository = cell().image, .tag = "latest", .rank = pipeline::TagRank::moving};
  const auto state_after = [&](const oci::Digest& image) {
    asked.blobs = 0;
    asked.manifests.clear();
    return tag_state(*plan, tag, kTarget, asked, {"v1.0.0", image}).value();
  };
  EXPECT_FALSE(state_after(candidate()));
  tag_candidate("latest");
  EXPECT_EQ(state_after(candidate())->version, "v1.0.0");
  EXPECT_THAT(asked.manifests, IsEmpty());
  EXPECT_EQ(state_after(oci::Digest::of("moved by somebody else"))->version, "v1.2.3");
  EXPECT_EQ(asked.blobs, 1);
}

TEST_F(TagStates, ReadNoMoreThanTheirRuleAsksFor) {
  tag_candidate("nightly");
  EXPECT_EQ(state("nightly", pipeline::TagRank::extra).value()->manifest, candidate());
  EXPECT_THAT(asked.manifests, IsEmpty());
  EXPECT_FALSE(state("weekly", pipeline::TagRank::extra).value());
  EXPECT_FALSE(state("weekly", pipeline::TagRank::moving).value());
  const pipeline::PlannedTag tag{.cell = {}, .repository = cell().image, .tag = "nightly", .rank = {}};
  EXPECT_EQ(tag_state(*plan, tag, candidate(), asked).value()->manifest, candidate());
  EXPECT_EQ(asked.blobs, 0);
  const auto digest = put_index("v1.2.3", {});
  ASSERT_EQ(put_index("v2.0.0", {}), digest);
  asked.digests.clear();
  EXPECT_EQ(state("v1.2.3", pipeline::TagRank::version).value()->version, "");
  EXPECT_THAT(asked.digests, IsEmpty());
}

}  // namespace
}  // namespace crategate::stages
