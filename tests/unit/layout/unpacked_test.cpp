// One level of compression, read as it comes.
#include "layout/unpacked.h"

#include <gmock/gmock.h>

#include "base/strings.h"
#include "support/peak_memory.h"
#include "unit/layout/archives.h"

namespace crategate::layout {
namespace {

using test::drain;
using test::gzip;
using test::source_of;
using testing::HasSubstr;

std::string content(std::size_t size) {
  std::string text;
  for (std::uint32_t i = 0; text.size() < size; ++i) text += concat(i * 2654435761U, "\n");
  return text.substr(0, size);
}

std::string unpack(const std::string& bytes, std::size_t piece = 1000, Growth growth = {}) {
  return drain(unpacked(source_of(bytes, piece), compression_of(bytes), growth));
}

TEST(Unpacked, IsTheContentHoweverTheSourceIsCut) {
  const std::string whole = content(1'000'000);
  for (const std::string& packed : {gzip(whole), test::zstd(whole), whole}) {
    for (const std::size_t piece : {std::size_t{1}, std::size_t{777}, std::size_t{1} << 22U}) {
      if (piece == 1 && packed.size() == whole.size()) continue;
      EXPECT_TRUE(unpack(packed, piece) == whole) << piece;
    }
  }
}

TEST(Unpacked, TakesSeveralMembersForOneStream) {
  EXPECT_EQ(unpack(gzip("one ") + gzip("") + gzip("two")), "one two");
  EXPECT_EQ(unpack(test::zstd("one ") + test::zstd("two")), "one two");
  // A frame that is to be skipped.
  EXPECT_EQ(unpack(test::zstd("one") + std::string("\x50\x2a\x4d\x18\x02\0\0\0xx", 10)), "one");
}

TEST(Unpacked, UnpacksOnce) { EXPECT_EQ(unpack(gzip(gzip("x"))), gzip("x")); }

TEST(Unpacked, A65RefusesWhatIsDamagedCutOrFollowedByOtherBytes) {
  const std::string text = content(5000), zipped = gzip(text), frame = test::zstd(text);
  const struct {
    const char* name;
    std::string bytes;
    const char* message;
  } rows[] = {
      {"cut header", zipped.substr(0, 5), "cut short"},
      {"cut content", zipped.substr(0, zipped.size() / 2), "cut short"},
      {"cut trailer", zipped.substr(0, zipped.size() - 1), "cut short"},
      {"wrong checksum",
       std::string(zipped).replace(zipped.size() - 8, 1, 1, static_cast<char>(~zipped[zipped.size() - 8])),
       "incorrect data check"},
      {"wrong length", std::string(zipped).replace(zipped.size() - 1, 1, "\x7f"), "incorrect length check"},
      {"bytes behind", zipped + "evil", "other bytes follow"},
      {"zeros behind", zipped + std::string(512, '\0'), "other bytes follow"},
      {"half a member behind", zipped + zipped.substr(0, 30), "cut short"},
      {"zstd, cut", frame.substr(0, frame.size() / 2), "cut short"},
      {"zstd, cut at its last byte", frame.substr(0, frame.size() - 1), "cut short"},
      {"zstd, bytes behind", frame + "evil", "other bytes follow"},
      {"zstd, damaged", frame.substr(0, 8) + std::string(100, '\xff'), "zstd: "},
      {"zstd, window of 2 GiB", std::string("\x28\xb5\x2f\xfd\x00\xa8", 6) + std::string(100, '\0'), "zstd: "},
  };
  for (const auto& row : rows) EXPECT_THAT(unpack(row.bytes), HasSubstr(row.message)) << row.name;
}

TEST(Unpacked, A65EndsABombInProportionToItsSize) {
  const std::string zeros(1U << 20U, '\0');
  constexpr Growth kSmall{.factor = 10, .beyond = 4U << 20U};
  const std::string bomb = gzip(zeros);
  std::string many, frames;
  for (int i = 0; i < 20; ++i) many += bomb;
  for (int i = 0; i < 20; ++i) frames += test::zstd(zeros);
  EXPECT_EQ(unpack(bomb, 1000, kSmall).size(), zeros.size());
  EXPECT_THAT(unpack(many, 1000, kSmall), HasSubstr("expected it to grow at most 10 times"));
  EXPECT_THAT(unpack(frames, 1000, kSmall), HasSubstr("expected it to grow at most 10 times"));
  EXPECT_EQ(unpack(many, 1000).size(), 20 * zeros.size());
}

TEST(Unpacked, PassesTheErrorOfItsSourceOn) {
  int calls = 0;
  const auto bytes = gzip(content(5000)).substr(0, 100);
  const auto source = unpacked(
      [&]() -> Result<std::string> {
        if (calls++ == 0) return bytes;
        return fail(ErrorCode::unavailable, "gone");
      },
      Compression::gzip);
  auto last = source();
  while (last && !last->empty()) last = source();
  ASSERT_FALSE(last);
  EXPECT_EQ(last.error().code, ErrorCode::unavailable);
}

TEST(Examined, AreBothDigestsAndTheSizeInOnePass) {
  const std::string text = content(300'000);
  for (const std::string& bytes : {text, gzip(text), test::zstd(text), std::string()}) {
    const auto facts = examine(views_of(source_of(bytes)));
    ASSERT_TRUE(facts) << describe(facts.error());
    EXPECT_EQ(facts->content, oci::Digest::of(bytes));
    EXPECT_EQ(facts->diff_id, oci::Digest::of(bytes.empty() ? "" : text));
    EXPECT_EQ(facts->size, bytes.size());
  }
}

TEST(Examined, A65TakesLittleMemoryForALargeLayer) {
  const std::string member = gzip(std::string(8U << 20U, '\0'));
  const auto growth = test::peak_growth([&member] {
    int left = 64;
    const auto facts = examine(
        [&]() -> Result<std::string_view> { return left-- > 0 ? std::string_view(member) : std::string_view(); });
    return facts && facts->size == 64 * member.size();
  });
  ASSERT_TRUE(growth);
  EXPECT_LE(*growth, std::size_t{4} << 20U);
}

}  // namespace
}  // namespace crategate::layout
