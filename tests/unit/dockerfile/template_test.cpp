// Templates rendered byte for byte.
#include "dockerfile/template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>
#include <string>

#include "base/strings.h"

namespace crategate::dockerfile {
namespace {

using testing::HasSubstr;

const Variables kVariables = {{"python", "3.10"},
                              {"runtime", "cuda"},
                              {"base", "debian:12"},
                              {"empty", ""},
                              {"off", "false"},
                              {"on", "true"},
                              {"mustache", "{{python}}{{#on}}"},
                              {"pip-index", "https://x/<&\"'>"},
                              {"lines", "a\nb\n"}};

std::string rendered(std::string_view text) {
  const auto out = render(text, kVariables, "t.mustache");
  EXPECT_TRUE(out) << quoted(text) << ": " << (out ? "" : describe(out.error()));
  return out.value_or("<error>");
}

struct Row {
  const char* name;
  std::string_view text, expected;
};

TEST(DockerfileTemplate, LeavesTextAsItIs) {
  using namespace std::string_view_literals;
  for (const std::string_view text : {""sv, "\n"sv, "a"sv, "a\r\n"sv, "no newline at the end"sv, "a } b }} c { d"sv,
                                      "\0\x01\xFF\xFE"sv, "\xEF\xBB\xBF# syntax=x\n"sv, "${VAR} {x}"sv, " \t\n \t"sv})
    EXPECT_EQ(rendered(text), text) << quoted(text);
}

TEST(DockerfileTemplate, InsertsVariablesAsTheyAre) {
  const Row rows[] = {
      {"plain", "FROM {{base}}\n", "FROM debian:12\n"},
      {"blanks", "{{ base }}|{{\tbase\t}}", "debian:12|debian:12"},
      {"no HTML escaping", "{{pip-index}}", "https://x/<&\"'>"},
      {"triple", "{{{pip-index}}}", "https://x/<&\"'>"},
      {"ampersand", "{{&pip-index}} {{& pip-index }}", "https://x/<&\"'> https://x/<&\"'>"},
      {"empty", "[{{empty}}]", "[]"},
      {"a value with mustache stays literal", "{{mustache}}", "{{python}}{{#on}}"},
      {"a value with lines", "x\n{{lines}}\ny", "x\na\nb\n\ny"},
      {"a variable alone on its line keeps the line", "a\n{{empty}}\nb", "a\n\nb"},
      {"a variable alone on an indented line", "a\n  {{empty}}  \nb", "a\n    \nb"},
      {"braces of the shell beside a tag", "${{{python}}}", "$3.10"},
      {"two on a line", "{{python}}{{runtime}}", "3.10cuda"},
  };
  for (const auto& row : rows) EXPECT_EQ(rendered(row.text), row.expected) << row.name;
}

TEST(DockerfileTemplate, SectionsDependOnTheVariable) {
  const Row rows[] = {
      {"present", "{{#base}}x{{/base}}", "x"},
      {"empty", "{{#empty}}x{{/empty}}", ""},
      {"false", "{{#off}}x{{/off}}", ""},
      {"true", "{{#on}}x{{/on}}", "x"},
      {"absent", "{{#nothing}}x{{/nothing}}", ""},
      {"inverted", "{{^base}}x{{/base}}{{^empty}}y{{/empty}}{{^off}}z{{/off}}{{^nothing}}w{{/nothing}}", "yzw"},
      {"nested", "{{#on}}a{{#off}}b{{/off}}{{^off}}c{{/off}}d{{/on}}", "acd"},
      {"same name nested", "{{#on}}a{{#on}}b{{/on}}c{{/on}}", "abc"},
      {"nested in what is left out", "{{#off}}a{{#on}}b{{/on}}{{/off}}c", "c"},
      {"unknown variable in what is left out", "{{#nothing}}{{nothing}}{{#nothing > 1}}x{{/nothing > 1}}{{/nothing}}",
       ""},
      {"absent variable guarded by itself", "{{#pip-index}}{{pip-index}}{{/pip-index}}", "https://x/<&\"'>"},
      {"comment", "a{{! anything }}b{{!}}c", "abc"},
      {"comment with a tag inside ends at the first braces", "{{! {{base}} }}", " }}"},
  };
  for (const auto& row : rows) EXPECT_EQ(rendered(row.text), row.expected) << row.name;
}

TEST(DockerfileTemplate, ComparesVersionsByComponent) {
  const Row rows[] = {
      {"3.10 is not below 3.9", "{{#python < 3.9}}x{{/python < 3.9}}", ""},
      {"3.10 is above 3.9", "{{#python > 3.9}}x{{/python > 3.9}}", "x"},
      {"3.10 is not 3.1", "{{#python == 3.1}}x{{/python == 3.1}}", ""},
      {"3.10 is 3.10", "{{#python == 3.10}}x{{/python == 3.10}}", "x"},
      {"not equal", "{{#python != 3.1}}x{{/python != 3.1}}", "x"},
      {"less or equal", "{{#python <= 3.10}}x{{/python <= 3.10}}", "x"},
      {"greater or equal", "{{#python >= 3.11}}x{{/python >= 3.11}}", ""},
      {"without blanks", "{{#python<3.12}}x{{/python<3.12}}", "x"},
      {"blanks need not agree", "{{#python<3.12}}x{{/ python  <  3.12 }}", "x"},
      {"inverted", "{{^python < 3.9}}x{{/python < 3.9}}", "x"},
      {"major only", "{{#python >= 3}}x{{/python >= 3}}", "x"},
  };
  for (const auto& row : rows) EXPECT_EQ(rendered(row.text), row.expected) << row.name;
}

TEST(DockerfileTemplate, ASectionTagAloneOnItsLineTakesTheLineWithIt) {
  const Row rows[] = {
      {"whole lines", "a\n{{#on}}\nb\n{{/on}}\nc\n", "a\nb\nc\n"},
      {"left out", "a\n{{#off}}\nb\n{{/off}}\nc\n", "a\nc\n"},
      {"indented", "a\n  {{#on}}  \n  b\n\t{{/on}}\t\nc", "a\n  b\nc"},
      {"CRLF", "a\r\n{{#on}}\r\nb\r\n{{/on}}\r\nc\r\n", "a\r\nb\r\nc\r\n"},
      {"at the start", "{{#on}}\nb{{/on}}", "b"},
      {"at the end without line feed", "a\n{{#on}}b\n{{/on}}", "a\nb\n"},
      {"at the end, indented", "{{#on}}\na\n  {{/on}}  ", "a\n"},
      {"comment", "a\n{{! note }}\nb", "a\nb"},
      {"comment of several lines", "a\n  {{! one\ntwo }}  \nb", "a\nb"},
      {"comment behind text stays inline", "a {{! note }}\nb", "a \nb"},
      {"two tags on one line are not alone", "a\n{{#on}}{{/on}}\nb", "a\n\nb"},
      {"text before", "x{{#on}}\nb\n{{/on}}\n", "x\nb\n"},
      {"text behind", "{{#on}} x\n{{/on}}\n", " x\n"},
      {"lines in a row", "{{#on}}\n{{#on}}\na\n{{/on}}\n{{/on}}\n", "a\n"},
      {"behind a comment on the same line", "{{! a\nb }}{{#on}}\nx{{/on}}", "\nx"},
      {"blank lines stay", "\n{{#on}}\n\n{{/on}}\n\n", "\n\n\n"},
  };
  for (const auto& row : rows) EXPECT_EQ(rendered(row.text), row.expected) << row.name;
}

struct Bad {
  const char* name;
  std::string text;
  int line, column;
  const char* message;
};

TEST(DockerfileTemplate, RefusesWithPlaceAndWords) {
  const Bad rows[] = {
      {"unknown variable", "a\n b {{pyton}}", 2, 4, "unknown variable \"pyton\""},
      {"unknown variable behind umlauts", "ü€😀 {{x}}", 1, 5, "unknown variable"},
      {"unknown variable in a comparison", "{{#pyton < 3}}{{/pyton < 3}}", 1, 1, "unknown variable"},
      {"not closed", "a\n{{#on}}\nb", 2, 1, "section \"on\" is not closed"},
      {"inner one not closed", "{{#on}}{{#base}}{{/on}}", 1, 17, "expected {{/base}}, found {{/on}}"},
      {"crossed", "{{#on}}\n{{^off}}\n{{/on}}{{/off}}", 3, 1,
       "expected {{/off}}, found {{/on}}; the section opened at line 2"},
      {"closed but not open", "a{{/on}}", 1, 2, "closes a section that is not open"},
      {"closed by another condition", "{{#python < 3.9}}{{/python < 3.10}}", 1, 18, "expected {{/python < 3.9}}"},
      {"closed by the name only", "{{#python < 3.9}}{{/python}}", 1, 18,
       "expected {{/python < 3.9}}, found {{/python}}"},
      {"crossed in what is left out", "{{#off}}{{#on}}{{/off}}{{/on}}", 1, 16, "expected {{/on}}"},
      {"open braces", "a {{base", 1, 3, "expected }} after {{"},
      {"open braces before another tag", "a {{base\n{{base}}", 1, 3, "on the line of its {{"},
      {"open triple", "{{{base}}", 1, 1, "expected }} after {{"},
      {"empty tag", "{{}}", 1, 1, "expected a variable name, found \"\""},
      {"blank tag", "{{  }}", 1, 1, "expected a variable name"},
      {"empty section", "{{#}}{{/}}", 1, 1, "expected a variable name"},
      {"partial (A17)", "{{> ../../github/home/.docker/config.json}}", 1, 1, "partials are refused"},
      {"partial of a running process (A17)", "{{>/proc/1/environ}}", 1, 1, "partials are refused"},
      {"partial of itself (A19)", "a\n{{> t.mustache}}", 2, 1, "partials are refused"},
      {"parent (A17)", "{{< /proc/1/environ}}", 1, 1, "partials are refused"},
      {"block", "{{$ x}}{{/x}}", 1, 1, "partials are refused"},
      {"delimiters", "{{=<% %>=}}<%base%>", 1, 1, "other delimiters are refused"},
      {"implicit iterator", "{{.}}", 1, 1, "expected a variable name"},
      {"dotted name", "{{.Values.image}}", 1, 1, "expected a variable name"},
      {"expression of a workflow", "${{ github.token }}", 1, 2, "expected a variable name"},
      {"filter", "{{base | upper}}", 1, 1, "expected a variable name"},
      {"comparison as variable", "{{python < 3}}", 1, 1, "expected a variable, found the comparison"},
      {"comparison with text", "{{#runtime == cuda}}{{/runtime == cuda}}", 1, 1, "expected a dotted version after =="},
      {"comparison with nothing", "{{#python <}}{{/python <}}", 1, 1, "expected a dotted version after <"},
      {"comparison of nothing", "{{#< 3}}{{/< 3}}", 1, 1, "expected a variable name"},
      {"comparison of text", "{{#runtime < 3}}{{/runtime < 3}}", 1, 1,
       "expected runtime to be a dotted version, found \"cuda\""},
      {"comparison of an empty value", "{{#empty < 3}}{{/empty < 3}}", 1, 1, "found \"\""},
      {"single equals", "{{#python = 3}}{{/python = 3}}", 1, 1, "expected <, <=, >, >=, == or !="},
      {"strange operator", "{{#python =< 3}}{{/python =< 3}}", 1, 1, "expected <, <=, >, >=, == or !="},
      {"two comparisons", "{{#python > 3 < 4}}{{/python > 3 < 4}}", 1, 1, "expected a dotted version"},
  };
  for (const auto& row : rows) {
    const auto out = render(row.text, kVariables, "t.mustache");
    ASSERT_FALSE(out) << row.name << " gives " << quoted(*out);
    EXPECT_EQ(out.error().code, ErrorCode::bad_input) << row.name;
    EXPECT_EQ(out.error().location, (Location{"t.mustache", row.line, row.column})) << row.name;
    EXPECT_THAT(out.error().message, HasSubstr(row.message)) << row.name;
    EXPECT_FALSE(out.error().hint.empty()) << row.name;
  }
}

TEST(DockerfileTemplate, SuggestsTheVariableThatWasMeant) {
  const auto out = render("{{pyton}}", kVariables, "t");
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().hint, "did you mean python?");
}

std::string repeated(std::string_view piece, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += piece;
  return out;
}

TEST(DockerfileTemplate, StopsAtOneMebibyte) {
  const Variables large = {{"v", std::string(1000, 'x')}};
  EXPECT_TRUE(render(repeated("{{v}}", 1000), large, "t"));
  const auto out = render(repeated("{{v}}", 2000), large, "t");
  ASSERT_FALSE(out);
  EXPECT_THAT(out.error().message, HasSubstr("1 MiB of output"));
  EXPECT_FALSE(render(std::string((1u << 20) + 1, 'x'), {}, "t"));
  EXPECT_TRUE(render(std::string(1u << 20, 'x'), {}, "t"));
}

// A19: nothing includes and nothing repeats; what is left is the size of the template.
TEST(DockerfileTemplate, EndsSoonOnHostileTemplates) {
  const struct {
    const char* name;
    std::string text;
    bool renders;
  } rows[] = {
      {"opened only", repeated("{{#on}}", 100'000), false},
      {"braces only", repeated("{{", 500'000), false},
      {"triple braces only", repeated("{{{", 300'000), false},
      {"comments that do not end", repeated("{{! ", 250'000), false},
      {"closed only", repeated("{{/on}}", 100'000), false},
      {"sections in a row", repeated("{{#on}}{{/on}}", 70'000), true},
      {"inverted sections in a row", repeated("{{^on}}{{/on}}", 70'000), true},
      {"comparisons in a row", repeated("{{#python > 3}}{{/python > 3}}", 34'000), true},
      {"sections in lines of their own", repeated("{{#on}}\n{{/on}}\n", 60'000), true},
      {"comments behind blanks", std::string(500'000, ' ') + repeated("{{!}}", 100'000), true},
      {"65 levels", repeated("{{#on}}", 65) + repeated("{{/on}}", 65), false},
      {"64 levels", repeated("{{#on}}", 64) + repeated("{{/on}}", 64), true},
      {"a million times a million", repeated("{{mustache}}", 80'000), false},
      {"partial of itself", repeated("{{> t}}", 100'000), false},
  };
  for (const auto& row : rows) {
    const std::clock_t began = std::clock();
    const auto out = render(row.text, kVariables, "t");
    EXPECT_LT(static_cast<double>(std::clock() - began) / CLOCKS_PER_SEC, 1.0) << row.name;
    EXPECT_EQ(out.has_value(), row.renders) << row.name;
    if (!out) {
      EXPECT_EQ(exit_code(out.error().code), 2) << row.name;
    }
  }
}

TEST(DockerfileTemplate, WritesADockerfileOfTheSeedsKind) {
  const std::string_view text =
      "FROM {{base}}\n"
      "{{! Debian before 12 }}\n"
      "RUN apt-get install -y python{{python}}{{#python < 3.12}} python{{python}}-distutils{{/python < 3.12}}\n"
      "{{#python < 3.9}}\n"
      "RUN curl https://bootstrap.pypa.io/pip/{{python}}/get-pip.py | python{{python}}\n"
      "{{/python < 3.9}}\n"
      "{{^python < 3.9}}\n"
      "RUN curl https://bootstrap.pypa.io/get-pip.py | python{{python}}\n"
      "{{/python < 3.9}}\n"
      "CMD [\"python{{python}}\"]";
  EXPECT_EQ(rendered(text),
            "FROM debian:12\n"
            "RUN apt-get install -y python3.10 python3.10-distutils\n"
            "RUN curl https://bootstrap.pypa.io/get-pip.py | python3.10\n"
            "CMD [\"python3.10\"]");
}

}  // namespace
}  // namespace crategate::dockerfile
