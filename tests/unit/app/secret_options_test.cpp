// Secrets of the command line: named there, and nowhere printed.
#include "app/secret_options.h"

#include <gmock/gmock.h>

#include "base/strings.h"
#include "support/fakes.h"

namespace crategate::app {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

config::Given given(std::string option, std::string value, config::OriginKind kind = config::OriginKind::command_line) {
  const bool input = kind == config::OriginKind::input;
  return {option, std::move(value), {.kind = kind, .where = {}, .name = concat(input ? "input " : "--", option)}};
}

TEST(SecretOptions, AreTheValuesOfTheVariablesThatTheyName) {
  const test::FakeEnvironment environment({{"A", "hunter2"}, {"EMPTY", ""}});
  std::vector<config::Given> all = {given("password", "env:A"), given("username", "env:A"),
                                    given("github-token", "as it is", config::OriginKind::input),
                                    given("push-token", "env:EMPTY", config::OriginKind::input)};
  const auto filled = fill_in_secrets(all, environment);
  ASSERT_TRUE(filled) << describe(filled.error());
  EXPECT_EQ(all[0].value, "hunter2");
  EXPECT_EQ(all[1].value, "env:A") << "no secret";
  EXPECT_EQ(all[2].value, "as it is") << "the runner hands it over as a variable";
  EXPECT_EQ(all[3].value, "env:EMPTY");
}

TEST(SecretOptions, AreNoSecretsThemselves) {
  test::FakeEnvironment environment;
  environment.set("EMPTY", "");
  for (const char* option : {"password", "github-token", "push-token", "push-app-key"}) {
    for (const char* value : {"", "hunter2", "env:", "env:hunter2", "env:EMPTY", "ENV:EMPTY"}) {
      std::vector<config::Given> all = {given(option, value)};
      const auto filled = fill_in_secrets(all, environment);
      ASSERT_FALSE(filled) << option << " " << value;
      EXPECT_EQ(filled.error().code, ErrorCode::bad_input);
      const std::string shown = concat(describe(filled.error()), " ", filled.error().hint);
      EXPECT_THAT(shown, HasSubstr(concat("Write --", option, " env:NAME")));
      EXPECT_THAT(shown, Not(HasSubstr("hunter2")));
    }
  }
}

}  // namespace
}  // namespace crategate::app
