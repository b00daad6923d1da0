// The command line: what is understood, and what is said about the rest.
#include "app/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/strings.h"

namespace crategate::app {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using Words = std::vector<std::string>;

CommandLine parsed(const Words& words) {
  auto line = parse_command_line(words);
  EXPECT_TRUE(line) << join(words, " ") << ": " << describe(line.error());
  return line ? *std::move(line) : CommandLine{};
}

/// `option=value` of each setting, in order.
Words given(const Words& words) {
  Words text;
  for (const auto& each : parsed(words).given) text.push_back(concat(each.option, "=", each.value));
  return text;
}

struct GoodCase {
  std::string what;
  Words words, expected;
};

void PrintTo(const GoodCase& row, std::ostream* out) { *out << row.what; }

class GoodOptions : public ::testing::TestWithParam<GoodCase> {};

TEST_P(GoodOptions, BecomeSettings) { EXPECT_EQ(given(GetParam().words), GetParam().expected); }

INSTANTIATE_TEST_SUITE_P(
    Table, GoodOptions,
    ::testing::Values(
        GoodCase{"none", {"plan"}, {}}, GoodCase{"value behind it", {"plan", "--event", "push"}, {"event=push"}},
        GoodCase{"value attached", {"plan", "--event=push"}, {"event=push"}},
        GoodCase{"value with an equals sign", {"plan", "--event=a=b"}, {"event=a=b"}},
        GoodCase{"empty value", {"plan", "--event="}, {"event="}},
        GoodCase{"value that looks like an option", {"plan", "--ref", "--x"}, {"ref=--x"}},
        GoodCase{"before the command", {"--event", "push", "plan"}, {"event=push"}},
        GoodCase{"boolean alone", {"plan", "--dry-run"}, {"dry-run=true"}},
        GoodCase{"boolean at the end", {"plan", "--dry-run", "--rebuild-base"}, {"dry-run=true", "rebuild-base=true"}},
        GoodCase{"boolean with a word", {"plan", "--publish", "false"}, {"publish=false"}},
        GoodCase{"boolean attached", {"plan", "--publish=false"}, {"publish=false"}},
        GoodCase{"boolean before another word", {"explain", "--dry-run", "policy"}, {"dry-run=true"}},
        GoodCase{"own section left out", {"test", "--timeout", "10m"}, {"test-timeout=10m"}},
        GoodCase{"own section in full", {"test", "--test-timeout", "10m"}, {"test-timeout=10m"}},
        GoodCase{"another section's name", {"test", "--check-timeout", "10m"}, {"check-timeout=10m"}},
        GoodCase{"the invocation's timeout", {"plan", "--timeout", "10m"}, {"timeout=10m"}},
        GoodCase{"name known from docker", {"build", "--build-args", "A=b"}, {"build-build-args=A=b"}},
        GoodCase{"list twice",
                 {"run", "--only", "runtime=cpu", "--only", "python=3.11"},
                 {"only=runtime=cpu\npython=3.11"}}));

struct BadCase {
  std::string what;
  Words words;
  std::string said, hint;
};

void PrintTo(const BadCase& row, std::ostream* out) { *out << row.what; }

class BadOptions : public ::testing::TestWithParam<BadCase> {};

TEST_P(BadOptions, AreBadInputWithAHint) {
  const auto line = parse_command_line(GetParam().words);
  ASSERT_FALSE(line);
  EXPECT_EQ(line.error().code, ErrorCode::bad_input);
  EXPECT_THAT(line.error().message, HasSubstr(GetParam().said));
  EXPECT_THAT(line.error().hint, HasSubstr(GetParam().hint));
  EXPECT_FALSE(line.error().hint.empty());
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadOptions,
    ::testing::Values(
        BadCase{"unknown command", {"plann"}, "unknown command \"plann\"", "Did you mean plan?"},
        BadCase{"near a group", {"ci-imgae"}, "unknown command \"ci-imgae\"", "Did you mean ci-image?"},
        BadCase{"help of no command", {"help", "plann"}, "unknown command \"plann\"", "Did you mean plan?"},
        BadCase{"nothing near", {"xyzzy"}, "unknown command \"xyzzy\"", "crategate --help"},
        BadCase{"command in capitals", {"PLAN"}, "unknown command", ""},
        BadCase{"empty command", {""}, "unknown command \"\"", ""},
        BadCase{"control characters", {"pl\x1b[31man\n"}, "\\x1b", ""},
        BadCase{"unknown option", {"plan", "--evnt", "push"}, "unknown option \"--evnt\"", "Did you mean --event?"},
        BadCase{"unknown option, nothing near", {"plan", "--xyzzy"}, "unknown option", "crategate plan --help"},
        BadCase{"unknown option with a value", {"plan", "--evnt=push"}, "unknown option \"--evnt\"", "--event"},
        BadCase{"near the short form of the own section", {"test", "--mount", "a:/b"}, "unknown option", "--mounts"},
        BadCase{"one dash", {"plan", "-event", "push"}, "unknown option \"-event\"", "--event"},
        BadCase{"one letter", {"plan", "-v"}, "unknown option \"-v\"", "crategate plan --help"},
        BadCase{"one dash before the command", {"-v"}, "unknown option \"-v\"", "crategate --help"},
        BadCase{"two dashes", {"plan", "--"}, "unknown option \"--\"", ""},
        BadCase{"a word too many", {"plan", "v1.2.3"}, "\"v1.2.3\"", "crategate plan --help"},
        BadCase{
            "two words behind explain", {"explain", "policy", "test.timeout"}, "\"test.timeout\"", "explain --help"},
        BadCase{"a second boolean word", {"plan", "--dry-run", "yes"}, "\"yes\"", ""},
        BadCase{"no value", {"plan", "--event"}, "--event: expected a value", "--event=VALUE"},
        BadCase{"twice", {"plan", "--event", "push", "--event", "push"}, "--event: expected once", "once"},
        BadCase{"twice under two names", {"test", "--timeout", "1m", "--test-timeout", "2m"}, "expected once", "once"},
        BadCase{"boolean twice", {"plan", "--dry-run", "--dry-run=false"}, "--dry-run: expected once", "once"},
        BadCase{"configuration twice", {"plan", "--config", "a", "--config", "b"}, "--config: expected once", "once"},
        BadCase{"plain option with a value", {"plan", "--json=yes"}, "--json: expected no value", "--json alone"},
        BadCase{"log format", {"plan", "--log-format", "xml"}, "expected text or json", "--log-format=json"},
        BadCase{"log format without a value", {"plan", "--log-format"}, "expected a value", ""},
        BadCase{"check elsewhere than with generate", {"plan", "--check"}, "unknown option \"--check\"", ""}));

TEST(PlainOptions, AreAboutPrintingAndFiles) {
  const auto line = parsed({"generate", "--config", "a.yml", "--workspace=/w", "--json", "--quiet", "--verbose",
                            "--no-color", "--log-format=json", "--check"});
  EXPECT_EQ(line.command, "generate");
  EXPECT_EQ(line.config_file, "a.yml");
  EXPECT_EQ(line.workspace, "/w");
  EXPECT_TRUE(line.json && line.quiet && line.verbose && line.no_color && line.check_only);
  EXPECT_EQ(line.log_format, "json");
  EXPECT_THAT(line.given, IsEmpty());
}

TEST(PlainOptions, AskForHelpOrTheVersion) {
  EXPECT_TRUE(parsed({"--help"}).help);
  EXPECT_TRUE(parsed({"-h"}).help);
  EXPECT_TRUE(parsed({"plan", "-h"}).help);
  EXPECT_TRUE(parsed({"help"}).help);
  EXPECT_EQ(parsed({"help", "ci-image", "tags"}).command, "ci-image tags");
  EXPECT_TRUE(parsed({"help", "plan"}).help);
  EXPECT_TRUE(parsed({"--version"}).version);
  EXPECT_EQ(parsed({}).command, "");
}

TEST(GroupsOfCommands, HaveAHelpOfTheirOwn) {
  for (const Words& words : {Words{"registry", "--help"}, Words{"registry", "-h"}, Words{"--help", "registry"},
                             Words{"help", "registry"}, Words{"registry", "--json", "--help"}}) {
    const auto line = parsed(words);
    EXPECT_TRUE(line.help) << join(words, " ");
    EXPECT_EQ(line.group, "registry") << join(words, " ");
    EXPECT_EQ(line.command, "") << join(words, " ");
  }
  EXPECT_EQ(parsed({"registry", "ls", "--help"}).group, "");
  for (const auto& group : {"registry", "artifact"}) {
    const std::string help = group_help(group);
    EXPECT_EQ(help.find("  crategate "), 0U);
    for (const auto& command : command_table()) {
      const bool own = command.name.starts_with(concat(group, " "));
      EXPECT_EQ(help.find(concat("\n  ", command.name, " ")) != std::string::npos, own) << command.name;
    }
  }
}

TEST(GroupsOfCommands, AreNoCommands) {
  for (const Words& words : {Words{"registry"}, Words{"registry", "--json"}, Words{"registry", "--json", "ls"},
                             Words{"registry", "list", "--help"}}) {
    const auto line = parse_command_line(words);
    ASSERT_FALSE(line) << join(words, " ");
    EXPECT_EQ(line.error().code, ErrorCode::bad_input);
  }
  EXPECT_THAT(parse_command_line({"registry"}).error().message, HasSubstr("expected one of ls, inspect, copy"));
}

TEST(GivenSettings, KnowHowTheyWereWritten) {
  const auto line = parsed({"test", "--timeout", "10m"});
  ASSERT_THAT(line.given, SizeIs(1));
  EXPECT_EQ(line.given[0].origin.kind, config::OriginKind::command_line);
  EXPECT_EQ(line.given[0].origin.text(), "--timeout");
}

TEST(Explain, TakesASetting) {
  EXPECT_THAT(parsed({"explain", "test.timeout"}).positional, ElementsAre("test.timeout"));
}

TEST(EverySetting, IsAnOption) {
  for (const auto& row : config::settings_table()) {
    const std::string option = config::option_name(row);
    const auto line = parse_command_line({"run", concat("--", option, "=x")});
    ASSERT_TRUE(line) << option;
    ASSERT_THAT(line->given, SizeIs(1)) << option;
    EXPECT_EQ(line->given[0].option, option);
  }
}

TEST(SeedNames, AreOptionsInKebabCase) {
  const auto line = parsed({"plan", "--cache-image-prefix", "me/cache", "--rebuild-flag", "--DEPS=ci"});
  ASSERT_THAT(line.given, SizeIs(3));
  EXPECT_EQ(line.given[0].option, "CACHE_IMAGE_PREFIX");
  EXPECT_EQ(line.given[0].value, "me/cache");
  EXPECT_EQ(line.given[0].origin.name, "--cache-image-prefix");
  EXPECT_EQ(line.given[1].value, "true");
  EXPECT_EQ(line.given[2].option, "DEPS");
  EXPECT_TRUE(parsed({"--version"}).version);
}

TEST(HelpText, ShowsEveryCommandAndAnExampleFirst) {
  const std::string help = help_text(nullptr);
  EXPECT_THAT(help, ::testing::Not(HasSubstr("cleanup-here"))) << "crategate runs it itself";
  for (const auto& command : command_table()) {
    EXPECT_EQ(help.find(concat("\n  ", command.name, " ")) == std::string::npos, command.hidden) << command.name;
  }
  for (const auto& command : command_table()) {
    const std::string own = help_text(&command);
    EXPECT_EQ(own.find("  crategate "), 0U) << own.substr(0, 60);
    EXPECT_THAT(own, HasSubstr(std::string(command.summary)));
    EXPECT_THAT(own, HasSubstr("--dry-run"));
    for (const auto& line : split(own, '\n')) EXPECT_LE(line.size(), 200U) << line;
  }
  EXPECT_THAT(help_text(find_command("generate")), HasSubstr("--check"));
  EXPECT_THAT(help_text(find_command("test")), HasSubstr("--mounts"));
  EXPECT_THAT(help_text(find_command("cleanup")), HasSubstr("--yes"));
  EXPECT_TRUE(parsed({"cleanup", "--yes"}).yes);
  EXPECT_FALSE(parse_command_line({"plan", "--yes"}));
}

TEST(Examples, Parse) {
  for (const auto& command : command_table()) {
    auto words = split(command.example, ' ');
    ASSERT_EQ(words.front(), "crategate");
    words.erase(words.begin());
    EXPECT_EQ(parsed(words).command, command.name);
  }
}

}  // namespace
}  // namespace crategate::app
