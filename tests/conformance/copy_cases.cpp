// Copies: within a repository, a registry, between two, and to and from a layout on disk.
#include <gtest/gtest.h>

#include "base/strings.h"
#include "conformance/bench.h"
#include "registry/copy.h"
#include "stages/layout_registry.h"
#include "support/test_directory.h"

namespace crategate::conformance {
namespace {

using registry::Copied;
using registry::CopyOptions;

constexpr const char* kType = "application/vnd.example.signature.v1";

/// With referrers, but where a registry does not say what is absent: there nothing is left out in silence.
Result<Copied> copy(Bench& bench, const oci::Reference& from, const oci::Reference& to,
                    std::optional<bool> along = std::nullopt) {
  registry::HttpRegistry& client = bench.client();
  const bool with_referrers = along.value_or(bench.can(Ability::explain_absence));
  return registry::copy_image(client, from, client, client, to, CopyOptions{.with_referrers = with_referrers});
}

void expect_same(registry::RegistryReader& target, const oci::Reference& to, const Image& image) {
  const auto served = target.manifest(to);
  ASSERT_TRUE(served) << describe(served.error());
  ASSERT_TRUE(*served) << to.full();
  EXPECT_EQ((*served)->bytes, image.manifest);
  for (const std::string& bytes : {image.config, image.layers[0], image.layers[1]}) {
    const auto blob = target.blob(to.repository, oci::Digest::of(bytes), 8U << 20U);
    ASSERT_TRUE(blob) << describe(blob.error());
    EXPECT_TRUE(*blob == bytes);
  }
}

void within_a_repository(Bench& bench) {
  const Image made = make_image(bench.mark("same"));
  ASSERT_TRUE(bench.push(bench.repository(), "v1", made));
  const auto copied =
      copy(bench, Bench::by_digest(bench.repository(), made.digest()), Bench::tag(bench.repository(), "v2"));
  ASSERT_TRUE(copied) << describe(copied.error());
  EXPECT_EQ(copied->digest, made.digest());
  EXPECT_EQ(copied->uploaded + copied->mounted, 0U);
  expect_same(bench.client(), Bench::tag(bench.repository(), "v2"), made);
}

void within_a_registry(Bench& bench) {
  const Image made = make_image(bench.mark("mounted"));
  ASSERT_TRUE(bench.push(bench.repository("source"), "v1", made));
  const oci::Reference to = Bench::tag(bench.repository("target"), "v1");
  const auto copied = copy(bench, Bench::tag(bench.repository("source"), "v1"), to);
  ASSERT_TRUE(copied) << describe(copied.error());
  EXPECT_EQ(copied->mounted + copied->uploaded + copied->present, 3U);
  if (bench.can(Ability::mount)) {
    EXPECT_EQ(copied->bytes, 0U);
  }
  expect_same(bench.client(), to, made);
}

void again(Bench& bench) {
  const Image made = make_image(bench.mark("again"));
  ASSERT_TRUE(bench.push(bench.repository("source"), "v1", made));
  const oci::Reference from = Bench::tag(bench.repository("source"), "v1"),
                       to = Bench::tag(bench.repository("target"), "v1");
  ASSERT_TRUE(copy(bench, from, to));
  const auto copied = copy(bench, from, to);
  ASSERT_TRUE(copied) << describe(copied.error());
  EXPECT_EQ(copied->uploaded, 0U);
  expect_same(bench.client(), to, made);
}

void without_a_tag(Bench& bench) {
  const Image made = make_image(bench.mark("by digest"));
  ASSERT_TRUE(bench.push(bench.repository("source"), "v1", made));
  const oci::Repository target = bench.repository("target");
  const auto copied = copy(bench, Bench::tag(bench.repository("source"), "v1"), {target, std::nullopt, std::nullopt});
  ASSERT_TRUE(copied) << describe(copied.error());
  expect_same(bench.client(), Bench::by_digest(target, made.digest()), made);
  bench.leave(Bench::by_digest(target, made.digest()));
}

void of_an_index(Bench& bench) {
  const oci::Repository source = bench.repository("source"), target = bench.repository("target");
  const std::vector<Image> images{make_image(bench.mark("1"), false, "amd64"),
                                  make_image(bench.mark("2"), false, "arm64"),
                                  make_image(bench.mark("3"), false, "s390x")};
  for (const Image& each : images) ASSERT_TRUE(bench.push(source, "", each));
  const std::string bytes = index_of(images);
  ASSERT_TRUE(bench.push_manifest(source, "list", bytes, oci::kOciIndex));
  const auto copied = copy(bench, Bench::tag(source, "list"), Bench::tag(target, "list"));
  ASSERT_TRUE(copied) << describe(copied.error());
  EXPECT_EQ(copied->manifests, 4U);
  for (const Image& each : images) expect_same(bench.client(), Bench::by_digest(target, each.digest()), each);
}

void referrers(Bench& bench, bool along) {
  const oci::Repository source = bench.repository("source"), target = bench.repository("target");
  const Image image = make_image(bench.mark("signed"));
  const Image signature =
      make_artifact(bench.mark("signature"), kType, descriptor_json(image.media_type, image.manifest));
  const Image of_signature =
      make_artifact(bench.mark("of signature"), kType, descriptor_json(signature.media_type, signature.manifest));
  for (const Image& each : {image, signature, of_signature}) ASSERT_TRUE(bench.push(source, "", each));
  const auto copied = copy(bench, Bench::by_digest(source, image.digest()), Bench::tag(target, "v1"), along);
  if (!copied && !bench.can(Ability::explain_absence)) {  // who is absent cannot be told, so nothing is left out
    EXPECT_EQ(copied.error().code, ErrorCode::unavailable) << describe(copied.error());
    return;
  }
  ASSERT_TRUE(copied) << describe(copied.error());
  const auto found = bench.client().referrers(target, image.digest());
  if (!along && !bench.can(Ability::explain_absence)) return;
  ASSERT_TRUE(found) << describe(found.error());
  ASSERT_EQ(found->size(), along ? 1U : 0U);
  if (!along) return;
  EXPECT_EQ(found->front().digest, signature.digest());
  for (const Image& each : {signature, of_signature}) bench.leave(Bench::by_digest(target, each.digest()));
  const auto further = bench.client().referrers(target, signature.digest());
  ASSERT_TRUE(further) << describe(further.error());
  EXPECT_EQ(further->size(), 1U);
  const auto statement = bench.client().blob(target, oci::Digest::of(signature.layers[0]), oci::kManifestLimit);
  ASSERT_TRUE(statement) << describe(statement.error());
  EXPECT_TRUE(*statement == signature.layers[0]);
}

void with_referrers(Bench& bench) { referrers(bench, true); }
void without_referrers(Bench& bench) { referrers(bench, false); }

void of_what_is_absent(Bench& bench) {
  ASSERT_TRUE(bench.push(bench.repository("source"), "v1", make_image(bench.mark("there"))));
  const auto copied =
      copy(bench, Bench::tag(bench.repository("source"), "absent"), Bench::tag(bench.repository("target"), "v1"));
  ASSERT_FALSE(copied);
  EXPECT_EQ(copied.error().code, bench.can(Ability::explain_absence) ? ErrorCode::not_found : ErrorCode::unavailable)
      << describe(copied.error());
}

/// Between this registry and another, which is strict: both ways.
void between_registries(Bench& bench) {
  test::StrictRegistry other;
  const oci::Repository source = bench.repository("source"), elsewhere{other.host(), "there/b"};
  const Image made = make_image(bench.mark("travels"));
  ASSERT_TRUE(bench.push(source, "v1", made));
  const auto out = copy(bench, Bench::tag(source, "v1"), Bench::tag(elsewhere, "v1"));
  ASSERT_TRUE(out) << describe(out.error());
  EXPECT_EQ(out->uploaded, 3U);
  expect_same(bench.client(), Bench::tag(elsewhere, "v1"), made);
  const oci::Reference back = Bench::tag(bench.repository("back"), "v1");
  const auto in = copy(bench, Bench::tag(elsewhere, "v1"), back);
  ASSERT_TRUE(in) << describe(in.error());
  expect_same(bench.client(), back, made);
  for (const auto& logged : other.log()) EXPECT_FALSE(logged.had_authorization) << logged.target;
}

void through_a_layout(Bench& bench) {
  const test::TestDirectory directory;
  stages::LayoutRegistry disk(layout::OciLayout::open(directory / "layout").value());
  const Image made = make_image(bench.mark("to disk"));
  const oci::Reference from = Bench::tag(bench.repository("source"), "v1"),
                       back = Bench::tag(bench.repository("back"), "v1");
  const oci::Reference on_disk = Bench::tag({"layout", "a/b"}, "v1");
  const CopyOptions options{.with_referrers = bench.can(Ability::explain_absence), .may_mount = false};
  ASSERT_TRUE(bench.push(from.repository, "v1", made));
  std::size_t referrers = 0;
  for (const char* name : {"signature", "sbom"}) {
    const Image artifact = make_artifact(bench.mark(name), kType, descriptor_json(made.media_type, made.manifest));
    if (options.with_referrers && bench.push(from.repository, "", artifact)) ++referrers;
  }
  const auto out = registry::copy_image(bench.client(), from, disk, disk, on_disk, options);
  ASSERT_TRUE(out) << describe(out.error());
  expect_same(disk, on_disk, made);
  EXPECT_EQ(disk.referrers(on_disk.repository, made.digest()).value().size(), referrers);
  const auto in = registry::copy_image(disk, on_disk, bench.client(), bench.client(), back, options);
  ASSERT_TRUE(in) << describe(in.error());
  expect_same(bench.client(), back, made);
  if (referrers == 0) return;
  EXPECT_EQ(bench.client().referrers(back.repository, made.digest()).value().size(), referrers);
}

}  // namespace

std::vector<Case> copy_cases() {
  return {{"CopyWithinARepository", within_a_repository},
          {"CopyWithinARegistry", within_a_registry},
          {"CopyAgain", again},
          {"CopyWithoutATag", without_a_tag},
          {"CopyOfAnIndex", of_an_index},
          {"CopyWithReferrers", with_referrers},
          {"CopyWithoutReferrers", without_referrers},
          {"CopyOfWhatIsAbsent", of_what_is_absent},
          {"CopyBetweenRegistries", between_registries},
          {"CopyThroughALayout", through_a_layout}};
}

}  // namespace crategate::conformance
