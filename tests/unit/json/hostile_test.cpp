// Documents made to hurt: too deep, too many, not text. Each is refused where it goes wrong, and costs little.
#include <gmock/gmock.h>

#include <algorithm>

#include "base/strings.h"
#include "json/value.h"
#include "support/peak_memory.h"

namespace crategate::json {
namespace {

using testing::StartsWith;

constexpr std::size_t kMebibyte = 1u << 20;

std::string repeated(std::string_view piece, std::size_t times) {
  std::string text;
  text.reserve(piece.size() * times);
  for (std::size_t i = 0; i < times; ++i) text += piece;
  return text;
}

std::string numbered_keys(std::size_t count) {
  std::string text = "{";
  for (std::size_t i = 0; i < count; ++i) text += concat("\"", i, "\":0,");
  return text + "\"last\":0}";
}

// A01: the text itself is there before the child begins, so that the bound is what parsing adds to the file's size.
TEST(HostileJson, IsRefusedWithLittleMemoryAndWithoutDeepRecursion) {
  const struct {
    std::string_view name;
    std::string text;
    std::string_view message;
  } rows[] = {
      {"A01: 100 000 lists", repeated("[", 100'000), "nested deeper than 128 levels"},
      {"A01: 100 000 lists, closed", repeated("[", 100'000) + repeated("]", 100'000), "nested deeper than 128 levels"},
      {"A01: 100 000 objects", repeated("{\"a\":", 100'000), "nested deeper than 128 levels"},
      {"A01: lists in objects", repeated("{\"a\":[", 100'000), "nested deeper than 128 levels"},
      {"A01: deep behind much text",
       concat(R"({"a":")", std::string(2 * kMebibyte, 'x'), R"(","b":)", repeated("[", 100'000)),
       "nested deeper than 128 levels"},
      {"A01: 2 MiB of numbers", concat("[", repeated("0,", kMebibyte), "0]"), "at most 500000 values"},
      {"A01: 2 MiB of empty objects", concat("[", repeated("{},", 700'000), "0]"), "at most 500000 values"},
      {"A01: 500 001 keys", numbered_keys(500'000), "at most 500000 values"},
  };
  for (const auto& row : rows) {
    const auto growth = test::peak_growth([&row] {
      const auto document = Document::parse(row.text, "doc.json");
      return !document && document.error().code == ErrorCode::bad_input &&
             document.error().message.find(row.message) != std::string::npos;
    });
    ASSERT_TRUE(growth) << row.name << ": another answer, or a crash";
    EXPECT_LT(*growth, 64 * kMebibyte) << row.name;
  }
}

TEST(HostileJson, HasRoomForTheLargestSoundDocuments) {
  const std::string most = concat("[", repeated("0,", 499'998), "0]");
  EXPECT_TRUE(Document::parse(most, "doc.json"));
  EXPECT_FALSE(Document::parse(concat("[", most, "]"), "doc.json"));
}

struct Broken {
  std::string_view name;
  std::string text;
  std::string_view position;  ///< line:column
};

std::string bytes(std::string_view text, std::size_t size) { return {text.data(), size}; }

/// A03: what is no UTF-8, no surrogate pair, no text, or more than one document.
std::vector<Broken> corpus() {
  return {
      {"A03: stray continuation byte", "[\"\x80\"]", "1:3"},
      {"A03: lead byte without continuation", "[\"\xC3\"]", "1:3"},
      {"A03: three bytes cut to two", "[\"\xE2\x82\"]", "1:3"},
      {"A03: four bytes cut to three", "[\"\xF0\x9F\x98\"]", "1:3"},
      {"A03: cut by the end", "[\"\xE2\x82", "1:3"},
      {"A03: overlong slash", "[\"\xC0\xAF\"]", "1:3"},
      {"A03: overlong NUL", "[\"\xC0\x80\"]", "1:3"},
      {"A03: overlong in three bytes", "[\"\xE0\x80\xAF\"]", "1:3"},
      {"A03: overlong in four bytes", "[\"\xF0\x80\x80\xAF\"]", "1:3"},
      {"A03: above U+10FFFF", "[\"\xF4\x90\x80\x80\"]", "1:3"},
      {"A03: five bytes", "[\"\xF8\x88\x80\x80\x80\"]", "1:3"},
      {"A03: FE", "[\"\xFE\"]", "1:3"},
      {"A03: FF", "[\"\xFF\"]", "1:3"},
      {"A03: Latin-1", "{\"n\":\"Andr\xE9\"}", "1:11"},
      {"A03: in a key", "{\"\xFF\":1}", "1:3"},
      {"A03: outside strings", "[1,\xFF]", "1:4"},
      {"A03: behind the document", "{}\n\xFF", "2:1"},
      {"A03: high surrogate in UTF-8", "[\"\xED\xA0\x80\"]", "1:3"},
      {"A03: low surrogate in UTF-8", "[\"\xED\xB0\x80\"]", "1:3"},
      {"A03: pair in UTF-8 (CESU-8)", "[\"\xED\xA0\xBD\xED\xB8\x80\"]", "1:3"},
      {"A03: high surrogate alone", R"(["a\ud800"])", "1:4"},
      {"A03: high surrogate before text", R"(["\ud83dx"])", "1:3"},
      {"A03: high surrogate before another escape", R"(["\ud83d\n"])", "1:3"},
      {"A03: high surrogate twice", R"(["\ud83d\ud83d\ude00"])", "1:3"},
      {"A03: low surrogate alone", R"({"a":"\ude00"})", "1:6"},
      {"A03: pair in the wrong order", R"(["\ude00\ud83d"])", "1:9"},
      {"A03: surrogate in a key", R"({"\udfff":1})", "1:2"},
      {"A03: surrogate on a later line", "{\n  \"a\": \"\\udc00\"}", "2:8"},
      {"A03: NUL only", bytes("\0", 1), "1:1"},
      {"A03: NUL in a string", bytes("[\"a\0b\"]", 7), "1:4"},
      {"A03: NUL in a key", bytes("{\"a\0\":1}", 8), "1:4"},
      {"A03: NUL between values", bytes("[1,\0 2]", 7), "1:4"},
      {"A03: NUL hides a second document", bytes("{}\0{\"ref\":1}", 12), "1:3"},
      {"A03: UTF-16LE", bytes("{\0}\0", 4), "1:2"},
      {"A03: UTF-16BE", bytes("\0{\0}", 4), "1:1"},
      {"A03: UTF-16LE with byte-order mark", bytes("\xFF\xFE{\0}\0", 6), "1:1"},
      {"A03: UTF-32LE", bytes("{\0\0\0}\0\0\0", 8), "1:2"},
      {"A03: byte-order mark", "\xEF\xBB\xBF{}", "1:1"},
      {"A03: two byte-order marks", "\xEF\xBB\xBF\xEF\xBB\xBF{}", "1:1"},
      {"A03: byte-order mark behind a space", " \xEF\xBB\xBF{}", "1:2"},
      {"A03: text behind", "{} x", "1:4"},
      {"A03: second document", "{}\n{\"ref\":\"refs/tags/v9.9.9\"}", "2:1"},
      {"A03: closing brace behind", "{}}", "1:3"},
      {"A03: comma behind", "{},", "1:3"},
      {"A03: number behind", "1 2", "1:3"},
      {"A03: word grown together", "nullx", "1:5"},
      {"A03: terminal commands behind", "{}\x1b]0;x\x07", "1:3"},
      {"A03: workflow command behind", "{}\n::error::x", "2:1"},
      {"A03: no-break space behind", "{}\xC2\xA0", "1:3"},
  };
}

bool has_control_character(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; });
}

TEST(HostileJson, IsRefusedAtItsPlaceInPlainWords) {
  for (const Broken& row : corpus()) {
    const auto document = Document::parse(row.text, "doc.json");
    ASSERT_FALSE(document) << row.name;
    EXPECT_EQ(document.error().code, ErrorCode::bad_input) << row.name;
    EXPECT_THAT(document.error().message, StartsWith(concat("doc.json:", row.position, ": "))) << row.name;
    EXPECT_FALSE(has_control_character(document.error().message)) << row.name;
    EXPECT_TRUE(is_valid_utf8(document.error().message)) << row.name;
  }
}

}  // namespace
}  // namespace crategate::json
