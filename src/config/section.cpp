// Typed reading of single values and of mappings, with one wording for every refusal.
// Belongs here: the grammar of booleans, durations, lists.  Not here: names of settings.
#include "config/section.h"

#include <algorithm>
#include <cstdint>
#include <limits>

#include "oci/platform.h"

namespace crategate::config {
namespace {

constexpr std::int64_t kLongestDuration = std::int64_t{30} * 24 * 60 * 60 * 1000;

Failure expected(const Node& node, std::string_view path, std::string_view what, std::string hint) {
  return fail(error_at(node, path, concat("expected ", what, ", found ", describe_found(node)), std::move(hint)));
}

struct Unit {
  std::string_view name;
  std::int64_t milliseconds;
};
constexpr std::array<Unit, 4> kUnits = {Unit{"h", 3'600'000}, Unit{"m", 60'000}, Unit{"s", 1'000}, Unit{"ms", 1}};

/// `1h30m`: numbers with units, each unit at most once and in falling order.
std::optional<std::int64_t> parse_duration(std::string_view text) {
  std::int64_t total = 0;
  std::size_t next_unit = 0;
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    const auto number = parse_unsigned(text.substr(0, digits));
    text.remove_prefix(digits);
    const std::string_view unit = text.substr(0, std::min(text.find_first_of("0123456789"), text.size()));
    while (next_unit < kUnits.size() && kUnits[next_unit].name != unit) ++next_unit;
    if (!number || next_unit == kUnits.size()) return std::nullopt;
    if (*number > static_cast<std::uint64_t>(kLongestDuration)) return std::nullopt;
    total += static_cast<std::int64_t>(*number) * kUnits[next_unit].milliseconds;
    if (total > kLongestDuration) return std::nullopt;
    text.remove_prefix(unit.size());
    ++next_unit;
  }
  return total;
}

std::string join_words(const std::vector<std::string>& words) {
  if (words.size() == 1) return words.front();
  const std::vector<std::string> head(words.begin(), words.end() - 1);
  return concat(join(head, ", "), " or ", words.back());
}

bool leaves_workspace(std::string_view path) {
  const auto parts = split(path, '/');
  return path.starts_with('/') || std::find(parts.begin(), parts.end(), "..") != parts.end();
}

std::string suggestion(std::string_view word, const std::vector<std::string>& words, std::string otherwise) {
  const auto near = nearest(word, words);
  return near ? concat("did you mean ", *near, "?") : otherwise;
}

}  // namespace

Result<std::string> read_text(const Node& node, std::string_view path) {
  if (node.kind == Node::Kind::mapping)
    return expected(node, path, "text", "quote text that contains { or [, for example \"{cell}\"");
  if (node.kind == Node::Kind::sequence) return expected(node, path, "text", "write one text, without [ and ]");
  if (node.kind != Node::Kind::scalar) return expected(node, path, "text", "write \"\" for an empty text");
  return node.text;
}

Result<bool> read_boolean(const Node& node, std::string_view path) {
  constexpr std::string_view kHint = "write true or false, without quotes; yes, no, on, off, 1, 0 are refused";
  if (node.kind != Node::Kind::scalar) return expected(node, path, "true or false", std::string(kHint));
  if (node.quoted)
    return fail(error_at(node, path, concat("expected true or false, found the quoted text ", quoted(node.text)),
                         std::string(kHint)));
  if (node.text == "true" || node.text == "True" || node.text == "TRUE") return true;
  if (node.text == "false" || node.text == "False" || node.text == "FALSE") return false;
  return expected(node, path, "true or false", std::string(kHint));
}

Result<Fresh> read_fresh(const Node& node, std::string_view path) {
  if (node.kind == Node::Kind::scalar && node.text == "auto") return Fresh::automatic;
  const auto fresh = read_boolean(node, path);
  if (fresh) return *fresh ? Fresh::yes : Fresh::no;
  return expected(node, path, "true, false or auto", "write one of them, without quotes");
}

Result<Timeout> read_duration(const Node& node, std::string_view path) {
  const bool scalar = node.kind == Node::Kind::scalar;
  if (scalar && parse_unsigned(node.text).value_or(0) > 0)
    return expected(node, path, "a duration with its unit",
                    concat("write ", node.text, "s, ", node.text, "m or ", node.text, "h"));
  const auto milliseconds = scalar ? parse_duration(node.text) : std::nullopt;
  if (!milliseconds || *milliseconds == 0)
    return expected(node, path, "a duration of more than 0 and at most 30 days",
                    "write for example 500ms, 90s, 5m or 1h30m");
  return Timeout(*milliseconds);
}

Result<int> read_number(const Node& node, std::string_view path, int maximum) {
  const auto number = node.kind == Node::Kind::scalar ? parse_unsigned(node.text) : std::nullopt;
  if (!number || *number > static_cast<std::uint64_t>(maximum))
    return expected(node, path, concat("a number from 0 to ", maximum),
                    number ? concat("write at most ", maximum) : std::string("write it in digits"));
  return static_cast<int>(*number);
}

Result<std::vector<std::string>> read_list(const Node& node, std::string_view path) {
  if (node.kind != Node::Kind::sequence)
    return expected(node, path, "a list",
                    node.kind == Node::Kind::scalar ? concat("write [", quoted(node.text, 40), "]") : "write [a, b]");
  std::vector<std::string> out;
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    CG_TRY(auto item, read_text(node.items[i], concat(path, "[", i, "]")));
    out.push_back(std::move(item));
  }
  return out;
}

Result<Argv> read_argv(const Node& node, std::string_view path) {
  constexpr std::string_view kWhat = "a command as a list of its words";
  if (node.kind != Node::Kind::sequence) {
    const std::string words = node.kind == Node::Kind::scalar ? join(split(trim(node.text), ' '), ", ") : "make, test";
    return expected(node, path, kWhat, concat("write [", words, "]; for shell syntax [sh, -c, \"…\"]"));
  }
  CG_TRY(auto words, read_list(node, path));
  if (words.empty())
    return fail(error_at(node, path, concat("expected ", kWhat, ", found an empty list"),
                         "write for example [make, test], or remove the line"));
  if (words.front().empty())
    return fail(
        error_at(node, path, "expected a program's name first, found an empty text", "write for example [make, test]"));
  if (words.size() == 1 && words.front().find(' ') != std::string::npos)
    return fail(
        error_at(node, path, concat("expected ", kWhat, ", found one word with spaces ", quoted(words.front())),
                 concat("write [", join(split(words.front(), ' '), ", "), "]; for shell syntax [sh, -c, \"…\"]")));
  return words;
}

Result<std::string> read_path(const Node& node, std::string_view path) {
  CG_TRY(auto text, read_text(node, path));
  if (leaves_workspace(text))
    return expected(node, path, "a path inside the workspace", "write it relative to the repository, without ..");
  return text;
}

Result<std::vector<std::string>> read_pairs(const Node& node, std::string_view path) {
  CG_TRY(auto items, read_list(node, path));
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto equals = items[i].find('=');
    if (equals == std::string::npos || equals == 0)
      return expected(node.items[i], concat(path, "[", i, "]"), "key=value", "write the key, = and the value");
  }
  return items;
}

Result<std::vector<oci::Platform>> read_platforms(const Node& node, std::string_view path) {
  CG_TRY(const auto items, read_list(node, path));
  if (items.empty())
    return fail(error_at(node, path, "expected at least one platform, found none", "write [linux/amd64]"));
  std::vector<oci::Platform> out;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto platform = oci::parse_platform(items[i]);
    const std::string item_path = concat(path, "[", i, "]");
    if (!platform)
      return expected(node.items[i], item_path, "os/architecture[/variant]", "write for example linux/amd64");
    if (std::find(out.begin(), out.end(), *platform) != out.end())
      return fail(error_at(node.items[i], item_path,
                           concat("expected each platform once, found ", quoted(items[i]), " again"),
                           "keep one of the two"));
    out.push_back(*platform);
  }
  return out;
}

Result<std::string> read_word(const Node& node, std::string_view path, const std::vector<std::string>& words) {
  if (node.kind == Node::Kind::scalar && std::find(words.begin(), words.end(), node.text) != words.end())
    return node.text;
  return expected(node, path, join_words(words), suggestion(node.text, words, "write one of these words"));
}

Section::Section(const Node& node, std::string path) : node_(node), path_(std::move(path)) {
  if (node.kind != Node::Kind::mapping && node.kind != Node::Kind::null)
    failed_ =
        error_at(node, path_, concat("expected a mapping, found ", describe_found(node)), "write key: value lines");
}

const Node* Section::find(std::string_view key) {
  if (std::find(known_.begin(), known_.end(), key) == known_.end()) known_.emplace_back(key);
  const Node* node = node_.find(key);
  return node != nullptr && node->kind != Node::Kind::null ? node : nullptr;
}

std::string Section::path_of(std::string_view key) const {
  return path_.empty() ? std::string(key) : concat(path_, ".", key);
}

void Section::refuse(Error error) {
  if (!failed_) failed_ = std::move(error);
}

void Section::refuse_section(const Node& node, std::string_view key) {
  refuse(error_at(node, path_of(key), concat("expected a mapping, found ", describe_found(node)),
                  node.kind == Node::Kind::null ? concat("write ", key, ": {} for its defaults, or remove the line")
                                                : concat("write ", key, ": {name: value, …}")));
}

Result<> Section::finish() {
  if (failed_) return fail(*failed_);
  if (node_.kind != Node::Kind::mapping) return {};
  for (const Node& member : node_.items) {
    if (std::find(known_.begin(), known_.end(), member.key) != known_.end()) continue;
    std::string hint = suggestion(member.key, known_, concat("known here: ", join(known_, ", ")));
    return fail(error_at_key(member, path_, concat("unknown key ", quoted(member.key)), std::move(hint)));
  }
  return {};
}

}  // namespace crategate::config
