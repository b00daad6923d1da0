// The settings table against everything that repeats it: defaults, parser, JSON Schema, docs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

#include "base/strings.h"
#include "config/settings.h"
#include "config/yaml.h"
#include "json/value.h"

namespace crategate::config {
namespace {

using testing::HasSubstr;

constexpr std::string_view kPinned = "a@sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc";
constexpr std::string_view kEverySection = "check: {}\nscan: {}\ntest: {}\nci-image: {}\n";

std::string read(const std::string& path) {
  std::ifstream in(concat(CRATEGATE_SOURCE_DIR, "/", path), std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

Given option(const Setting& setting, std::string_view value) {
  return {option_name(setting), std::string(value), {OriginKind::command_line, {}, "--" + option_name(setting)}};
}

std::vector<std::string> fallback_items(const Setting& setting) {
  if (setting.fallback.empty()) return {};
  const auto node = parse_yaml(setting.fallback, std::make_shared<const Source>());
  EXPECT_TRUE(node) << setting.name;
  std::vector<std::string> out;
  for (const Node& item : node->items) out.push_back(item.text);
  return out;
}

TEST(SettingsTable, NamesAndOptionsAreUnique) {
  std::set<std::string> options, names;
  for (const Setting& setting : settings_table()) {
    EXPECT_TRUE(options.insert(option_name(setting)).second) << setting.name;
    EXPECT_TRUE(names.insert(concat(setting.name, setting.file ? "" : " of the invocation")).second) << setting.name;
    if (!setting.short_name.empty()) {
      EXPECT_TRUE(options.insert(std::string(setting.short_name)).second) << setting.name;
    }
  }
}

TEST(SettingsTable, EveryRowIsFoundByItsNames) {
  for (const Setting& setting : settings_table()) {
    EXPECT_EQ(find_setting(option_name(setting)), &setting);
    if (!setting.short_name.empty()) {
      EXPECT_EQ(find_setting(setting.short_name), &setting);
    }
  }
  EXPECT_EQ(find_setting("nothing-like-it"), nullptr);
  EXPECT_EQ(find_setting(""), nullptr);
}

TEST(SettingsTable, EverySeedNameStandsForASettingAndHidesNone) {
  for (const SeedName& row : seed_names()) {
    EXPECT_NE(find_setting(row.setting), nullptr) << row.name;
    EXPECT_EQ(find_seed_name(row.name), &row);
    EXPECT_EQ(find_seed_name(replace_all(to_lower(row.name), "_", "-")), &row);
    const Setting* same = find_setting(row.name);
    EXPECT_TRUE(same == nullptr || option_name(*same) == row.setting) << row.name;
  }
  EXPECT_EQ(find_seed_name("RUN_TIME"), nullptr);
}

TEST(SettingsTable, EveryDescriptionIsOneSentence) {
  for (const Setting& setting : settings_table()) {
    EXPECT_TRUE(setting.description.ends_with('.')) << setting.name;
    EXPECT_EQ(setting.description.find(". "), std::string_view::npos) << setting.name;
  }
}

TEST(SettingsTable, EveryFallbackIsTheDefaultInForce) {
  const auto plain = load(File{"f", std::string(kEverySection)}, {});
  ASSERT_TRUE(plain);
  for (const Setting& setting : settings_table()) {
    if (setting.fallback.empty()) continue;
    const auto given = load(File{"f", std::string(kEverySection)}, {option(setting, setting.fallback)});
    ASSERT_TRUE(given) << setting.name << ": " << describe(given.error());
    EXPECT_EQ(given->configuration, plain->configuration) << setting.name;
    EXPECT_EQ(given->invocation, plain->invocation) << setting.name;
  }
}

TEST(SettingsTable, EveryRowReachesTheTypedConfiguration) {
  const auto plain = load(File{"f", std::string(kEverySection)}, {});
  ASSERT_TRUE(plain);
  const std::map<std::string_view, std::string_view> special = {{"axes", "{a: [b]}"},
                                                                {"policy", "{push: {cells: none}}"},
                                                                {"ci-image.branches", "{a: b}"},
                                                                {"only", "a=b"},
                                                                {"build.frontends", kPinned},
                                                                {"scan.image", kPinned},
                                                                {"cleanup.image", kPinned},
                                                                {"cleanup.paths", "/a"},
                                                                {"regen.bots", "a[bot]"}};
  for (const Setting& setting : settings_table()) {
    if (setting.name == "exclude" || setting.name == "include" || setting.choices == "trivy") continue;
    std::string value = "a=b";
    if (setting.type == SettingType::boolean) value = setting.fallback == "true" ? "false" : "true";
    if (setting.type == SettingType::duration) value = "7s";
    if (setting.type == SettingType::number) value = "7";
    if (setting.name.ends_with("platforms")) value = "linux/arm64";
    if (setting.name == "test.mounts") value = "a:/b";
    if (!setting.choices.empty()) value = split(setting.choices, '|').back();
    if (const auto at = special.find(setting.name); at != special.end()) value = at->second;
    const auto given = load(File{"f", std::string(kEverySection)}, {option(setting, value)});
    ASSERT_TRUE(given) << setting.name << ": " << describe(given.error());
    EXPECT_FALSE(given->configuration == plain->configuration && given->invocation == plain->invocation)
        << setting.name << " changes nothing";
  }
}

TEST(SettingsTable, ChoicesAreExactlyTheWordsTheParserAccepts) {
  for (const Setting& setting : settings_table()) {
    if (setting.choices.empty()) continue;
    for (const std::string& word : split(setting.choices, '|'))
      EXPECT_TRUE(load(std::nullopt, {option(setting, word)})) << setting.name << " " << word;
    const auto refused = load(std::nullopt, {option(setting, "nonsense")});
    ASSERT_FALSE(refused) << setting.name;
    for (const std::string& word : split(setting.choices, '|'))
      EXPECT_THAT(refused.error().message, HasSubstr(word)) << setting.name;
  }
}

class Schema : public testing::Test {
 protected:
  void SetUp() override {
    auto parsed = json::Document::parse(read("crategate.schema.json"), "crategate.schema.json");
    ASSERT_TRUE(parsed) << describe(parsed.error());
    document_.emplace(*std::move(parsed));
  }

  static json::Reader at(const json::Reader& reader, std::string_view key) {
    const auto member = reader.at(key);
    EXPECT_TRUE(member) << (member ? "" : describe(member.error()));
    return member ? *member : reader;
  }

  /// Dotted name → its schema, for every leaf.
  std::map<std::string, json::Reader> leaves() const {
    std::map<std::string, json::Reader> out;
    const auto top = at(document_->root(), "properties").members();
    EXPECT_TRUE(top);
    for (const auto& [name, schema] : *top) {
      const auto nested = schema.find("properties");
      if (!nested || !*nested) {
        out.emplace(name, schema);
        continue;
      }
      EXPECT_EQ(at(schema, "additionalProperties").dump(), "false") << name;
      EXPECT_FALSE(schema.string("description")->empty()) << name;
      const auto members = (*nested)->members();
      EXPECT_TRUE(members) << name;
      for (const auto& [key, leaf] : *members) out.emplace(concat(name, ".", key), leaf);
    }
    return out;
  }

  std::optional<json::Document> document_;
};

TEST_F(Schema, HasExactlyTheKeysOfTheTable) {
  std::set<std::string> expected, found;
  for (const Setting& setting : settings_table()) {
    if (setting.file) expected.emplace(setting.name);
  }
  for (const auto& [name, leaf] : leaves()) found.insert(name);
  EXPECT_EQ(found, expected);
  EXPECT_EQ(at(document_->root(), "additionalProperties").dump(), "false");
}

TEST_F(Schema, RepeatsDescriptionsDefaultsAndChoices) {
  const auto all = leaves();
  for (const Setting& setting : settings_table()) {
    if (!setting.file || !all.contains(std::string(setting.name))) continue;
    const json::Reader& leaf = all.at(std::string(setting.name));
    EXPECT_EQ(leaf.string("description").value_or(""), setting.description) << setting.name;
    const auto fallback = leaf.find("default");
    ASSERT_TRUE(fallback) << setting.name;
    EXPECT_EQ(fallback->has_value(), !setting.fallback.empty()) << setting.name;
    if (setting.type == SettingType::list) {
      EXPECT_EQ(leaf.strings("default").value(), fallback_items(setting)) << setting.name;
    } else if (fallback->has_value()) {
      const std::string text = (*fallback)->is_string() ? (*fallback)->as_string().value() : (*fallback)->dump();
      EXPECT_EQ(text, setting.fallback) << setting.name;
    }
    const auto words = setting.choices.empty() ? std::vector<std::string>{} : split(setting.choices, '|');
    EXPECT_EQ(leaf.strings("enum").value(), words) << setting.name;
  }
}

TEST(SettingsDocs, ListEveryRowWithItsNamesAndDefault) {
  const std::string docs = read("docs/configuration.md");
  for (const Setting& setting : settings_table()) {
    std::string row =
        concat("| ", setting.file ? concat("`", setting.name, "`") : "–", " | `", option_name(setting), "`");
    if (!setting.short_name.empty()) row += concat(", `", setting.short_name, "`");
    for (const SeedName& seed : seed_names()) {
      if (seed.setting == option_name(setting) && seed.pattern == "*") row += concat(", `", seed.name, "`");
    }
    row += setting.fallback.empty() ? std::string(" | – | ") : concat(" | `", setting.fallback, "` | ");
    EXPECT_THAT(docs, HasSubstr(concat(row, setting.description))) << setting.name;
  }
}

TEST(SettingsDocs, TheCompleteFileLoads) {
  const std::string docs = read("docs/configuration.md");
  const auto section = docs.find("## A complete file");
  ASSERT_NE(section, std::string::npos);
  const auto begin = docs.find("```yaml\n", section) + 8;
  const auto loaded = load(File{"docs", docs.substr(begin, docs.find("```", begin) - begin)}, {});
  ASSERT_TRUE(loaded) << describe(loaded.error());
  EXPECT_TRUE(require_project(*loaded));
}

}  // namespace
}  // namespace crategate::config
