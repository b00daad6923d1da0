#include "layout/gzip.h"

#include <gtest/gtest.h>

#include "layout/tar_reader.h"
#include "support/test_directory.h"
#include "unit/layout/archives.h"

namespace crategate::layout {
namespace {

TEST(GzipStream, HasNoTimeNoNameAndNoSystem) {
  const std::string bytes = test::gzip("content");
  EXPECT_EQ(bytes.substr(0, 10), std::string("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff", 10));
}

TEST(GzipStream, GivesTheSameBytesHoweverTheContentIsCut) {
  std::string content;
  for (unsigned i = 0; i < 200'000; ++i) content += static_cast<char>((i * i >> 3U) & 0x7fU);
  const std::string expected = test::gzip(content);
  for (const std::size_t piece : {std::size_t{1000}, std::size_t{65'537}}) {
    std::string out;
    const auto sink = [&out](std::string_view chunk) -> Result<void> {
      out += chunk;
      return {};
    };
    GzipStream stream;
    for (std::size_t at = 0; at < content.size(); at += piece) {
      ASSERT_TRUE(stream.write(std::string_view(content).substr(at, piece), sink));
    }
    ASSERT_TRUE(stream.finish(sink));
    EXPECT_EQ(out, expected) << piece;
  }
}

TEST(UncompressedDigest, IsThatOfTheContent) {
  const test::TestDirectory directory;
  const std::string content(1'000'000, 'x');
  directory.write("layer", test::gzip(content));
  EXPECT_EQ(uncompressed_digest(directory / "layer").value(), oci::Digest::of(content));
}

TEST(UncompressedDigest, RefusesWhatIsCutOrDamaged) {
  const test::TestDirectory directory;
  std::string bytes = test::gzip("some content that is compressed");
  directory.write("cut", bytes.substr(0, bytes.size() / 2));
  directory.write("damaged", bytes.substr(0, 10) + std::string(40, '\xff'));
  EXPECT_EQ(uncompressed_digest(directory / "cut").error().code, ErrorCode::integrity);
  EXPECT_EQ(uncompressed_digest(directory / "damaged").error().code, ErrorCode::integrity);
  EXPECT_FALSE(uncompressed_digest(directory / "absent"));
}

}  // namespace
}  // namespace crategate::layout
