// Mounts: within a registry, with the fallback that the specification gives.
#include <gtest/gtest.h>

#include "conformance/bench.h"

namespace crategate::conformance {
namespace {

using registry::BlobArrival;

Result<BlobArrival> mount(Bench& bench, const oci::Repository& from, const std::string& bytes, bool or_upload) {
  registry::BlobSource source = or_upload ? source_of(bytes) : registry::BlobSource{};
  source.mount_from = from;
  return bench.client().put_blob(bench.repository("target"), blob_descriptor(bytes), source);
}

Result<bool> is_in_target(Bench& bench, const std::string& bytes) {
  return bench.client().has_blob(bench.repository("target"), oci::Digest::of(bytes));
}

void from_another_repository(Bench& bench) {
  const std::string bytes = bench.mark("mounted");
  ASSERT_TRUE(bench.put_blob(bench.repository("source"), bytes));
  const auto arrived = mount(bench, bench.repository("source"), bytes, false);
  ASSERT_TRUE(arrived) << describe(arrived.error());
  const std::string reason = reason_against(bench.subject(), Ability::mount);
  EXPECT_EQ(*arrived, reason.empty() ? BlobArrival::mounted : BlobArrival::not_mounted) << reason;
  const auto there = is_in_target(bench, bytes);
  ASSERT_TRUE(there) << describe(there.error());
  EXPECT_EQ(*there, *arrived == BlobArrival::mounted || !bench.can(Ability::separate_blobs));
}

void or_upload(Bench& bench) {
  const std::string bytes = bench.mark("mounted or uploaded");
  ASSERT_TRUE(bench.put_blob(bench.repository("source"), bytes));
  const auto arrived = mount(bench, bench.repository("source"), bytes, true);
  ASSERT_TRUE(arrived) << describe(arrived.error());
  EXPECT_EQ(*arrived == BlobArrival::mounted, bench.can(Ability::mount));
  EXPECT_TRUE(is_in_target(bench, bytes).value_or(false));
}

void of_an_absent_blob(Bench& bench) {
  ASSERT_TRUE(bench.put_blob(bench.repository("source"), bench.mark("something")));
  const auto arrived = mount(bench, bench.repository("source"), bench.mark("never pushed"), false);
  ASSERT_TRUE(arrived) << describe(arrived.error());
  EXPECT_EQ(*arrived, BlobArrival::not_mounted);
}

void from_an_absent_repository(Bench& bench) {
  const auto arrived = mount(bench, bench.repository("never"), bench.mark("never pushed"), false);
  ASSERT_TRUE(arrived) << describe(arrived.error());
  EXPECT_EQ(*arrived, BlobArrival::not_mounted);
}

void refused_then_uploaded(Bench& bench) {
  const std::string bytes = bench.mark("uploaded after all");
  const auto arrived = mount(bench, bench.repository("never"), bytes, true);
  ASSERT_TRUE(arrived) << describe(arrived.error());
  EXPECT_EQ(*arrived, BlobArrival::uploaded);
  EXPECT_TRUE(is_in_target(bench, bytes).value_or(false));
}

}  // namespace

std::vector<Case> mount_cases() {
  return {{"MountFromAnotherRepository", from_another_repository},
          {"MountOrUpload", or_upload},
          {"MountOfAnAbsentBlob", of_an_absent_blob},
          {"MountFromAnAbsentRepository", from_an_absent_repository},
          {"MountRefusedThenUploaded", refused_then_uploaded}};
}

}  // namespace crategate::conformance
