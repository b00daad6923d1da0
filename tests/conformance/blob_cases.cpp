// Blobs: what is pushed is what is pulled, and nothing else gets in.
#include <gtest/gtest.h>

#include "base/strings.h"
#include "conformance/bench.h"

namespace crategate::conformance {
namespace {

std::string bytes_of(std::size_t size, const std::string& mark) {
  std::string bytes = mark;
  bytes.resize(size, 'x');
  for (std::size_t i = mark.size(); i < size; i += 97) bytes[i] = static_cast<char>('a' + i % 26);
  return bytes;
}

/// The bytes of a streamed download; nullopt = absent.
Result<std::optional<std::string>> pull(Bench& bench, const oci::Repository& from, const oci::Descriptor& blob) {
  std::string seen;
  CG_TRY(const bool there, bench.client().read_blob(from, blob, [&seen](std::string_view piece) -> Result<void> {
    seen += piece;
    return {};
  }));
  if (!there && !seen.empty()) ADD_FAILURE() << "the sink saw bytes of a blob that is absent";
  if (!there) return std::nullopt;
  return seen;
}

void round_trip(Bench& bench, std::size_t size) {
  const oci::Repository repository = bench.repository();
  const std::string bytes = size < 100 ? std::string(size, 'b') : bytes_of(size, bench.mark("blob"));
  const auto pushed = bench.put_blob(repository, bytes);
  ASSERT_TRUE(pushed) << describe(pushed.error());
  const oci::Descriptor blob = blob_descriptor(bytes);
  const auto there = bench.client().has_blob(repository, blob.digest);
  ASSERT_TRUE(there) << describe(there.error());
  EXPECT_TRUE(*there);
  const auto streamed = pull(bench, repository, blob);
  ASSERT_TRUE(streamed) << describe(streamed.error());
  EXPECT_TRUE(*streamed == bytes) << "other bytes";
  const auto whole = bench.client().blob(repository, blob.digest, 8U << 20U);
  ASSERT_TRUE(whole) << describe(whole.error());
  EXPECT_TRUE(*whole == bytes) << "other bytes";
}

void empty_blob(Bench& bench) { round_trip(bench, 0); }
void one_byte(Bench& bench) { round_trip(bench, 1); }
void below_a_block(Bench& bench) { round_trip(bench, (64U << 10U) - 1); }
void a_block(Bench& bench) { round_trip(bench, 64U << 10U); }
void above_a_block(Bench& bench) { round_trip(bench, (64U << 10U) + 1); }

void five_mebibytes(Bench& bench) {
  if (bench.can(Ability::accept_large)) return round_trip(bench, bench.large(5U << 20U));
  const std::string bytes = bytes_of(5U << 20U, bench.mark("large"));
  const auto pushed = bench.put_blob(bench.repository(), bytes);
  // 413 to the whole: in chunks, or an error that says so.
  if (pushed) {
    EXPECT_TRUE(bench.client().has_blob(bench.repository(), oci::Digest::of(bytes)).value_or(false));
  } else {
    EXPECT_EQ(pushed.error().code, ErrorCode::bad_input) << describe(pushed.error());
    EXPECT_EQ(pushed.error().http.value().status, 413);
  }
}

void present_is_not_sent_again(Bench& bench) {
  const std::string bytes = bytes_of(1000, bench.mark("twice"));
  ASSERT_TRUE(bench.put_blob(bench.repository(), bytes));
  int opened = 0;
  const registry::BlobSource source{.open = [&](std::uint64_t offset) {
    ++opened;
    return source_of(bytes).open(offset);
  }};
  const auto again = bench.client().put_blob(bench.repository(), blob_descriptor(bytes), source);
  ASSERT_TRUE(again) << describe(again.error());
  EXPECT_EQ(*again, registry::BlobArrival::present);
  EXPECT_EQ(opened, 0);
}

void absent(Bench& bench) {
  ASSERT_TRUE(bench.put_blob(bench.repository(), bytes_of(10, bench.mark("")))) << "so that the repository is known";
  const oci::Descriptor blob = blob_descriptor(bench.mark("never pushed"));
  const auto there = bench.client().has_blob(bench.repository(), blob.digest);
  ASSERT_TRUE(there) << describe(there.error());
  EXPECT_FALSE(*there);
  const auto streamed = pull(bench, bench.repository(), blob);
  const auto whole = bench.client().blob(bench.repository(), blob.digest, oci::kManifestLimit);
  if (bench.can(Ability::explain_absence)) {
    ASSERT_TRUE(streamed && whole) << describe(streamed ? whole.error() : streamed.error());
    EXPECT_FALSE(*streamed);
    EXPECT_FALSE(*whole);
  } else {
    EXPECT_EQ(streamed.error().code, ErrorCode::unavailable);
    EXPECT_EQ(whole.error().code, ErrorCode::unavailable);
  }
}

void absent_repository(Bench& bench) {
  const auto whole =
      bench.client().blob(bench.repository("never"), oci::Digest::of(bench.mark("nothing")), oci::kManifestLimit);
  if (bench.can(Ability::explain_absence)) {
    ASSERT_TRUE(whole) << describe(whole.error());
    EXPECT_FALSE(*whole);
  } else {
    EXPECT_EQ(whole.error().code, ErrorCode::unavailable);
  }
}

void expect_nothing(Bench& bench, const oci::Digest& digest) {
  const auto there = bench.client().has_blob(bench.repository(), digest);
  ASSERT_TRUE(there) << describe(there.error());
  EXPECT_FALSE(*there);
}

void wrong_digest(Bench& bench) {
  const std::string bytes = bytes_of(1000, bench.mark("right")), other = bytes_of(1000, bench.mark("wrong"));
  const auto pushed = bench.client().put_blob(bench.repository(), blob_descriptor(bytes), source_of(other));
  ASSERT_FALSE(pushed);
  const bool explained = bench.can(Ability::explain_absence);
  EXPECT_EQ(pushed.error().code, explained ? ErrorCode::integrity : ErrorCode::bad_input) << describe(pushed.error());
  expect_nothing(bench, oci::Digest::of(bytes));
}

void shorter_than_announced(Bench& bench) {
  const std::string bytes = bytes_of(1000, bench.mark("short"));
  EXPECT_FALSE(bench.client().put_blob(bench.repository(), blob_descriptor(bytes), source_of(bytes.substr(0, 999))));
  expect_nothing(bench, oci::Digest::of(bytes));
}

void longer_than_announced(Bench& bench) {
  const std::string bytes = bytes_of(1000, bench.mark("long"));
  oci::Descriptor blob = blob_descriptor(bytes);
  blob.size = 999;
  EXPECT_FALSE(bench.client().put_blob(bench.repository(), blob, source_of(bytes)));
  expect_nothing(bench, blob.digest);
}

void source_that_fails(Bench& bench) {
  const registry::BlobSource source{.open = [](std::uint64_t) -> Result<net::BodySource> {
    return net::BodySource([]() -> Result<std::string> { return fail(ErrorCode::no_space, "the disk is gone"); });
  }};
  const auto pushed = bench.client().put_blob(bench.repository(), blob_descriptor(bench.mark("unreadable")), source);
  ASSERT_FALSE(pushed);
  EXPECT_EQ(pushed.error().code, ErrorCode::no_space) << describe(pushed.error());
}

void sink_that_fails(Bench& bench) {
  const std::string bytes = bytes_of(1000, bench.mark("unwritable"));
  ASSERT_TRUE(bench.put_blob(bench.repository(), bytes));
  const auto read = bench.client().read_blob(bench.repository(), blob_descriptor(bytes), [](std::string_view) {
    return fail(ErrorCode::no_space, "the disk is full");
  });
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::no_space) << describe(read.error());
}

void larger_than_the_limit(Bench& bench) {
  const std::string bytes = bytes_of(100000, bench.mark("limit"));
  ASSERT_TRUE(bench.put_blob(bench.repository(), bytes));
  const auto read = bench.client().blob(bench.repository(), oci::Digest::of(bytes), 99999);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::integrity) << describe(read.error());
}

void other_size_than_described(Bench& bench) {
  const std::string bytes = bytes_of(1000, bench.mark("size"));
  ASSERT_TRUE(bench.put_blob(bench.repository(), bytes));
  for (const std::uint64_t size : {999U, 1001U}) {
    oci::Descriptor blob = blob_descriptor(bytes);
    blob.size = size;
    const auto read = pull(bench, bench.repository(), blob);
    ASSERT_FALSE(read) << size;
    EXPECT_EQ(read.error().code, ErrorCode::integrity) << describe(read.error());
  }
}

}  // namespace

std::vector<Case> blob_cases() {
  return {{"BlobOfNoByte", empty_blob},
          {"BlobOfOneByte", one_byte},
          {"BlobBelowABlock", below_a_block},
          {"BlobOfABlock", a_block},
          {"BlobAboveABlock", above_a_block},
          {"BlobOfFiveMebibytes", five_mebibytes},
          {"BlobPresentIsNotSentAgain", present_is_not_sent_again},
          {"BlobAbsent", absent},
          {"BlobOfAbsentRepository", absent_repository},
          {"BlobOfAnotherDigestIsRefused", wrong_digest},
          {"BlobShorterThanAnnounced", shorter_than_announced},
          {"BlobLongerThanAnnounced", longer_than_announced},
          {"BlobWhoseSourceFails", source_that_fails},
          {"BlobWhoseSinkFails", sink_that_fails},
          {"BlobLargerThanTheLimit", larger_than_the_limit},
          {"BlobOfAnotherSizeThanDescribed", other_size_than_described}};
}

}  // namespace crategate::conformance
