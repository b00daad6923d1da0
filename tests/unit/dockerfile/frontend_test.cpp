#include "dockerfile/frontend.h"

#include <gtest/gtest.h>

#include "dockerfile/ignore_file.h"

namespace crategate::dockerfile {
namespace {

struct FrontendRow {
  const char* name;
  const char* text;
  const char* frontend;  ///< "" = none
};

class FrontendTest : public testing::TestWithParam<FrontendRow> {};

TEST_P(FrontendTest, IsFoundWhereBuildKitFindsIt) {  // A20
  EXPECT_EQ(find_frontend(GetParam().text).value_or(""), GetParam().frontend);
}

INSTANTIATE_TEST_SUITE_P(
    Rows, FrontendTest,
    testing::Values(FrontendRow{"None", "FROM scratch\n", ""}, FrontendRow{"Empty", "", ""},
                    FrontendRow{"Plain", "# syntax=evil/frontend\nFROM scratch\n", "evil/frontend"},
                    FrontendRow{"SpacesAndCase", "#\tSyNtAx =  evil/frontend:1  trailing\n", "evil/frontend:1"},
                    FrontendRow{"CarriageReturn", "#syntax=a\r\nFROM b\r\n", "a"},
                    FrontendRow{"AfterAnotherDirective", "# escape=`\n# check=skip=all\n# syntax=a\n", "a"},
                    FrontendRow{"AfterAShebang", "#!/usr/bin/env docker\n# syntax=a\n", "a"},
                    FrontendRow{"AfterAByteOrderMark", "\xEF\xBB\xBF# syntax=a\n", "a"},
                    FrontendRow{"Slashes", "// syntax=a\nFROM b\n", "a"},
                    FrontendRow{"Json", "{\"syntax\": \"a\"}\n", "{\"syntax\": \"a\"}"},
                    FrontendRow{"JsonAfterAShebang", "#!/x\n{\"syntax\": \"a\"}", "{\"syntax\": \"a\"}"},
                    FrontendRow{"JsonAfterABlankLine", "\n {\"syntax\": \"a\"}", "{\"syntax\": \"a\"}"},
                    FrontendRow{"NoBreakSpace", "#\xC2\xA0syntax=a\n", "a"},
                    FrontendRow{"AfterAComment", "# a comment\n# syntax=a\n", ""},
                    FrontendRow{"AfterABlankLine", "\n# syntax=a\n", ""},
                    FrontendRow{"AfterAnInstruction", "FROM b\n# syntax=a\n", ""},
                    FrontendRow{"WithoutAValue", "# syntax=\nFROM b\n", ""}),
    [](const auto& each) { return std::string(each.param.name); });

TEST(Frontend, IsTrustedByNameOrByList) {
  for (const char* good : {"docker/dockerfile", "docker/dockerfile:1", "docker.io/docker/dockerfile:1.7-labs",
                           "docker/dockerfile@sha256:00"})
    EXPECT_TRUE(is_trusted_frontend(good, {})) << good;
  for (const char* bad : {"evil/frontend", "docker/dockerfile-evil", "ghcr.io/docker/dockerfile", "docker/dockerfile/x",
                          "docker.io.evil/docker/dockerfile", "f@sha256:01"})
    EXPECT_FALSE(is_trusted_frontend(bad, {"f@sha256:00"})) << bad;
  EXPECT_TRUE(is_trusted_frontend("f@sha256:00", {"f@sha256:00"}));
}

struct IgnoreRow {
  const char* name;
  const char* patterns;
  bool ignored;
};

class IgnoreFileTest : public testing::TestWithParam<IgnoreRow> {};

TEST_P(IgnoreFileTest, LeavesTheGitConfigurationOut) {
  EXPECT_EQ(is_ignored(GetParam().patterns, ".git/config"), GetParam().ignored);
}

INSTANTIATE_TEST_SUITE_P(
    Rows, IgnoreFileTest,
    testing::Values(IgnoreRow{"Nothing", "", false}, IgnoreRow{"Directory", ".git", true},
                    IgnoreRow{"Slashes", "/.git/\n", true}, IgnoreRow{"Dot", "./.git", true},
                    IgnoreRow{"File", ".git/config", true}, IgnoreRow{"Inside", ".git/**", true},
                    IgnoreRow{"Anywhere", "**/.git", true}, IgnoreRow{"Everything", "*", true},
                    IgnoreRow{"EverythingDeep", "**", true}, IgnoreRow{"Star", ".gi*", true},
                    IgnoreRow{"TakenBack", "*\n!.git", false}, IgnoreRow{"TakenBackAndOut", "*\n!.git\n.git/c*", true},
                    IgnoreRow{"OthersTakenBack", "*\n!src", true}, IgnoreRow{"Comment", "#.git", false},
                    IgnoreRow{"Another", ".github\n.gitignore", false}, IgnoreRow{"CarriageReturn", ".git\r\n", true},
                    IgnoreRow{"TakenBackByAClass", ".git\n!.git/conf[i]g", false},
                    IgnoreRow{"TakenBackByAnEscape", ".git\n!\\.git/config", false},
                    IgnoreRow{"TakenBackByADetour", ".git\n!x/../.git/config", false},
                    IgnoreRow{"TakenBackByDoubledSlashes", ".git\n!.git//config", false},
                    IgnoreRow{"TakenBackByADot", "*\n!.git/c*/.", false},
                    IgnoreRow{"ClassesLeaveNothingOut", "[.]git", false},
                    IgnoreRow{"SpacedNegation", ".git\n! .git", false}),
    [](const auto& each) { return std::string(each.param.name); });

}  // namespace
}  // namespace crategate::dockerfile
