#include "github/permission.h"

#include <gmock/gmock.h>

namespace crategate::github {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(AcceptedPermissions, AreAlternativesOfSets) {
  EXPECT_EQ(accepted_permissions("actions=read"), (std::vector<PermissionSet>{{{"actions", "read"}}}));
  EXPECT_EQ(
      accepted_permissions("contents=read,pull_requests=write; administration=write"),
      (std::vector<PermissionSet>{{{"contents", "read"}, {"pull-requests", "write"}}, {{"administration", "write"}}}));
  for (const char* text : {"", ";", "actions", "actions=", "actions=all", "=read", "actions=read=write", "ACTIONS=read",
                           "allows_permissionless_access=true", "a\x1b[31m=read", "actions=read,x y=read"})
    EXPECT_TRUE(accepted_permissions(text).empty()) << text;
}

struct HintRow {
  const char* name;
  const char* header;
  const char* needs;
  const char* expected;
};

class PermissionHint : public testing::TestWithParam<HintRow> {};

TEST_P(PermissionHint, NamesTheLineToAdd) {
  EXPECT_THAT(permission_hint(GetParam().header, GetParam().needs), HasSubstr(GetParam().expected));
}

INSTANTIATE_TEST_SUITE_P(
    Rows, PermissionHint,
    testing::Values(HintRow{"WhatWeKnow", "", "actions: read", "`permissions: actions: read`"},
                    HintRow{"WhatTheAnswerKnows", "actions=write", "actions: read", "`permissions: actions: write`"},
                    HintRow{"WhatWeKnowAmongAlternatives", "issues=write; pull_requests=write", "pull-requests: write",
                            "`permissions: pull-requests: write`"},
                    HintRow{"WhoMayWriteMayRead", "issues=read; pull_requests=read", "pull-requests: write",
                            "`permissions: pull-requests: write`"},
                    HintRow{"SeveralAtOnce", "contents=read,pull_requests=write", "",
                            "`permissions: {contents: read, pull-requests: write}`"},
                    HintRow{"TheAlternativeThatAWorkflowCanGrant", "administration=read; actions=read", "",
                            "`permissions: actions: read`"},
                    HintRow{"WhatAWorkflowCannotGrant", "administration=read", "actions: read", "GitHub App"},
                    HintRow{"AdminIsNoLevelOfAWorkflow", "contents=admin", "", "GitHub App"},
                    HintRow{"MetadataIsAlwaysGranted", "metadata=read", "", "who may see this repository"},
                    HintRow{"MetadataTellsNothingNew", "metadata=read", "actions: read",
                            "`permissions: actions: read`"},
                    HintRow{"Nothing", "", "", "who may see this repository"}),
    [](const auto& each) { return std::string(each.param.name); });

TEST(PermissionHint, RepeatsNothingThatIsNoPermission) {
  EXPECT_THAT(permission_hint("##[error]x=read; ::set-env=read", "actions: read"), Not(HasSubstr("##[")));
  EXPECT_THAT(permission_hint("##[error]x=read; ::set-env=read", "actions: read"), Not(HasSubstr("::")));
}

}  // namespace
}  // namespace crategate::github
