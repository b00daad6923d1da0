// Canonical and pretty writing.
#include <gmock/gmock.h>

#include <random>

#include "base/strings.h"
#include "json/value.h"

namespace crategate::json {
namespace {

TEST(JsonValue, WritesEveryKind) {
  EXPECT_EQ(Value().canonical(), "null");
  EXPECT_EQ(Value(true).canonical(), "true");
  EXPECT_EQ(Value(-5).canonical(), "-5");
  EXPECT_EQ(Value(INT64_MIN).canonical(), "-9223372036854775808");
  EXPECT_EQ(Value(UINT64_MAX).canonical(), "18446744073709551615");
  EXPECT_EQ(Value("x").canonical(), "\"x\"");
  EXPECT_EQ(Value::array().canonical(), "[]");
  EXPECT_EQ(Value::object().canonical(), "{}");
  EXPECT_EQ(Value::array_of({"a", "b"}).canonical(), R"(["a","b"])");
  EXPECT_EQ(Value::object_of({{"k", "v"}}).canonical(), R"({"k":"v"})");
}

TEST(JsonValue, SortsKeysBytewiseInTheCanonicalFormOnly) {
  const Value value = Value::object({{"b", 1}, {"\xC3\xA9", 2}, {"B", 3}, {"a", Value::object({{"z", 1}, {"y", 2}})}});
  EXPECT_EQ(value.canonical(), "{\"B\":3,\"a\":{\"y\":2,\"z\":1},\"b\":1,\"\xC3\xA9\":2}");
  EXPECT_EQ(value.pretty(),
            "{\n  \"b\": 1,\n  \"\xC3\xA9\": 2,\n  \"B\": 3,\n  \"a\": {\n    \"z\": 1,\n    \"y\": 2\n  }\n}\n");
}

TEST(JsonValue, PrettyKeepsEmptyContainersOnOneLine) {
  EXPECT_EQ(Value::array({Value::array(), Value::object(), 1}).pretty(), "[\n  [],\n  {},\n  1\n]\n");
  EXPECT_EQ(Value().pretty(), "null\n");
}

TEST(JsonValue, EscapesTheLeastPossible) {
  const struct {
    std::string text, json;
  } rows[] = {
      {"\"\\/\b\f\n\r\t", R"("\"\\/\b\f\n\r\t")"},
      {std::string("\0\x1F\x7F", 3), "\"\\u0000\\u001f\x7F\""},
      {"\xE2\x80\xA8\xF0\x9F\x98\x80<>&'", "\"\xE2\x80\xA8\xF0\x9F\x98\x80<>&'\""},
      {"a\xFF\xED\xA0\x80", "\"a\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
  };
  for (const auto& row : rows) EXPECT_EQ(Value(row.text).canonical(), row.json);
}

TEST(JsonValue, SetReplacesAndPushAppends) {
  Value object = Value::object({{"a", 1}, {"a", 2}});
  object.set("b", 3).set("a", 4);
  EXPECT_EQ(object.canonical(), R"({"a":4,"b":3})");
  Value list = Value::array();
  list.push(1).push("x").push({});
  EXPECT_EQ(list.canonical(), R"([1,"x",null])");
}

Value random_value(std::mt19937& random, int depth) {
  const auto kind = random() % (depth > 3 ? 4 : 6);
  if (kind == 0) return {};
  if (kind == 1) return random() % 2 == 0;
  if (kind == 2) return static_cast<std::int64_t>(random()) - 2000000000;
  if (kind == 3) {
    std::string text;
    for (auto n = random() % 6; n > 0; --n) text += static_cast<char>(random() % 256);
    return text;
  }
  Value value = kind == 4 ? Value::array() : Value::object();
  for (auto n = random() % 4; n > 0; --n) {
    if (kind == 4) {
      value.push(random_value(random, depth + 1));
    } else {
      value.set(concat("key ", random() % 9), random_value(random, depth + 1));
    }
  }
  return value;
}

TEST(JsonValue, ReadsBackAsWhatItWas) {
  std::mt19937 random(8259);  // NOLINT: the same values on every run
  for (int i = 0; i < 1000; ++i) {
    const Value value = random_value(random, 0);
    const auto canonical = Document::parse(value.canonical(), "canonical");
    const auto pretty = Document::parse(value.pretty(), "pretty");
    ASSERT_TRUE(canonical.has_value() && pretty.has_value()) << value.pretty();
    ASSERT_EQ(canonical->root().dump(), value.canonical());
    ASSERT_EQ(pretty->root().dump(), value.canonical());
    ASSERT_EQ(Value::from(pretty->root()).pretty(), value.pretty());
  }
}

}  // namespace
}  // namespace crategate::json
