// The App that pushes: what may be given together, and to which command.
#include "app/push_app.h"

#include <gmock/gmock.h>

#include "app/application.h"
#include "app/options.h"
#include "base/strings.h"
#include "stages/project.h"

namespace crategate::app {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kApply = "ci-image regen-apply";
const std::string kKey = "-----BEGIN A KEY-----\nopen-sesame-0123456789\n-----END A KEY-----";

config::Invocation given(const std::string& id, const std::string& key, const std::string& token = {}) {
  config::Invocation invocation;
  invocation.push_app_id = id;
  invocation.push_app_key_text = key;
  invocation.push_token_text = token;
  return invocation;
}

TEST(PushApp, IsTakenWithItsKey) {
  for (const std::string& key : {kKey, replace_all(kKey, "\n", "\\n")}) {
    auto invocation = given("12", key);
    const auto app = take_push_app(invocation, kApply);
    ASSERT_TRUE(app) << describe(app.error());
    ASSERT_TRUE(*app);
    EXPECT_EQ((*app)->id, "12");
    EXPECT_EQ((*app)->key.reveal(), kKey);
    EXPECT_EQ(invocation.push_app_key_text, "");
    EXPECT_THAT(redact(concat("x ", key)), Not(HasSubstr("sesame")));
  }
}

TEST(PushApp, IsNoneWhereNothingIsGiven) {
  for (const std::string_view command : {kApply, std::string_view("plan")}) {
    auto invocation = given("", "", "ghp_of-a-person");
    const auto app = take_push_app(invocation, command);
    ASSERT_TRUE(app);
    EXPECT_FALSE(*app);
  }
}

TEST(PushApp, IsRefusedWhereItCannotBeMeant) {
  const struct {
    const char* name;
    std::string_view command;
    config::Invocation invocation;
    const char* message;
  } rows[] = {
      {"no key", kApply, given("12", ""), "found only push-app-id"},
      {"no id", kApply, given("", kKey), "found only push-app-key"},
      {"both", kApply, given("12", kKey, "ghp_of-a-person"), "expected either push-token or push-app-id, found both"},
      {"another command", "ci-image regen", given("12", kKey), "expected the command ci-image regen-apply"},
      {"another command, id alone", "plan", given("12", ""), "expected the command ci-image regen-apply"},
      {"key in the id's place", kApply, given(kKey, kKey), "push-app-id: expected an App id or client id"},
      {"a name", kApply, given("my app", kKey), "push-app-id: expected an App id or client id"},
      {"endless", kApply, given(std::string(101, '1'), kKey), "found 101 characters"},
  };
  for (auto row : rows) {
    const auto app = take_push_app(row.invocation, row.command);
    ASSERT_FALSE(app) << row.name;
    EXPECT_EQ(app.error().code, ErrorCode::bad_input) << row.name;
    EXPECT_THAT(describe(app.error()), HasSubstr(row.message)) << row.name;
    EXPECT_THAT(concat(describe(app.error()), app.error().hint), Not(HasSubstr("sesame"))) << row.name;
  }
}

/// Through options, inputs and the configuration: digits stay text, and a key keeps its lines.
TEST(PushApp, MakesAnotherPushThanTheJob) {
  const stages::sample::Project project;
  const struct {
    std::vector<std::string> options;
    bool other;
  } rows[] = {{{}, false},
              {{"--push-token=env:TEST_PUSH_SECRET"}, true},
              {{"--push-app-id=0012", "--push-app-key=env:TEST_PUSH_SECRET"}, true}};
  ::setenv("TEST_PUSH_SECRET", kKey.c_str(), 1);
  for (const auto& row : rows) {
    std::vector<std::string> words{"ci-image", "regen-apply", "--workspace=" + project.workspace.root.string()};
    words.insert(words.end(), row.options.begin(), row.options.end());
    auto app = Application::create(parse_command_line(words).value());
    const auto loaded = app->load();
    ASSERT_TRUE(loaded) << describe(loaded.error());
    EXPECT_EQ(app->has_push_token(), row.other);
    EXPECT_EQ(app->invocation().push_app_key_text, "");
    EXPECT_EQ(app->invocation().push_app_id, row.other && row.options.size() == 2 ? "0012" : "");
  }
}

}  // namespace
}  // namespace crategate::app
