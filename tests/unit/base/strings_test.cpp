// Text to text: splitting, numbers, base64, globs, UTF-8.
#include "base/strings.h"

#include <gmock/gmock.h>

#include "base/utf8.h"

namespace crategate {
namespace {

using testing::ElementsAre;
using testing::Eq;
using testing::Optional;

TEST(Strings, ConcatTakesTextsNumbersCharactersAndBooleans) {
  EXPECT_EQ(concat("a", std::string("b"), std::string_view("c"), 'd', 3, -4, true), "abcd3-4true");
  EXPECT_EQ(concat(), "");
}

TEST(Strings, TrimTakesAsciiWhiteSpaceOnly) {
  EXPECT_EQ(trim(" \t\r\n\v\fa b \n"), "a b");
  EXPECT_EQ(trim(" \n "), "");
  EXPECT_EQ(trim("\xC2\xA0x"), "\xC2\xA0x");
}

TEST(Strings, SplitKeepsEmptyPartsAndJoinUndoesIt) {
  EXPECT_THAT(split("a,,b,", ','), ElementsAre("a", "", "b", ""));
  EXPECT_THAT(split("", ','), ElementsAre(""));
  EXPECT_EQ(join(split("a,,b,", ','), ","), "a,,b,");
  EXPECT_EQ(join({}, ", "), "");
}

TEST(Strings, ReplaceAllDoesNotLookAtWhatItWrote) {
  EXPECT_EQ(replace_all("aaa", "a", "aa"), "aaaaaa");
  EXPECT_EQ(replace_all("abcabc", "bc", ""), "aa");
  EXPECT_EQ(replace_all("abc", "", "x"), "abc");
  EXPECT_EQ(replace_all("", "a", "b"), "");
}

TEST(Strings, ToLowerTouchesAsciiOnly) { EXPECT_EQ(to_lower("AbZ\xC3\x84"), "abz\xC3\x84"); }

TEST(Strings, ParseUnsignedTakesWholeDecimalTexts) {
  EXPECT_THAT(parse_unsigned("0"), Optional(std::uint64_t{0}));
  EXPECT_THAT(parse_unsigned("007"), Optional(std::uint64_t{7}));
  EXPECT_THAT(parse_unsigned("18446744073709551615"), Optional(UINT64_MAX));
  for (const std::string_view text :
       {"", " 1", "1 ", "+1", "-1", "1.0", "0x1", "1e3", "18446744073709551616", "99999999999999999999999", "１"}) {
    EXPECT_THAT(parse_unsigned(text), Eq(std::nullopt)) << text;
  }
}

TEST(Strings, Base64IsThatOfRfc4648) {
  const struct {
    std::string_view bytes, text;
  } rows[] = {{"", ""},
              {"f", "Zg=="},
              {"fo", "Zm8="},
              {"foo", "Zm9v"},
              {"foob", "Zm9vYg=="},
              {"fooba", "Zm9vYmE="},
              {"foobar", "Zm9vYmFy"},
              {"\xFF\xFE\xFD", "//79"}};
  for (const auto& row : rows) EXPECT_EQ(base64(row.bytes), row.text) << row.bytes;
  for (const auto& row : rows) EXPECT_THAT(decode_base64(row.text), Optional(std::string(row.bytes)));
}

TEST(Strings, DecodeBase64TakesBothAlphabetsAndNothingElse) {
  EXPECT_THAT(decode_base64("__79"), Optional(std::string("\xFF\xFE\xFD")));
  EXPECT_THAT(decode_base64("-_-_"), decode_base64("+/+/"));
  EXPECT_THAT(decode_base64("Zg"), Optional(std::string("f")));
  for (const std::string_view text : {"Z", "Zg==Zg==", "Zg Zg", "Zm9v\n", "Zm9vY", "Zm9*"})
    EXPECT_THAT(decode_base64(text), Eq(std::nullopt)) << text;
}

TEST(Strings, Utf8IsThatOfRfc3629) {
  const struct {
    std::string_view name, text;
    bool valid;
  } rows[] = {
      {"ASCII", "abc", true},
      {"two, three, four bytes", "\xC3\xBC\xE2\x82\xAC\xF0\x9F\x98\x80", true},
      {"highest", "\xF4\x8F\xBF\xBF", true},
      {"beyond the highest", "\xF4\x90\x80\x80", false},
      {"overlong slash", "\xC0\xAF", false},
      {"overlong in three bytes", "\xE0\x80\xAF", false},
      {"overlong in four bytes", "\xF0\x80\x80\xAF", false},
      {"surrogate", "\xED\xA0\x80", false},
      {"cut", "\xE2\x82", false},
      {"continuation alone", "\x80", false},
      {"wrong continuation", "\xC3(", false},
      {"never a byte of UTF-8", "\xFF", false},
  };
  for (const auto& row : rows) EXPECT_EQ(is_valid_utf8(row.text), row.valid) << row.name;
}

TEST(Strings, ToValidUtf8ReplacesEachWrongByte) {
  EXPECT_EQ(to_valid_utf8("a\xFF\xE2\x82"
                          "b"),
            "a\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"
            "b");
  EXPECT_EQ(to_valid_utf8("\xC3\xBC"), "\xC3\xBC");
}

TEST(Strings, QuotedShowsEveryByteThatCannotBeSeen) {
  const struct {
    std::string_view text, shown;
  } rows[] = {
      {"plain", R"("plain")"},
      {"say \"hi\" \\", R"("say \"hi\" \\")"},
      {"a\r\n\tb", R"("a\r\n\tb")"},
      {{"\0\x1B", 2}, R"("\x00\x1b")"},
      {"\xEF\xBB\xBFv1", R"("\xef\xbb\xbfv1")"},
      {"\xE2\x80\xAE", R"("\xe2\x80\xae")"},
      {"ü€", "\"ü€\""},
      {"\xFF\xC3", R"("\xff\xc3")"},
      {"", R"("")"},
  };
  for (const auto& row : rows) EXPECT_EQ(quoted(row.text), row.shown);
}

TEST(Strings, QuotedCutsBetweenCharacters) {
  EXPECT_EQ(quoted("abcdef", 3), "\"abc…\"");
  EXPECT_EQ(quoted("ab€", 4), "\"ab…\"");
  EXPECT_EQ(quoted("ab€", 5), "\"ab€\"");
  EXPECT_EQ(quoted(std::string(1000, 'x')).size(), 80 + 2 + std::string("…").size());
}

TEST(Strings, NearestFindsTheNameThatWasMeant) {
  const std::vector<std::string> names{"platforms", "policy", "push", "tags", "cache-from"};
  const struct {
    std::string_view word;
    std::optional<std::string> found;
  } rows[] = {{"platform", "platforms"}, {"polciy", "policy"},        {"Push", "push"},   {"cache_from", "cache-from"},
              {"tag", "tags"},           {"unrelated", std::nullopt}, {"", std::nullopt}, {"xy", std::nullopt}};
  for (const auto& row : rows) EXPECT_EQ(nearest(row.word, names), row.found) << row.word;
  EXPECT_EQ(nearest(std::string(100000, 'a'), names), std::nullopt);
  EXPECT_EQ(nearest("push", {}), std::nullopt);
}

TEST(Strings, FormatDurationReadsLikeAClock) {
  const struct {
    std::int64_t milliseconds;
    std::string_view text;
  } rows[] = {{-5, "0 ms"},
              {0, "0 ms"},
              {999, "999 ms"},
              {1000, "1.0 s"},
              {1449, "1.4 s"},
              {59949, "59.9 s"},
              {59950, "1 min 00 s"},
              {123000, "2 min 03 s"},
              {3599499, "59 min 59 s"},
              {3599500, "1 h 00 min"},
              {7380000, "2 h 03 min"}};
  for (const auto& row : rows) EXPECT_EQ(format_duration(row.milliseconds), row.text) << row.milliseconds;
}

TEST(Strings, FormatBytesUsesBinaryUnits) {
  const struct {
    std::uint64_t bytes;
    std::string_view text;
  } rows[] = {{0, "0 B"},           {1023, "1023 B"},     {1024, "1.0 KiB"},
              {1258291, "1.2 MiB"}, {1048575, "1.0 MiB"}, {UINT64_MAX, "16.0 EiB"}};
  for (const auto& row : rows) EXPECT_EQ(format_bytes(row.bytes), row.text) << row.bytes;
}

}  // namespace
}  // namespace crategate
