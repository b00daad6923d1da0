// The action's own inputs: which stage a container without words runs, and what is refused.
#include "app/action_inputs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/strings.h"
#include "support/fakes.h"

namespace crategate::app {
namespace {

using testing::HasSubstr;
using Variables = std::map<std::string, std::string>;

Result<CommandLine> in_action(Variables inputs, CommandLine line = {}) {
  inputs["GITHUB_ACTIONS"] = "true";
  return with_action_inputs(std::move(line), test::FakeEnvironment(std::move(inputs)));
}

TEST(ActionInputs, NameTheStageOfEveryCommand) {
  for (const auto& command : command_table()) {
    if (command.hidden) {
      EXPECT_FALSE(in_action({{"INPUT_STAGE", std::string(command.name)}})) << "crategate's own";
      continue;
    }
    const auto line = in_action({{"INPUT_STAGE", concat(" ", command.name, "\n")}});
    ASSERT_TRUE(line) << command.name << ": " << describe(line.error());
    EXPECT_EQ(line->command, command.name);
    EXPECT_TRUE(line->positional.empty());
  }
}

TEST(ActionInputs, NameACommandByItsNameAsAStage) {
  const auto line = in_action({{"INPUT_STAGE", "resolve-image"}});
  ASSERT_TRUE(line) << describe(line.error());
  EXPECT_EQ(line->command, "ci-image resolve");
  EXPECT_EQ(in_action({{"INPUT_STAGE", "comment"}})->command, "ci-image comment");
  CommandLine words;
  words.command = "ci-image resolve";
  EXPECT_TRUE(in_action({{"INPUT_STAGE", "resolve-image"}}, words));
  EXPECT_THAT(in_action({{"INPUT_STAGE", "resolve-imag"}}).error().hint, HasSubstr("Did you mean resolve-image?"));
}

TEST(ActionInputs, TakeThePlaceOfOptions) {
  const auto line = in_action({{"INPUT_STAGE", "generate"},
                               {"INPUT_CONFIG", "ci/images.yml"},
                               {"INPUT_WORKSPACE", "part"},
                               {"INPUT_CHECK", "TRUE"},
                               {"INPUT_QUIET", "false"},
                               {"INPUT_VERBOSE", "true"}});
  ASSERT_TRUE(line) << describe(line.error());
  EXPECT_EQ(line->config_file, "ci/images.yml");
  EXPECT_EQ(line->workspace, "part");
  EXPECT_TRUE(line->check_only && line->verbose && !line->quiet);
}

TEST(ActionInputs, RemoveOnlyWhatIsAskedFor) {
  EXPECT_FALSE(in_action({{"INPUT_STAGE", "prune-ci-image"}})->yes);
  EXPECT_FALSE(in_action({{"INPUT_STAGE", "prune-ci-image"}, {"INPUT_REMOVE", "false"}})->yes);
  const auto line = in_action({{"INPUT_STAGE", "prune-ci-image"}, {"INPUT_REMOVE", "true"}});
  ASSERT_TRUE(line) << describe(line.error());
  EXPECT_EQ(line->command, "ci-image prune");
  EXPECT_TRUE(line->yes);
}

TEST(ActionInputs, GiveWayToTheCommandLine) {
  CommandLine words;
  words.command = "plan";
  words.config_file = "own.yml";
  const auto line = in_action({{"INPUT_CONFIG", "other.yml"}}, words);
  ASSERT_TRUE(line) << describe(line.error());
  EXPECT_EQ(line->command, "plan");
  EXPECT_EQ(line->config_file, "own.yml");
}

TEST(ActionInputs, AreNotReadOutsideARunner) {
  const auto line = with_action_inputs({}, test::FakeEnvironment({{"INPUT_STAGE", "plan"}, {"INPUT_CONFIG", "x"}}));
  ASSERT_TRUE(line);
  EXPECT_EQ(line->command, "");
  EXPECT_EQ(line->config_file, "");
}

TEST(ActionInputs, LeaveHelpAndVersionAlone) {
  CommandLine words;
  words.version = true;
  EXPECT_TRUE(in_action({}, words));
}

struct BadCase {
  std::string what;
  Variables inputs;
  std::string command, said, hint;
};
void PrintTo(const BadCase& row, std::ostream* out) { *out << row.what; }

class BadActionInputs : public testing::TestWithParam<BadCase> {};

TEST_P(BadActionInputs, AreBadInputWithAHint) {
  CommandLine words;
  words.command = GetParam().command;
  const auto line = in_action(GetParam().inputs, words);
  ASSERT_FALSE(line);
  EXPECT_EQ(line.error().code, ErrorCode::bad_input);
  EXPECT_THAT(line.error().message, HasSubstr(GetParam().said));
  EXPECT_THAT(line.error().hint, HasSubstr(GetParam().hint));
  EXPECT_EQ(line.error().message.find('\n'), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadActionInputs,
    testing::Values(
        BadCase{"no stage", {}, "", "expected one of run, plan, check", "stage: plan"},
        BadCase{"an empty stage", {{"INPUT_STAGE", "  "}}, "", "found nothing", "stage: plan"},
        BadCase{"a misspelt stage", {{"INPUT_STAGE", "plann"}}, "", "found \"plann\"", "Did you mean plan?"},
        BadCase{"capitals", {{"INPUT_STAGE", "Plan"}}, "", "found \"Plan\"", "Did you mean plan?"},
        BadCase{"half a name", {{"INPUT_STAGE", "artifact"}}, "", "artifact upload", ""},
        BadCase{"words behind it", {{"INPUT_STAGE", "artifact upload logs out"}}, "", "found \"artifact upload", ""},
        BadCase{"an option", {{"INPUT_STAGE", "plan --dry-run"}}, "", "found \"plan --dry-run\"", ""},
        BadCase{"a workflow command", {{"INPUT_STAGE", "x\n::set-env name=A::b"}}, "", "found \"x", ""},
        BadCase{"two stages", {{"INPUT_STAGE", "push"}}, "plan", "expected what the command line says, plan", "both"},
        BadCase{"no boolean", {{"INPUT_STAGE", "plan"}, {"INPUT_QUIET", "yes"}}, "", "input quiet: expected true", ""},
        BadCase{"check of another stage", {{"INPUT_STAGE", "plan"}, {"INPUT_CHECK", "true"}}, "", "generate", ""},
        BadCase{"remove of another stage",
                {{"INPUT_STAGE", "cleanup"}, {"INPUT_REMOVE", "true"}},
                "",
                "prune-ci-image",
                ""}));

}  // namespace
}  // namespace crategate::app
