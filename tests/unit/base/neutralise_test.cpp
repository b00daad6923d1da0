// No line that went through neutralise() is a workflow command, a control sequence or a bidi trick.
#include <gtest/gtest.h>

#include <array>
#include <random>
#include <set>

#include "base/strings.h"
#include "base/utf8.h"

namespace crategate {
namespace {

TEST(Neutralise, BreaksUpWhatARunnerWouldObey) {
  const struct {
    std::string_view name, line, harmless;
  } rows[] = {
      {"command", "::set-output name=a::b", ": :set-output name=a::b"},
      {"after spaces and tabs", " \t::error::x", "  : :error::x"},
      {"after a no-break space", "\xC2\xA0::error::x", "\xC2\xA0: :error::x"},
      {"after an ideographic space", "\xE3\x80\x80::error::x", "\xE3\x80\x80: :error::x"},
      {"after NEL", "\xC2\x85::error::x", " : :error::x"},
      {"after a line separator", "\xE2\x80\xA8::error::x", " : :error::x"},
      {"after CR", "ok\r::error::x", "ok ::error::x"},
      {"only CR", "\r::error::x", " : :error::x"},
      {"after a soft hyphen", "\xC2\xAD::error::x", ": :error::x"},
      {"torn by a zero-width space", ":\xE2\x80\x8B:error::x", ": :error::x"},
      {"torn by a colour", ":\x1B[0m:error::x", ": :error::x"},
      {"torn by NUL", std::string_view(":\0:error::x", 12), ": :error::x"},
      {"legacy", "text ##[add-mask]a", "text ## [add-mask]a"},
      {"legacy, torn", "#\x1B[1m#\xE2\x81\xA0[add-mask]a", "## [add-mask]a"},
      {"legacy, three signs", "###[x]##[y]", "### [x]## [y]"},
      {"after a byte-order mark", "\xEF\xBB\xBF::error::x", ": :error::x"},
      {"colons inside", "std::string a::b", "std::string a::b"},
  };
  for (const auto& row : rows) EXPECT_EQ(neutralise(row.line), row.harmless) << row.name;
}

TEST(Neutralise, TakesControlSequencesAway) {
  const struct {
    std::string_view name, line, visible;
  } rows[] = {
      {"colour", "\x1B[1;31mred\x1B[0m", "red"},
      {"cursor", "a\x1B[2K\x1B[1Gb", "ab"},
      {"title, BEL", "\x1B]0;evil\x07text", "text"},
      {"link, ST", "\x1B]8;;http://x\x1B\\text\x1B]8;;\x1B\\", "text"},
      {"title without an end", "\x1B]0;text", "0;text"},
      {"character set", "\x1B(Btext", "text"},
      {"C1 sequence",
       "\xC2\x9B"
       "31mtext",
       "text"},
      {"escape at the end", "text\x1B", "text"},
      {"sequence without an end", "text\x1B[12", "text"},
      {"sequence torn by UTF-8", "\x1B[\xC3\xBC", "\xC3\xBC"},
      {"bidi override",
       "a\xE2\x80\xAE"
       "b\xE2\x81\xA9"
       "c",
       "abc"},
      {"backspace and bell",
       "a\x08\x07"
       "b",
       "ab"},
      {"tab", "a\tb", "a b"},
      {"invalid UTF-8",
       "a\xFF"
       "b",
       "a\xEF\xBF\xBD"
       "b"},
      {"plain", "Grüße, 日本 🚀", "Grüße, 日本 🚀"},
  };
  for (const auto& row : rows) EXPECT_EQ(neutralise(row.line), row.visible) << row.name;
}

TEST(Neutralise, ManyUnfinishedSequencesEndSoon) {
  std::string line;
  for (int i = 0; i < 200000; ++i) line += "\x1B]";
  EXPECT_EQ(neutralise(line), "");
}

// The runner's two parsers (github.com/actions/runner, ActionCommand), by their rules: characters that comparison
// by culture skips count as absent, names are compared without regard to case.

const std::set<std::string, std::less<>> kCommands{"error",    "warning",    "debug",
                                                   "add-mask", "set-output", "stop-commands"};

bool is_skipped_by_culture(char32_t c) {
  return (c < 0x20 && !(c >= 0x09 && c <= 0x0D)) || (c >= 0x7F && c <= 0x9F && c != 0x85) || c == 0xAD || c == 0x61C ||
         (c >= 0x200B && c <= 0x200F) || (c >= 0x202A && c <= 0x202E) || (c >= 0x2060 && c <= 0x2069) || c == 0xFEFF;
}

bool is_trimmed(char32_t c) {
  return c == ' ' || (c >= 0x09 && c <= 0x0D) || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

std::string as_compared(std::string_view line) {
  std::string text;
  bool leading = true;
  for (std::size_t i = 0; i < line.size();) {
    const CodePoint point = code_point_at(line, i);
    const bool skipped = is_skipped_by_culture(point.value);
    if (!skipped && !(leading && is_trimmed(point.value))) {
      text += line.substr(i, point.length);
      leading = false;
    }
    i += point.length;
  }
  return text;
}

std::string command_name(std::string_view information) {
  return to_lower(information.substr(0, information.find(' ')));
}

bool parses_as_v2(std::string_view line) {
  const std::string text = as_compared(line);
  if (!text.starts_with("::")) return false;
  const std::size_t end = text.find("::", 2);
  return end != std::string::npos && kCommands.contains(command_name(std::string_view(text).substr(2, end - 2)));
}

bool parses_as_v1(std::string_view line) {
  const std::string text = as_compared(line);
  const std::size_t start = text.find("##[");
  if (start == std::string::npos) return false;
  const std::size_t end = text.find(']', start);
  return end != std::string::npos &&
         kCommands.contains(command_name(std::string_view(text).substr(start + 3, end - start - 3)));
}

/// The runner ends a line at LF, CRLF and CR.
bool runner_obeys(std::string_view text) {
  for (const std::string& line : split(replace_all(std::string(text), "\r", "\n"), '\n')) {
    if (parses_as_v1(line) || parses_as_v2(line)) return true;
  }
  return false;
}

TEST(Neutralise, OracleKnowsCommands) {
  for (const std::string_view line :
       {"::error::x", "\t ::Error file=a::x", "a ##[debug]x", "a\r::debug::", "\xC2\xAD::debug::"}) {
    EXPECT_TRUE(runner_obeys(line)) << line;
  }
  EXPECT_FALSE(runner_obeys("::unknown::x"));
  EXPECT_FALSE(runner_obeys("a ::error::x"));
}

std::string random_line(std::mt19937& random) {
  static constexpr std::array kPieces{":",
                                      "::",
                                      "#",
                                      "##",
                                      "##[",
                                      "[",
                                      "]",
                                      "error",
                                      "add-mask",
                                      "set-output name=a",
                                      " ",
                                      "\t",
                                      "\r",
                                      "\n",
                                      "\xC2\xA0",
                                      "\xE2\x80\x8B",
                                      "\xC2\xAD",
                                      "\x1B",
                                      "\x1B[0m",
                                      "\x1B]",
                                      "\x07",
                                      "\xE2\x80\xA8",
                                      "\xFF",
                                      "\xE2",
                                      "x",
                                      "\xE2\x81\xA6",
                                      "\xC2\x85",
                                      "\xC2\x9B",
                                      "\xEF\xBB\xBF",
                                      "\x01",
                                      "\xE3\x80\x80",
                                      "m"};
  std::string line;
  for (auto count = 1 + random() % 10; count > 0; --count) line += kPieces[random() % kPieces.size()];
  return line;
}

TEST(Neutralise, LeavesNothingToObeyInRandomLines) {  // A78
  std::mt19937 random(20240601);                      // NOLINT: the same lines on every run
  int obeyed = 0;
  for (int i = 0; i < 60000; ++i) {
    const std::string line = random_line(random);
    const std::string harmless = neutralise(line);
    obeyed += runner_obeys(line) ? 1 : 0;
    ASSERT_FALSE(runner_obeys(harmless)) << quoted(line) << " became " << quoted(harmless);
    ASSERT_TRUE(is_valid_utf8(harmless)) << quoted(line);
    ASSERT_EQ(neutralise(harmless), harmless) << quoted(line);
    for (const char c : harmless) ASSERT_TRUE(static_cast<unsigned char>(c) >= 0x20 && c != 0x7F) << quoted(harmless);
  }
  EXPECT_GT(obeyed, 20) << "the generator no longer writes commands";
}

}  // namespace
}  // namespace crategate
