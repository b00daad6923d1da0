// What was cut goes on where it was, where the registry can that (B14); else it begins anew.
#include <gtest/gtest.h>

#include "base/strings.h"
#include "registry/client.h"
#include "support/fakes.h"
#include "support/strict_registry.h"

namespace crategate::registry {
namespace {

using test::RegistryFault;
using test::RegistryQuirk;
using test::RequestKind;

struct Transfer {
  explicit Transfer(std::set<RegistryQuirk> quirks = {})
      : strict([&] {
          test::StrictRegistry::Options options;
          options.auth = test::RegistryAuth::token;
          options.rules.quirks = std::move(quirks);
          options.clock = &clock;
          return options;
        }()),
        client(
            http, clock,
            [](const std::string&) -> Result<std::optional<Credentials>> {
              return Credentials{test::kWriter, Secret(test::kWriterPassword)};
            },
            RegistryOptions{}) {
    for (std::size_t i = 0; i < bytes.size(); i += 1000) bytes[i] = static_cast<char>('a' + i / 1000 % 26);
  }
  oci::Repository repository() const { return {strict.host(), "a/b"}; }
  oci::Descriptor blob() const { return {"a/b", oci::Digest::of(bytes), bytes.size(), {}, std::nullopt}; }

  void upload_with(RequestKind kind, RegistryFault::Kind fault) {
    strict.inject(kind, {.kind = fault});
    const BlobSource source{.open = [this](std::uint64_t offset) -> Result<net::BodySource> {
      opened.push_back(offset);
      return [this, offset]() mutable -> Result<std::string> {
        std::string piece = bytes.substr(std::min<std::size_t>(offset, bytes.size()), 50000);
        offset += piece.size();
        return piece;
      };
    }};
    const auto arrived = client.put_blob(repository(), blob(), source);
    ASSERT_TRUE(arrived) << describe(arrived.error());
    EXPECT_EQ(*arrived, BlobArrival::uploaded);
    EXPECT_TRUE(strict.content().at("a/b").blobs.contains(blob().digest.text()));
  }

  void download_with(RegistryFault::Kind fault) {
    strict.add_blob("a/b", bytes);
    strict.inject(RequestKind::blob_get, {.kind = fault});
    std::string seen;
    const auto read = client.read_blob(repository(), blob(), [&seen](std::string_view piece) -> Result<void> {
      seen += piece;
      return {};
    });
    ASSERT_TRUE(read) << describe(read.error());
    EXPECT_TRUE(seen == bytes) << "each byte once, in order";
  }
  int partial_answers() const {
    int count = 0;
    for (const auto& logged : strict.log()) count += logged.status == 206 ? 1 : 0;
    return count;
  }

  test::FakeClock clock;
  std::string bytes = std::string(400000, 'x');
  std::vector<std::uint64_t> opened;
  test::StrictRegistry strict;
  net::PosixHttpClient http;
  HttpRegistry client;
};

TEST(RegistryResume, OfAnUploadSendsTheRestOnly) {
  Transfer transfer;
  transfer.upload_with(RequestKind::upload_end, RegistryFault::Kind::cut);
  EXPECT_EQ(transfer.opened, (std::vector<std::uint64_t>{0, 200000}));
  EXPECT_EQ(transfer.strict.count(RequestKind::upload_start), 1);
}

TEST(RegistryResume, OfAnUploadWhoseStateIsUnknownBeginsAnew) {
  Transfer transfer({RegistryQuirk::no_resume});
  transfer.upload_with(RequestKind::upload_end, RegistryFault::Kind::cut);
  EXPECT_EQ(transfer.opened, (std::vector<std::uint64_t>{0, 0}));
  EXPECT_EQ(transfer.strict.count(RequestKind::upload_start), 2);
}

TEST(RegistryResume, OfAnUploadThatArrivedSendsNothing) {
  Transfer transfer;
  transfer.upload_with(RequestKind::upload_end, RegistryFault::Kind::reset_after);
  EXPECT_EQ(transfer.opened, (std::vector<std::uint64_t>{0}));
}

TEST(RegistryResume, OfAnUploadOnAnotherHostCarriesNoLogin) {
  Transfer transfer({RegistryQuirk::uploads_elsewhere});
  transfer.upload_with(RequestKind::upload_end, RegistryFault::Kind::cut);
  EXPECT_EQ(transfer.opened, (std::vector<std::uint64_t>{0, 200000}));
}

TEST(RegistryResume, OfADownloadAsksForTheRestOnly) {
  Transfer transfer;
  transfer.download_with(RegistryFault::Kind::truncated);
  EXPECT_EQ(transfer.partial_answers(), 1);
}

TEST(RegistryResume, OfADownloadFromAnotherHostAsksForTheRestOnly) {
  Transfer transfer({RegistryQuirk::blobs_elsewhere});
  transfer.download_with(RegistryFault::Kind::slow);
  EXPECT_EQ(transfer.partial_answers(), 0);
}

TEST(RegistryResume, OfADownloadWithoutRangesLeavesOutWhatItHas) {
  Transfer transfer({RegistryQuirk::no_ranges});
  transfer.download_with(RegistryFault::Kind::truncated);
  EXPECT_EQ(transfer.partial_answers(), 0);
  EXPECT_EQ(transfer.strict.count(RequestKind::blob_get), 1 + 2) << "the challenge, the cut one, the whole one";
}

}  // namespace
}  // namespace crategate::registry
