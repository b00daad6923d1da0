// The subset of YAML: text stays text, positions count from one, and bombs stay small.
#include "config/yaml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/strings.h"

namespace crategate::config {
namespace {

using testing::HasSubstr;

std::shared_ptr<const Source> file_source() {
  return std::make_shared<const Source>(Source{OriginKind::file, "crategate.yml"});
}

Result<Node> parse(std::string_view text) { return parse_yaml(text, file_source()); }

// A15: 3.10 is no number
TEST(ConfigYaml, KeepsScalarsAsWritten) {
  const auto root = parse("[3.10, 1e3, 0x10, 010, yes, 2001-01-01, 1_000]");
  ASSERT_TRUE(root);
  EXPECT_EQ(flow_text(*root), "[3.10, 1e3, 0x10, 010, yes, 2001-01-01, 1_000]");
  EXPECT_EQ(root->items[0].text, "3.10");
}

TEST(ConfigYaml, TellsQuotedFromPlain) {
  const auto root = parse("a: true\nb: \"true\"\nc: 'true'\nd: |\n  true\ne: ''\nf: ~\ng:\n");
  ASSERT_TRUE(root);
  EXPECT_FALSE(root->find("a")->quoted);
  for (const char* key : {"b", "c", "d", "e"}) EXPECT_TRUE(root->find(key)->quoted) << key;
  EXPECT_EQ(root->find("d")->text, "true\n");
  EXPECT_EQ(root->find("e")->kind, Node::Kind::scalar);
  EXPECT_EQ(root->find("f")->kind, Node::Kind::null);
  EXPECT_EQ(root->find("g")->kind, Node::Kind::null);
}

TEST(ConfigYaml, KnowsLineAndColumnOfKeysAndValues) {
  const auto root = parse("test:\n  timeout:   5m\n");
  ASSERT_TRUE(root);
  const Node* timeout = find_path(*root, "test.timeout");
  ASSERT_NE(timeout, nullptr);
  EXPECT_EQ(timeout->where(), (Location{"crategate.yml", 2, 14}));
  EXPECT_EQ(timeout->key_line, 2);
  EXPECT_EQ(timeout->key_column, 3);
  EXPECT_EQ(timeout->origin().text(), "crategate.yml:2:14");
}

TEST(ConfigYaml, ReadsAnEmptyTextAsNothing) {
  for (const char* text : {"", "\n", "# only a comment", "---\n"}) {
    const auto root = parse(text);
    ASSERT_TRUE(root) << quoted(text);
    EXPECT_EQ(root->kind, Node::Kind::null) << quoted(text);
  }
}

TEST(ConfigYaml, FlowTextReadsBackAsTheSameTree) {
  const char* texts[] = {R"([a, "b c", "{x}", "", "true", true, null, "null", "a\"b\\c", "x\ny"])",
                         R"({a: [], b: {c: {d: "1: 2"}}, "k e y": "- x"})",
                         R"(["- a", "#x", ":", "a:", "*", "&", "!t"])"};
  for (const char* text : texts) {
    const auto first = parse(text);
    ASSERT_TRUE(first) << text;
    const auto second = parse(flow_text(*first));
    ASSERT_TRUE(second) << flow_text(*first);
    EXPECT_EQ(flow_text(*first), flow_text(*second));
    EXPECT_EQ(first->items.size(), second->items.size());
  }
}

struct Bad {
  const char* name;
  std::string text;
  const char* message;
};

std::string repeated(std::string_view piece, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += piece;
  return out;
}

// A16
TEST(ConfigYaml, RefusesWhatIsNoPlainData) {
  const Bad rows[] = {
      {"anchor", "a: &x 1", "found an anchor"},
      {"anchor on a mapping", "a: &x {b: 1}", "found an anchor"},
      {"anchor on nothing", "a: &x\nb: 1", "found an anchor"},
      {"anchor on a key", "&x a: 1", "found an anchor"},
      {"tag", "a: !!str 1", "found the tag"},
      {"local tag", "a: !x 1", "found the tag"},
      {"python tag", "!!python/object/apply:os.system [id]", "found the tag"},
      {"tag on nothing", "a: !!python/name:os.system", "found the tag"},
      {"tag and nothing else", "# x\n!!python/name:os.system\n", "found the tag \"!!python/name:os.system\""},
      {"duplicate key", "a: 1\nb: 2\na: 3", "found \"a\" again"},
      {"duplicate key, quoted", "a: 1\n'a': 3", "found \"a\" again"},
      {"null key", "~: 1", "found nothing"},
      {"sequence key", "? [a]\n: 1", "found a list or mapping"},
      {"second document", "a: 1\n---\nb: 1", "found a second one"},
      {"directive", "%YAML 1.2\n---\na: 1", "directive"},
      {"directive behind comments", "# x\n\n%TAG ! tag:x,2000:\n---\na: 1", "directive"},
      {"tag handle", "%TAG !e! tag:x,2000:\n---\na: !e!y 1", "directive"},
      {"NUL", std::string("a: 1\0b", 6), "\\x00"},
      {"end of transmission hides the rest", "a: 1\n\x04\nb: 2", "\\x04"},
      {"escape character", "a: \x1b[31m", "\\x1b"},
      {"delete", "a: \x7f", "\\x7f"},
      {"UTF-16", std::string("\xFF\xFE\x61\x00", 4), "expected UTF-8"},
      {"byte-order mark",
       "\xEF\xBB\xBF"
       "a: 1",
       "byte-order mark"},
      {"overlong UTF-8", "a: \xC0\xAF", "expected UTF-8"},
      {"open quote before a line end", "a: \"b\nc: d\n", "closing quote"},
      {"open quote in a key", "\"a: b\n", "closing quote"},
      {"open bracket", "a: [b\n", "not YAML"},
      {"stray bracket", "a: b\n]\n", "not YAML"},
      {"tab", "a:\n\tb: 1\n", "not YAML"},
      {"33 levels", repeated("[", 33) + repeated("]", 33), "at most 32 levels"},
      {"100,000 levels", repeated("[\n", 100'000), ""},
      {"100,000 block levels", repeated("- ", 100'000), "at most 32 levels"},
      {"20,001 values", "[" + repeated("a,", 20'001) + "]", ""},
      {"20,001 lines", repeated("- a\n", 20'001), "at most 20000 values"},
      {"more than 1 MiB", repeated("# comment, 16 by\n", 65'000), "at most 1 MiB"},
  };
  for (const auto& row : rows) {
    const auto root = parse(row.text);
    ASSERT_FALSE(root) << row.name;
    EXPECT_EQ(root.error().code, ErrorCode::bad_input) << row.name;
    EXPECT_THAT(root.error().message, HasSubstr(row.message)) << row.name;
    EXPECT_FALSE(root.error().hint.empty()) << row.name;
    ASSERT_TRUE(root.error().location) << row.name;
    EXPECT_EQ(root.error().location->file, "crategate.yml") << row.name;
  }
}

TEST(ConfigYaml, AcceptsTheDeepestAllowedTree) { EXPECT_TRUE(parse(repeated("[", 32) + repeated("]", 32))); }

TEST(ConfigYaml, NamesTabsAsTheCause) {
  const auto root = parse("a:\n\tb: 1\n");
  ASSERT_FALSE(root);
  EXPECT_THAT(root.error().hint, HasSubstr("tab"));
  EXPECT_EQ(root.error().location->line, 2);
}

TEST(ConfigYaml, PointsIntoTheTextOfAnOption) {
  const auto root = parse_yaml("{a: [}", std::make_shared<const Source>(Source{OriginKind::command_line, "--axes"}));
  ASSERT_FALSE(root);
  EXPECT_FALSE(root.error().location);
  EXPECT_THAT(root.error().message, testing::StartsWith("--axes:1:6: not YAML"));
}

}  // namespace
}  // namespace crategate::config
