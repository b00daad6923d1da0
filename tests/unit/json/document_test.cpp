// Strict reading, and the path in every message.
#include <gmock/gmock.h>

#include "base/strings.h"
#include "json/value.h"

namespace crategate::json {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

Document parsed(std::string_view text) {
  auto document = Document::parse(text, "doc.json");
  if (!document) throw std::runtime_error(document.error().message);
  return *std::move(document);
}

std::string repeated(std::string_view piece, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += piece;
  return text;
}

// A02: of keys that stand twice. A01, A03: more in hostile_test.
TEST(JsonDocument, RefusesWithThePosition) {
  const struct {
    std::string_view name;
    std::string text;
    std::string_view message;
  } rows[] = {
      {"nothing", "", "doc.json:1:1: expected a JSON value, found the end"},
      {"white space", " \n ", "doc.json:2:2: expected a JSON value"},
      {"cut object", R"({"a":1)", "doc.json:1:7: expected ',' or '}', found the end of the text"},
      {"cut string", R"({"a":"x)", "expected the string's closing quote"},
      {"cut after the key", R"({"a")", "expected ':' after the key"},
      {"trailing comma, object", "{\n  \"a\": 1,\n}", "doc.json:3:1: expected a key"},
      {"trailing comma, array", "[1,]", "doc.json:1:4: "},
      {"trailing text", "{} x", "doc.json:1:4: expected nothing after the value, found \"x\""},
      {"two documents", "{}\n{}", "doc.json:2:1: expected nothing after the value"},
      {"comment", "{} // x", "doc.json:1:4: "},
      {"single quotes", "{'a':1}", "expected a key in double quotes"},
      {"NaN", "[NaN]", "doc.json:1:2: "},
      {"Infinity", "[-Infinity]", "doc.json:1:"},
      {"leading zero", "[01]", "expected ',' or ']'"},
      {"plus", "[+1]", "doc.json:1:2: "},
      {"no digits after the dot", "[1.]", "expected digits after '.'"},
      {"no exponent", "[1e]", "expected digits of the exponent"},
      {"hexadecimal", "[0x1]", "expected ',' or ']'"},
      {"wrong literal", "[True]", "doc.json:1:2: "},
      {"line feed in a string", "[\"a\nb\"]", "doc.json:1:4: "},
      {"unknown escape", R"(["\x41"])", "expected an escape of JSON"},
      {"bad hex", R"(["\u12g4"])", "four hex digits"},
      {"high surrogate alone", R"(["ü\ud800"])", "doc.json:1:4: expected a whole surrogate pair"},
      {"high surrogate twice", R"(["\ud800\ud800"])", "surrogate pair"},
      {"low surrogate alone", R"({"a":"\udc00"})", "doc.json:1:6: the string \"\\xed\\xb0\\x80\" holds half"},
      {"surrogate in a key", R"({"\udfff":1})", "doc.json:1:2: the string"},
      {"invalid UTF-8", "[\"a\xFF\"]", "doc.json:1:4: expected UTF-8, found \"\\xff"},
      {"invalid UTF-8 outside", "[]\xC3", "doc.json:1:3: expected UTF-8"},
      {"surrogate in UTF-8", "[\"\xED\xA0\x80\"]", "doc.json:1:3: expected UTF-8"},
      {"overlong", "[\"\xC0\xAF\"]", "expected UTF-8"},
      {"UTF-16", std::string("{\0}\0", 4), "doc.json:1:2: expected JSON, found a NUL byte"},
      {"NUL at the end", std::string("{}\0x", 4), "doc.json:1:3: expected JSON, found a NUL byte"},
      {"NUL in a string", std::string("[\"a\0\"]", 6), "NUL byte"},
      {"byte-order mark", "\xEF\xBB\xBF{}", "doc.json:1:1: expected JSON without a byte-order mark"},
      {"duplicate key", R"({"ref":"a","ref":"refs/tags/v9.9.9"})", "doc.json:1:12: duplicate key \"ref\""},
      {"duplicate by escape", "{\"ref\":1,\n \"r\\u0065f\":2}", "doc.json:2:2: duplicate key \"ref\""},
      {"duplicate behind quotes", R"({"a\"":1,"b\\":2,"a\"":3})", "doc.json:1:18: duplicate key \"a\\\"\""},
      {"duplicate inside", R"([{"a":{"b":1,"c":{},"b":2}}])", "duplicate key \"b\""},
      {"number too big", "[1e999]", "fits a double"},
      {"number too big without exponent", concat("[1, ", std::string(400, '9'), "]"),
       "doc.json:1:5: expected a number that"},
      {"number too small", "[1e-999]", "doc.json:1:2: expected a number that fits a double, found \"1e-999\""},
      {"deep array", repeated("[", 100000), "doc.json:1:129: nested deeper than 128 levels"},
      {"deep object", repeated("{\"a\":", 100000), "nested deeper than 128 levels"},
  };
  for (const auto& row : rows) {
    const auto document = Document::parse(row.text, "doc.json");
    ASSERT_FALSE(document.has_value()) << row.name;
    EXPECT_EQ(document.error().code, ErrorCode::bad_input) << row.name;
    EXPECT_THAT(document.error().message, HasSubstr(row.message)) << row.name;
    EXPECT_TRUE(is_valid_utf8(document.error().message)) << row.name;
  }
}

TEST(JsonDocument, TakesWhatRfc8259Allows) {
  for (const std::string_view text :
       {"null", " \t\r\n[] \n", "\"x\"", "-0", "1e3", "1.5E-2", R"("\u0000\ud83d\ude00\/")", R"([{"a":1},{"a":2}])",
        R"({"a":{"a":1}})", R"({"":1})", R"({"a":1,"A":2})"}) {
    EXPECT_TRUE(Document::parse(text, "doc.json").has_value()) << text;
  }
  EXPECT_EQ(parsed(R"(["\ud83d\ude00"])").root().items()->front().as_string().value(), "\xF0\x9F\x98\x80");
}

TEST(JsonDocument, KeepsToTheLimitsItIsGiven) {
  const std::string nested = repeated("[", 128) + repeated("]", 128);
  EXPECT_TRUE(Document::parse(nested, "doc.json").has_value());
  EXPECT_FALSE(Document::parse("[" + nested + "]", "doc.json").has_value());
  EXPECT_FALSE(Document::parse("[[]]", "doc.json", {.max_depth = 1}).has_value());
  const auto large = Document::parse("[1,2,3]", "doc.json", {.max_bytes = 6}, ErrorCode::integrity);
  ASSERT_FALSE(large.has_value());
  EXPECT_EQ(large.error().code, ErrorCode::integrity);
  EXPECT_EQ(large.error().message, "doc.json: expected at most 6 B, found 7 B");
}

TEST(JsonReader, NamesThePathInEveryMessage) {
  const Document document = parsed(R"({"cells":[{},{"image":7,"a.b":{"x":null}}],"s":"text"})");
  const Reader root = document.root();
  const std::vector<Reader> cells = root.at("cells")->items().value();
  const Reader cell = cells[1];
  const struct {
    std::string message, expected;
  } rows[] = {
      {cell.string("image").error().message, "doc.json: cells[1].image: expected a string, found the number 7"},
      {cell.string("tag").error().message, "doc.json: cells[1].tag: expected a value, found nothing"},
      {cell.at("a.b")->at("x").error().message, "doc.json: cells[1][\"a.b\"].x: expected a value, found nothing"},
      {cell.at("a.b")->items().error().message, "doc.json: cells[1][\"a.b\"]: expected an array, found an object"},
      {root.items().error().message, "doc.json: expected an array, found an object"},
      {root.boolean("s").error().message, "doc.json: s: expected true or false, found the string \"text\""},
      {root.at("s")->find("x").error().message, "doc.json: s: expected an object, found the string \"text\""},
      {root.strings("s").error().message, "doc.json: s: expected an array, found the string \"text\""},
      {root.string_map("cells").error().message, "doc.json: cells: expected an object, found an array"},
      {root.at("cells")->expected("a digest").value().message, "doc.json: cells: expected a digest, found an array"},
  };
  for (const auto& row : rows) EXPECT_EQ(row.message, row.expected);
}

TEST(JsonReader, TellsMissingAndNullFromWrong) {
  const Document document = parsed(R"({"null":null,"text":"x","empty":""})");
  const Reader root = document.root();
  EXPECT_FALSE(root.find("absent").value().has_value());
  EXPECT_FALSE(root.find("null").value().has_value());
  EXPECT_TRUE(root.find("empty").value().has_value());
  EXPECT_EQ(root.string_or("null", "f").value(), "f");
  EXPECT_EQ(root.string_or("empty", "f").value(), "");
  EXPECT_THAT(root.strings("null").value(), IsEmpty());
  EXPECT_THAT(root.string_map("absent").value(), IsEmpty());
}

TEST(JsonReader, TakesOnlyWholeNumbersOf64Bits) {
  const struct {
    std::string_view text;
    std::optional<std::int64_t> number;
  } rows[] = {
      {"7", 7},
      {"-1", -1},
      {"0", 0},
      {"9223372036854775807", INT64_MAX},
      {"-9223372036854775808", INT64_MIN},
      {"9223372036854775808", std::nullopt},
      {"-9223372036854775809", std::nullopt},
      {"18446744073709551616", std::nullopt},
      {"7.0", std::nullopt},
      {"1e3", std::nullopt},
      {"\"7\"", std::nullopt},
      {"true", std::nullopt},
      {"null", std::nullopt},
  };
  for (const auto& row : rows) {
    const Document document = parsed(row.text);
    const auto number = document.root().as_integer();
    EXPECT_EQ(number.has_value() ? std::optional(*number) : std::nullopt, row.number) << row.text;
  }
}

TEST(JsonReader, TakesNumbersBeyond64BitsAtTheirNearestDouble) {
  const std::pair<std::string_view, std::string_view> rows[] = {
      {"18446744073709551616", "18446744073709551616.0"},
      {"18446744073709551615999", "1.8446744073709552e+22"},
      {"-9223372036854775809", "-9223372036854775808.0"},
      {"1844674407370955161599999999999999999999.5", "1.8446744073709552e+39"},
      {"5e-324", "5e-324"},
      {"0.1000000000000000055511151231257827", "0.1"},
      {"0e-999", "0.0"},
      {"-0", "0"}};
  for (const auto& [text, written] : rows) EXPECT_EQ(parsed(text).root().dump(), written) << text;
}

TEST(JsonReader, KeepsTheOrderOfTheDocument) {
  const Document document = parsed(R"({"z":["b","a"],"a":{"k":"v","b":""}})");
  const auto members = document.root().members().value();
  ASSERT_EQ(members.size(), 2u);
  EXPECT_EQ(members[0].first, "z");
  EXPECT_EQ(members[1].second.path(), "a");
  EXPECT_THAT(document.root().strings("z").value(), ElementsAre("b", "a"));
  EXPECT_THAT(document.root().string_map("a").value(), ElementsAre(Pair("b", ""), Pair("k", "v")));
}

TEST(JsonReader, NamesTheLineWhereADocumentHasSeveral) {
  const Document document = parsed("{\"a\": [1,\n {\"b\":\n \"x\"},\n\n true],\n \"c\": {}\n}");
  const Reader root = document.root();
  const auto items = root.at("a")->items().value();
  EXPECT_EQ(items[0].as_string().error().message, "doc.json:1: a[0]: expected a string, found the number 1");
  EXPECT_EQ(items[1].integer("b").error().message.substr(0, 18), "doc.json:3: a[1].b");
  EXPECT_EQ(items[2].as_string().error().message, "doc.json:5: a[2]: expected a string, found true");
  EXPECT_EQ(root.at("c")->at("d").error().message, "doc.json:6: c.d: expected a value, found nothing");
}

TEST(JsonReader, RefusesAListAndAMapWithAWrongItem) {
  const Document document = parsed(R"({"list":["a",null],"map":{"k":1}})");
  EXPECT_THAT(document.root().strings("list").error().message, HasSubstr("list[1]: expected a string, found null"));
  EXPECT_THAT(document.root().string_map("map").error().message,
              HasSubstr("map.k: expected a string, found the number 1"));
}

TEST(JsonReader, StaysUsableWhenItsDocumentMoves) {
  Document first = parsed(R"({"a":"x"})");
  const Reader root = first.root();
  const Document second = std::move(first);
  EXPECT_EQ(root.string("a").value(), "x");
}

TEST(JsonReader, DumpsCanonically) {
  EXPECT_EQ(parsed(R"( { "b" : [ 1 , 2.50, 1e2, -0.0, 18446744073709551615, true, null ], "a" : "\u00e9\u0001" } )")
                .root()
                .dump(),
            "{\"a\":\"\xC3\xA9\\u0001\",\"b\":[1,2.5,100.0,-0.0,18446744073709551615,true,null]}");
}

}  // namespace
}  // namespace crategate::json
