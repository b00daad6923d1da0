// Streams of other makers, joined and unpacked again by zlib; and streams that are none.
#include "zip/seam.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <random>

#include "base/strings.h"
#include "zip/deflate.h"

namespace crategate::zip {
namespace {

std::string compressed_by_zlib(const std::string& text, int level, int strategy) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, level, Z_DEFLATED, -15, 8, strategy), Z_OK);
  std::string out(deflateBound(&stream, static_cast<uLong>(text.size())) + 64, '\0');
  std::string in = text;
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(::deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string unpacked_by_zlib(std::string stream_bytes, std::size_t room) {
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, -15), Z_OK);
  std::string out(room + 1, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(stream_bytes.data());
  stream.avail_in = static_cast<uInt>(stream_bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(::inflate(&stream, Z_FINISH), Z_STREAM_END);
  EXPECT_EQ(stream.avail_in, 0u);
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return out;
}

struct Text {
  std::string_view name;
  std::string text;
};

std::vector<Text> texts() {
  std::mt19937 random(1);
  std::string noise, skewed, lines;
  for (int i = 0; i < 100'000; ++i) noise += static_cast<char>(random() & 0xFF);
  // Byte i half as often as byte i - 1: codes of every length up to 15 bits.
  for (int i = 0; i < 200'000; ++i) {
    const auto bits = static_cast<unsigned>(random() | 1u << 20);
    skewed += static_cast<char>(__builtin_ctz(bits) * 3 + static_cast<int>(random() % 2));
  }
  for (int i = 0; i < 20'000; ++i) lines += concat("step ", i, ": ", random() % 97, " of ", random() % 1000, "\n");
  return {{"empty", ""},      {"one byte", "x"}, {"zeros", std::string(300'000, '\0')},          {"noise", noise},
          {"skewed", skewed}, {"lines", lines},  {"long runs", std::string(258 * 40, 'a') + "b"}};
}

TEST(Seam, JoinsStreamsOfEveryKindOfBlock) {
  const struct {
    std::string_view name;
    int level, strategy;
  } makers[] = {{"stored", 0, Z_DEFAULT_STRATEGY},
                {"fastest", 1, Z_DEFAULT_STRATEGY},
                {"usual", 6, Z_DEFAULT_STRATEGY},
                {"smallest", 9, Z_DEFAULT_STRATEGY},
                {"fixed codes", 6, Z_FIXED},
                {"no matches", 6, Z_HUFFMAN_ONLY},
                {"runs", 6, Z_RLE}};
  for (const auto& maker : makers) {
    std::string joined, whole;
    for (const auto& [name, text] : texts()) {
      std::string part = compressed_by_zlib(text, maker.level, maker.strategy);
      const auto opened = open_end(part, text.size());
      ASSERT_TRUE(opened) << maker.name << ", " << name << ": " << opened.error().message;
      joined += part;
      whole += text;
    }
    joined += compressed_by_zlib("the end", 6, Z_DEFAULT_STRATEGY);
    EXPECT_EQ(unpacked_by_zlib(joined, whole.size() + 7), whole + "the end") << maker.name;
  }
}

TEST(Seam, JoinsWhatTheCompressorMakesAtEveryLevel) {
  for (int level = 0; level <= kHighestLevel; ++level) {
    auto compressor = Compressor::create(level).value();
    std::string joined, whole;
    for (const auto& [name, text] : texts()) {
      ASSERT_TRUE(compressor.append(text, End::open, joined)) << level << ", " << name;
      whole += text;
    }
    ASSERT_TRUE(compressor.append("the end", End::last, joined));
    EXPECT_EQ(unpacked_by_zlib(joined, whole.size() + 7), whole + "the end") << level;
  }
}

TEST(Seam, RefusesWhatIsNotOneStreamOfThatLength) {
  const std::string text = texts().back().text + "some more text, some more";
  const std::string stream = compressed_by_zlib(text, 6, Z_DEFAULT_STRATEGY);
  for (const std::size_t length : {text.size() - 1, text.size() + 1, std::size_t{0}}) {
    std::string copy = stream;
    EXPECT_FALSE(open_end(copy, length)) << length;
    EXPECT_EQ(copy, stream);
  }
  for (std::size_t size = 0; size < stream.size(); ++size) {
    std::string cut = stream.substr(0, size);
    EXPECT_FALSE(open_end(cut, text.size())) << size;
  }
  std::string longer = stream + "x";
  EXPECT_FALSE(open_end(longer, text.size()));
}

TEST(Seam, SurvivesAnyBytes) {
  std::mt19937 random(2);
  const std::string sound = compressed_by_zlib(texts().back().text, 6, Z_DEFAULT_STRATEGY);
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes = i % 2 == 0 ? sound : std::string();
    for (std::size_t n = random() % 40; i % 2 == 1 && n > 0; --n) bytes += static_cast<char>(random() & 0xFF);
    for (int flips = 0; !bytes.empty() && flips < 3; ++flips)
      bytes[random() % bytes.size()] = static_cast<char>(random() & 0xFF);
    static_cast<void>(open_end(bytes, 10'321));
  }
}

TEST(Deflate, RefusesALevelThatIsNone) {
  EXPECT_FALSE(Compressor::create(-1));
  EXPECT_FALSE(Compressor::create(10));
}

TEST(Deflate, HigherLevelsAreNotLarger) {
  const std::string text = texts()[5].text;
  std::size_t before = text.size() * 2;
  for (int level = 0; level <= kHighestLevel; ++level) {
    std::string out;
    ASSERT_TRUE(Compressor::create(level).value().append(text, End::last, out));
    EXPECT_LE(out.size(), before) << level;
    before = out.size();
  }
}

TEST(Crc32, IsTheKnownOneAndCanBeJoined) {
  EXPECT_EQ(crc32("123456789"), 0xCBF43926u);
  EXPECT_EQ(crc32("6789", crc32("12345")), 0xCBF43926u);
  EXPECT_EQ(join_crc32(crc32("12345"), crc32("6789"), 4), 0xCBF43926u);
  EXPECT_EQ(join_crc32(0, crc32("6789"), 4), crc32("6789"));
}

}  // namespace
}  // namespace crategate::zip
