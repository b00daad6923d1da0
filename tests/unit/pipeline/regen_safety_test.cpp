#include "pipeline/regen_safety.h"

#include <gmock/gmock.h>

namespace crategate::pipeline {
namespace {

using ::testing::HasSubstr;

TEST(RegenSafety, RefusesAWriteTokenAndAKeptLoginAndNamesTheWorkflow) {
  using Rights = RegenSurroundings::Rights;
  EXPECT_TRUE(require_harmless({.token = Rights::only_reads, .kept_logins = {}}));
  const struct {
    RegenSurroundings found;
    const char *message, *hint;
  } rows[] = {
      {{}, "one that may", "contents: read"},
      {{.token = Rights::may_write, .kept_logins = {}}, "one that may", "contents: read"},
      {{.token = Rights::no_token, .kept_logins = {}}, "the job's own token", "Leave the input github-token out"},
      {{.token = Rights::only_reads, .has_push_token = true, .kept_logins = {}}, "no push-token", "apply-regen alone"},
      {{.token = Rights::only_reads, .kept_logins = {"http.extraheader", "RUNNER_TEMP/x"}},
       "http.extraheader, RUNNER_TEMP/x",
       "persist-credentials: false"},
  };
  for (const auto& row : rows) {
    const auto judged = require_harmless(row.found);
    ASSERT_FALSE(judged) << row.message;
    EXPECT_EQ(judged.error().code, ErrorCode::bad_input);
    EXPECT_THAT(judged.error().message, HasSubstr(row.message));
    EXPECT_THAT(judged.error().hint, HasSubstr(row.hint));
    EXPECT_THAT(judged.error().hint, HasSubstr("regen.yml"));
  }
}

}  // namespace
}  // namespace crategate::pipeline
