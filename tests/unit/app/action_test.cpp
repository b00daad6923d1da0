// action.yml against what it repeats: the settings table, the inputs and outputs of the binary, the docs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "app/action_inputs.h"
#include "base/strings.h"
#include "config/settings.h"
#include "config/yaml.h"
#include "json/value.h"

namespace crategate::app {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

const fs::path kSource = CRATEGATE_SOURCE_DIR;

std::string read(const fs::path& path) {
  std::ifstream in(kSource / path, std::ios::binary);
  EXPECT_TRUE(in) << path;
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

/// `Sentence.` and remarks → `Sentence (remarks).`
std::string sentence(std::string_view description, const std::vector<std::string>& remarks) {
  if (remarks.empty()) return std::string(description);
  return concat(description.substr(0, description.size() - 1), " (", join(remarks, "; "), ").");
}

std::string entry(std::string_view name, const std::string& description, std::string_view more = {}) {
  return concat("  ", name, ":\n    description: ", json::Value(description).canonical(), "\n", more);
}

/// The section `inputs` as it has to be. No `default:` but the token's: a runner's defaults would hide the file.
std::string inputs_section() {
  std::string text;
  for (const auto& input : action_inputs()) text += entry(input.name, std::string(input.description));
  for (const auto& row : config::settings_table()) {
    std::vector<std::string> remarks;
    if (!row.choices.empty()) remarks.push_back(concat("one of ", replace_all(std::string(row.choices), "|", ", ")));
    if (!row.fallback.empty()) remarks.push_back(concat("default ", row.fallback));
    const std::string option = config::option_name(row);
    text += entry(option, sentence(row.description, remarks),
                  option == "github-token" ? "    default: ${{ github.token }}\n" : "");
    if (row.short_name.empty()) continue;
    remarks.insert(remarks.begin(), concat("the same as ", option));
    text += entry(row.short_name, sentence(row.description, remarks));
  }
  for (const auto& seed : config::seed_names()) {
    if (to_lower(seed.name) == seed.setting) continue;  // a runner knows no capitals: the setting is that input
    text += entry(seed.name, concat("The Makefile's name for ", seed.setting,
                                    seed.pattern == "*" ? std::string() : concat(", as ", seed.pattern), "."));
  }
  return text;
}

config::Node action() {
  auto node = config::parse_yaml(read("action.yml"), std::make_shared<const config::Source>());
  EXPECT_TRUE(node) << (node ? "" : describe(node.error()));
  return node ? *std::move(node) : config::Node{};
}

std::set<std::string> names_below(std::string_view section) {
  std::set<std::string> names;
  const auto document = action();
  const config::Node* const node = document.find(section);
  EXPECT_NE(node, nullptr) << section;
  if (node == nullptr) return names;
  for (const auto& item : node->items) names.insert(item.key);
  return names;
}

TEST(Action, ListsTheInputsOfTheTableWithTheirDefaults) {
  const std::string text = read("action.yml"), wanted = inputs_section();
  const auto begin = text.find("\ninputs:\n"), end = text.find("\noutputs:\n");
  ASSERT_NE(begin, std::string::npos);
  ASSERT_NE(end, std::string::npos);
  const std::size_t from = begin + 9;
  const char* accept = std::getenv("CRATEGATE_ACCEPT");
  if (accept != nullptr && std::string_view(accept) == "1") {
    std::ofstream(kSource / "action.yml", std::ios::binary) << text.substr(0, from) << wanted << text.substr(end + 1);
    FAIL() << "rewrote action.yml; run again without CRATEGATE_ACCEPT";
  }
  EXPECT_EQ(text.substr(from, end + 1 - from), wanted) << "CRATEGATE_ACCEPT=1 writes it";
}

TEST(Action, NamesNoInputTwiceForARunnerThatKnowsNoCapitals) {
  std::set<std::string> seen;
  for (const auto& name : names_below("inputs")) EXPECT_TRUE(seen.insert(to_lower(name)).second) << name;
  EXPECT_GT(seen.size(), 100U);
}

TEST(Action, DescribesEverythingInOneSentence) {
  const auto document = action();
  for (const std::string_view section : {"inputs", "outputs"}) {
    ASSERT_NE(document.find(section), nullptr) << section;
    for (const auto& item : document.find(section)->items) {
      const config::Node* const description = item.find("description");
      ASSERT_NE(description, nullptr) << item.key;
      EXPECT_TRUE(description->text.ends_with('.')) << item.key;
      EXPECT_EQ(description->text.find(". "), std::string::npos) << item.key;
    }
  }
}

TEST(Action, HasTheTokenAsItsOnlyDefault) {
  const auto document = action();
  ASSERT_NE(document.find("inputs"), nullptr);
  for (const auto& item : document.find("inputs")->items)
    EXPECT_EQ(item.find("default") != nullptr, item.key == "github-token") << item.key;
}

TEST(Action, PassesNoArguments) {
  const auto document = action();
  const config::Node* const runs = document.find("runs");
  ASSERT_NE(runs, nullptr);
  std::set<std::string> keys;
  for (const auto& item : runs->items) keys.insert(item.key);
  EXPECT_EQ(keys, (std::set<std::string>{"using", "image"})) << "a runner mangles args: inputs say it all";
  EXPECT_EQ(runs->find("using")->text, "docker");
}

/// Every name in a `set_output` call; stages/plan has a list of them.
std::set<std::string> outputs_of_the_binary() {
  std::set<std::string> names;
  const std::regex call(R"re(set_output\(\s*"([^"]+)")re"), listed(R"re(\{"([a-z_]+)", )re");
  const auto collect = [&names](const std::string& text, const std::regex& pattern) {
    for (std::sregex_iterator at(text.begin(), text.end(), pattern), end; at != end; ++at) names.insert((*at)[1]);
  };
  for (const char* const folder : {"src/app", "src/stages"}) {
    for (const auto& file : fs::directory_iterator(kSource / folder)) {
      if (file.path().extension() == ".cpp") collect(read(file.path()), call);
    }
  }
  for (const char* const file : {"src/stages/plan.cpp", "src/app/program.cpp"}) {
    const std::string text = read(file);
    const auto begin = text.find("> outputs = {");
    EXPECT_NE(begin, std::string::npos) << file;
    collect(text.substr(begin, text.find("};", begin) - begin), listed);
  }
  return names;
}

TEST(Action, ListsTheOutputsThatStagesSet) { EXPECT_EQ(names_below("outputs"), outputs_of_the_binary()); }

TEST(ActionDocs, RepeatInputsAndOutputsWithTheirSentences) {
  const std::string docs = read("docs/action.md");
  for (const auto& input : action_inputs())
    EXPECT_THAT(docs, HasSubstr(concat("| `", input.name, "` | ", input.description, " |")));
  const auto document = action();
  ASSERT_NE(document.find("outputs"), nullptr);
  for (const auto& item : document.find("outputs")->items)
    EXPECT_THAT(docs, HasSubstr(concat("| `", item.key, "` | ", item.find("description")->text, " |")));
}

}  // namespace
}  // namespace crategate::app
