// The two one-value-a-line files: VERSION and the values of an axis (PYTHON_VERSIONS).
// Belongs here: their grammar, with file:line in every error.  Not here: reading them (stages/plan).
#include <algorithm>
#include <utility>

#include "base/strings.h"
#include "pipeline/plan.h"

namespace crategate::pipeline {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::size_t kVersionFileLimit = 256;
constexpr std::size_t kAxisValueLimit = 64;
constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::string_view kDigits = "0123456789";

Error refusal(std::string_view what, std::string_view expected, std::string_view found, std::string hint) {
  return Error{.code = ErrorCode::bad_input,
               .message = concat(what, ": expected ", expected, ", found ", found),
               .hint = std::move(hint)};
}

Failure at_line(Error error, std::string_view file, std::size_t line, int column = 1) {
  return fail(std::move(error).at({std::string(file), static_cast<int>(line), column}));
}

bool consists_of(std::string_view text, std::string_view first, std::string_view second, std::string_view third = {}) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return first.find(c) != std::string_view::npos || second.find(c) != std::string_view::npos ||
           third.find(c) != std::string_view::npos;
  });
}

bool is_name(std::string_view value) {
  return !value.empty() && value.size() <= kAxisValueLimit && consists_of(value.substr(0, 1), kLetters, kDigits) &&
         consists_of(value, kLetters, kDigits, "._-");
}

/// One digit, a dot, one or two digits: `3.9`, `3.13`.
bool is_python_version(std::string_view value) {
  const auto dot = value.find('.');
  if (dot != 1 || value.size() < 3 || value.size() > 4) return false;
  const std::string_view minor = value.substr(2);
  if (value[0] == '0' || (minor.size() > 1 && minor[0] == '0')) return false;
  return consists_of(value.substr(0, 1), kDigits, {}) && consists_of(minor, kDigits, {});
}

Result<void> refuse_byte_order_mark(std::string_view text, std::string_view file) {
  if (!text.starts_with(kByteOrderMark)) return {};
  return at_line(refusal("first bytes", "text without a byte-order mark", "one", "Save the file as UTF-8 without BOM."),
                 file, 1);
}

std::string_view without_line_end(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

}  // namespace

Result<void> check_axis_value(std::string_view axis, std::string_view value) {
  const std::string what = concat("axis ", axis);
  if (axis == "python") {
    if (is_python_version(value)) return {};
    return fail(refusal(what, "a Python version such as 3.10 (major.minor, no leading zero, no patch level)",
                        quoted(value), "Write one version a line, nothing beside it; quote 3.10 in YAML."));
  }
  if (is_name(value)) return {};
  return fail(refusal(what, "a value of letters, digits, '.', '_' and '-', at most 64, the first a letter or digit",
                      quoted(value), "Values become part of image names and paths: choose a plain word."));
}

Result<std::vector<std::string>> parse_axis_file(std::string_view text, std::string_view file_name,
                                                 std::string_view axis) {
  CG_CHECK(refuse_byte_order_mark(text, file_name));
  std::vector<std::string> values;
  std::map<std::string, std::size_t, std::less<>> lines;
  std::size_t number = 0;
  for (const auto& raw : split(text, '\n')) {
    ++number;
    const std::string_view line = trim(without_line_end(raw));
    if (line.empty()) continue;
    if (auto checked = check_axis_value(axis, line); !checked) {
      return at_line(std::move(checked).error(), file_name, number);
    }
    const auto [first, is_new] = lines.emplace(std::string(line), number);
    if (!is_new) {
      return at_line(refusal(concat("axis ", axis), "every value once", concat(line, " again"),
                             concat("Remove it: line ", first->second, " has it already.")),
                     file_name, number);
    }
    values.emplace_back(line);
  }
  if (!values.empty()) return values;
  return fail(refusal(file_name, concat("at least one value for axis ", axis), "none",
                      concat("Write one value a line into ", file_name, ".")));
}

Result<Version> parse_version_file(std::string_view text, std::string_view file_name) {
  const std::string hint = concat("Write exactly one line such as v1.2.3 into ", file_name, ".");
  if (text.size() > kVersionFileLimit) {
    return fail(refusal(file_name, "at most 256 bytes", concat(text.size()), hint));
  }
  CG_CHECK(refuse_byte_order_mark(text, file_name));
  const std::string_view line = trim(text);
  if (line.empty()) return fail(refusal(file_name, "one line with a version", "nothing", hint));
  const auto begin = static_cast<std::size_t>(line.data() - text.data());
  const auto number = 1 + static_cast<std::size_t>(std::count(text.begin(), text.begin() + begin, '\n'));
  if (const auto end = line.find_first_of("\r\n"); end != std::string_view::npos) {
    return at_line(refusal("version", "one line", concat("a second one: ", quoted(trim(line.substr(end)))), hint),
                   file_name, number + 1);
  }
  auto version = parse_version(line);
  if (version) return version;
  return at_line(std::move(version).error(), file_name, number);
}

}  // namespace crategate::pipeline
