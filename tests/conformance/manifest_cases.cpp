// Manifests of every type, by tag and by digest, present and absent, moved and refused.
#include <gtest/gtest.h>

#include "base/strings.h"
#include "conformance/bench.h"

namespace crategate::conformance {
namespace {

void expect_served(Bench& bench, const oci::Reference& reference, const std::string& bytes,
                   std::string_view media_type) {
  const auto served = bench.client().manifest(reference);
  ASSERT_TRUE(served) << describe(served.error());
  ASSERT_TRUE(*served) << reference.full();
  EXPECT_EQ((*served)->bytes, bytes);
  EXPECT_EQ((*served)->descriptor.media_type, media_type);
  EXPECT_EQ((*served)->descriptor.digest, oci::Digest::of(bytes));
  const auto digest = bench.client().digest(reference);
  ASSERT_TRUE(digest) << describe(digest.error());
  EXPECT_EQ(*digest, oci::Digest::of(bytes));
}

void image(Bench& bench, bool docker) {
  const Image made = make_image(bench.mark("image"), docker);
  const oci::Repository repository = bench.repository();
  const auto pushed = bench.push(repository, "v1", made);
  ASSERT_TRUE(pushed) << describe(pushed.error());
  EXPECT_EQ(*pushed, made.digest());
  expect_served(bench, Bench::tag(repository, "v1"), made.manifest, made.media_type);
  expect_served(bench, Bench::by_digest(repository, made.digest()), made.manifest, made.media_type);
}

void oci_image(Bench& bench) { image(bench, false); }
void docker_image(Bench& bench) { image(bench, true); }

void index(Bench& bench, bool docker) {
  const oci::Repository repository = bench.repository();
  const std::vector<Image> images{make_image(bench.mark("1"), docker, "amd64"),
                                  make_image(bench.mark("2"), docker, "arm64")};
  for (const Image& each : images) ASSERT_TRUE(bench.push(repository, "", each));
  const std::string bytes = index_of(images, docker);
  const std::string_view type = docker ? oci::kDockerManifestList : oci::kOciIndex;
  const auto pushed = bench.push_manifest(repository, "list", bytes, type);
  ASSERT_TRUE(pushed) << describe(pushed.error());
  expect_served(bench, Bench::tag(repository, "list"), bytes, type);
  expect_served(bench, Bench::by_digest(repository, *pushed), bytes, type);
  expect_served(bench, Bench::by_digest(repository, images[1].digest()), images[1].manifest, images[1].media_type);
}

void oci_index(Bench& bench) { index(bench, false); }
void docker_list(Bench& bench) { index(bench, true); }

void by_digest_alone(Bench& bench) {
  const Image made = make_image(bench.mark("untagged"));
  const auto pushed = bench.push(bench.repository(), "", made);
  ASSERT_TRUE(pushed) << describe(pushed.error());
  expect_served(bench, Bench::by_digest(bench.repository(), made.digest()), made.manifest, made.media_type);
  const auto tags = bench.client().tags(bench.repository());
  if (tags && *tags) {
    EXPECT_TRUE((*tags)->empty());
  }
}

/// What is absent is absent where the registry says so, and an error where it does not.
void expect_absent(Bench& bench, const oci::Reference& reference) {
  const auto manifest = bench.client().manifest(reference);
  const auto digest = bench.client().digest(reference);
  if (bench.can(Ability::explain_absence)) {
    ASSERT_TRUE(manifest) << describe(manifest.error());
    ASSERT_TRUE(digest) << describe(digest.error());
    EXPECT_FALSE(*manifest);
    EXPECT_FALSE(*digest);
  } else {
    ASSERT_FALSE(manifest || digest);
    EXPECT_EQ(manifest.error().code, ErrorCode::unavailable) << describe(manifest.error());
    EXPECT_EQ(digest.error().code, ErrorCode::unavailable) << describe(digest.error());
  }
}

/// B04.
void absent_tag(Bench& bench) {
  ASSERT_TRUE(bench.push(bench.repository(), "v1", make_image(bench.mark("there"))));
  expect_absent(bench, Bench::tag(bench.repository(), "v2"));
}

void absent_digest(Bench& bench) {
  ASSERT_TRUE(bench.push(bench.repository(), "v1", make_image(bench.mark("there"))));
  expect_absent(bench, Bench::by_digest(bench.repository(), oci::Digest::of(bench.mark("nothing"))));
}

void absent_repository(Bench& bench) { expect_absent(bench, Bench::tag(bench.repository("never"), "v1")); }

/// A56 where tags are immutable.
void tag_that_moves(Bench& bench) {
  const oci::Repository repository = bench.repository();
  const Image before = make_image(bench.mark("before")), after = make_image(bench.mark("after"));
  ASSERT_TRUE(bench.push(repository, "moving", before));
  const auto moved = bench.push(repository, "moving", after);
  if (!bench.can(Ability::move_tag)) {
    ASSERT_FALSE(moved);
    EXPECT_EQ(moved.error().code, ErrorCode::conflict) << describe(moved.error());
    return expect_served(bench, Bench::tag(repository, "moving"), before.manifest, before.media_type);
  }
  ASSERT_TRUE(moved) << describe(moved.error());
  expect_served(bench, Bench::tag(repository, "moving"), after.manifest, after.media_type);
  const oci::Reference old = Bench::by_digest(repository, before.digest());
  if (!bench.can(Ability::keep_untagged)) return expect_absent(bench, old);
  expect_served(bench, old, before.manifest, before.media_type);
}

void same_again(Bench& bench) {
  const Image made = make_image(bench.mark("same"));
  ASSERT_TRUE(bench.push(bench.repository(), "v1", made));
  const auto again = bench.push(bench.repository(), "v1", made);
  ASSERT_TRUE(again) << describe(again.error());
  EXPECT_EQ(*again, made.digest());
}

void another_digest_than_said(Bench& bench) {
  const Image made = make_image(bench.mark("one")), other = make_image(bench.mark("other"));
  const auto put =
      bench.client().put_manifest(Bench::by_digest(bench.repository(), other.digest()), made.manifest, made.media_type);
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().code, ErrorCode::integrity);
  if (bench.strict() != nullptr) {
    EXPECT_EQ(bench.strict()->requests(), 0);
  }
}

void without_its_blobs(Bench& bench) {
  const Image made = make_image(bench.mark("blobless"));
  const auto put = bench.push_manifest(bench.repository(), "v1", made.manifest, made.media_type);
  if (!bench.can(Ability::verify_blobs)) {
    EXPECT_TRUE(put) << reason_against(bench.subject(), Ability::verify_blobs);
    EXPECT_TRUE(bench.client().remove_manifest(Bench::tag(bench.repository(), "v1")))
        << "what is not whole stays behind";
    return;
  }
  ASSERT_FALSE(put);
  const bool explained = bench.can(Ability::explain_absence);
  EXPECT_EQ(put.error().code, explained ? ErrorCode::integrity : ErrorCode::not_found) << describe(put.error());
}

void without_its_children(Bench& bench) {
  const std::string bytes = index_of({make_image(bench.mark("1")), make_image(bench.mark("2"))});
  const auto put = bench.push_manifest(bench.repository(), "v1", bytes, oci::kOciIndex);
  if (!bench.can(Ability::verify_children)) {
    EXPECT_TRUE(put);
    return;
  }
  EXPECT_FALSE(put);
}

void that_is_none(Bench& bench) {
  for (const char* bytes : {"", "no JSON", "[]", "{}", R"({"schemaVersion":2,"manifests":[],"layers":[]})"}) {
    const auto put = bench.push_manifest(bench.repository(), "v1", bytes, oci::kOciManifest);
    EXPECT_FALSE(put) << bytes;
  }
}

void of_two_mebibytes(Bench& bench) {
  Image made = make_image(bench.mark("large"));
  made.manifest.pop_back();
  made.manifest += concat(R"(,"annotations":{"large":")", std::string(bench.large(2U << 20U), 'l'), "\"}}");
  const auto pushed = bench.push(bench.repository(), "large", made);
  ASSERT_TRUE(pushed) << describe(pushed.error());
  expect_served(bench, Bench::tag(bench.repository(), "large"), made.manifest, made.media_type);
}

/// B15.
void larger_than_four_mebibytes(Bench& bench) {
  Image made = make_image(bench.mark("huge"));
  made.manifest.pop_back();
  made.manifest += concat(R"(,"annotations":{"huge":")", std::string(4U << 20U, 'h'), "\"}}");
  const auto put = bench.push_manifest(bench.repository(), "huge", made.manifest, made.media_type);
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().code, ErrorCode::bad_input) << describe(put.error());
}

void with_every_byte_kept(Bench& bench) {
  Image made = make_image(bench.mark("bytes"));
  made.manifest.pop_back();
  made.manifest += ",\n \t \"annotations\" : {\"z\":\"\xc3\xa9\\u00e9 \\\"\",\r\n\"a\":\"\"}  }\n";
  const auto pushed = bench.push(bench.repository(), "bytes", made);
  ASSERT_TRUE(pushed) << describe(pushed.error());
  expect_served(bench, Bench::tag(bench.repository(), "bytes"), made.manifest, made.media_type);
}

void under_the_longest_tag(Bench& bench) {
  const Image made = make_image(bench.mark("tag"));
  const std::string tag = "_T.-9" + std::string(123, 'x');
  ASSERT_TRUE(bench.push(bench.repository(), tag, made));
  expect_served(bench, Bench::tag(bench.repository(), tag), made.manifest, made.media_type);
}

void in_a_deep_repository(Bench& bench) {
  const Image made = make_image(bench.mark("deep"));
  const oci::Repository repository = bench.repository("a/b-c/d_e/f.g/h__i/j--k/manifests/blobs/tags");
  ASSERT_TRUE(bench.push(repository, "v1", made));
  expect_served(bench, Bench::tag(repository, "v1"), made.manifest, made.media_type);
}

}  // namespace

std::vector<Case> manifest_cases() {
  return {{"ManifestOfAnOciImage", oci_image},
          {"ManifestOfADockerImage", docker_image},
          {"ManifestOfAnOciIndex", oci_index},
          {"ManifestOfADockerList", docker_list},
          {"ManifestByDigestAlone", by_digest_alone},
          {"ManifestAbsentByTag", absent_tag},
          {"ManifestAbsentByDigest", absent_digest},
          {"ManifestOfAbsentRepository", absent_repository},
          {"ManifestWhoseTagMoves", tag_that_moves},
          {"ManifestPushedAgain", same_again},
          {"ManifestOfAnotherDigestThanSaid", another_digest_than_said},
          {"ManifestWithoutItsBlobs", without_its_blobs},
          {"ManifestWithoutItsChildren", without_its_children},
          {"ManifestThatIsNone", that_is_none},
          {"ManifestOfTwoMebibytes", of_two_mebibytes},
          {"ManifestLargerThanFourMebibytes", larger_than_four_mebibytes},
          {"ManifestWithEveryByteKept", with_every_byte_kept},
          {"ManifestUnderTheLongestTag", under_the_longest_tag},
          {"ManifestInADeepRepository", in_a_deep_repository}};
}

}  // namespace crategate::conformance
