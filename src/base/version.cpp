// Grammar and precedence of versions.
//
// Both grammars end in one list of identifiers, Version::suffix, so that one order covers them: a phase is "dev",
// "alpha", "beta" or "rc" and a number; semver identifiers stand as they are; "~dev" and "~post" are PEP 440's
// segments behind a phase or a final release.
#include "base/version.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/strings.h"

namespace crategate {
namespace {

constexpr std::size_t kLongest = 128;  // of an image tag
constexpr std::string_view kDevSegment = "~dev";
constexpr std::string_view kPostSegment = "~post";

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_alphanumeric(char c) { return is_digit(c) || (c >= 'a' && c <= 'z'); }
bool is_number(std::string_view text) { return !text.empty() && std::all_of(text.begin(), text.end(), is_digit); }

/// A decimal number of any length in its only spelling.
std::string plain_number(std::string_view digits) {
  while (digits.size() > 1 && digits.front() == '0') digits.remove_prefix(1);
  return digits.empty() ? "0" : std::string(digits);
}

struct Spelling {
  std::string_view written, meant;
};

/// PEP 440's spellings; longer words stand before their beginnings.
constexpr std::array<Spelling, 8> kPhases{{{"alpha", "alpha"},
                                           {"beta", "beta"},
                                           {"preview", "rc"},
                                           {"pre", "rc"},
                                           {"rc", "rc"},
                                           {"a", "alpha"},
                                           {"b", "beta"},
                                           {"c", "rc"}}};
constexpr std::array<Spelling, 1> kDev{{{"dev", "dev"}}};
constexpr std::array<Spelling, 3> kPosts{{{"post", "post"}, {"rev", "post"}, {"r", "post"}}};

template <std::size_t N>
std::optional<std::string_view> take_word(std::string_view& text, const std::array<Spelling, N>& spellings) {
  for (const Spelling& spelling : spellings) {
    if (!text.starts_with(spelling.written)) continue;
    text.remove_prefix(spelling.written.size());
    return spelling.meant;
  }
  return std::nullopt;
}

std::string_view take_digits(std::string_view& text) {
  const auto end = std::find_if_not(text.begin(), text.end(), is_digit);
  const std::string_view digits = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  text.remove_prefix(digits.size());
  return digits;
}

void take_separator(std::string_view& text) {
  if (!text.empty() && std::string_view("-_.").find(text.front()) != std::string_view::npos) text.remove_prefix(1);
}

/// `[-_.]? word [-_.]? digits?`; leaves `text` alone if it does not begin so.
template <std::size_t N>
std::optional<std::pair<std::string, std::string>> take_segment(std::string_view& text,
                                                                const std::array<Spelling, N>& spellings) {
  std::string_view rest = text;
  take_separator(rest);
  const auto word = take_word(rest, spellings);
  if (!word) return std::nullopt;
  take_separator(rest);
  const std::string_view digits = take_digits(rest);
  text = rest;
  return std::pair(std::string(*word), plain_number(digits));
}

/// `-1` behind a release is PEP 440's short form of `.post1`.
std::optional<std::string> take_post(std::string_view& text) {
  if (const auto post = take_segment(text, kPosts)) return post->second;
  if (text.size() < 2 || text[0] != '-' || !is_digit(text[1])) return std::nullopt;
  text.remove_prefix(1);
  return plain_number(take_digits(text));
}

using Suffix = std::vector<std::string>;

std::optional<Suffix> parse_pep440_suffix(std::string_view text) {
  Suffix suffix;
  const auto phase = take_segment(text, kPhases);
  if (phase) suffix = {phase->first, phase->second};
  const auto post = take_post(text);
  if (post) suffix.insert(suffix.end(), {std::string(kPostSegment), *post});
  if (const auto dev = take_segment(text, kDev)) {
    const bool alone = !phase && !post;
    suffix.insert(suffix.end(), {alone ? dev->first : std::string(kDevSegment), dev->second});
  }
  if (!text.empty()) return std::nullopt;
  return suffix;
}

/// The first identifier may be a phase of PEP 440: "rc3", "rc-3" and "rc" followed by a number are one version.
Suffix with_phase(Suffix identifiers) {
  std::string_view rest = identifiers.front();
  auto phase = take_segment(rest, kPhases);
  if (!phase) phase = take_segment(rest, kDev);
  const bool bare = is_alphanumeric(identifiers.front().front()) && is_alphanumeric(identifiers.front().back());
  if (!phase || !rest.empty() || !bare) return identifiers;
  const bool has_digits = is_digit(identifiers.front().back());
  identifiers.front() = phase->first;
  if (has_digits || identifiers.size() == 1) identifiers.insert(identifiers.begin() + 1, phase->second);
  return identifiers;
}

bool is_semver_identifier(std::string_view text) {
  const bool characters = std::all_of(text.begin(), text.end(), [](char c) { return is_alphanumeric(c) || c == '-'; });
  return !text.empty() && characters && !(is_number(text) && text.size() > 1 && text.front() == '0');
}

std::optional<Suffix> parse_semver_suffix(std::string_view text) {
  if (text.empty()) return Suffix{};
  if (text.front() != '-') return std::nullopt;
  Suffix identifiers = split(text.substr(1), '.');
  if (!std::all_of(identifiers.begin(), identifiers.end(), is_semver_identifier)) return std::nullopt;
  return with_phase(std::move(identifiers));
}

Failure refuse(std::string_view text, std::string_view expectation, std::string hint) {
  return fail(ErrorCode::bad_input, concat("version ", quoted(text), ": ", expectation), std::move(hint));
}

constexpr std::string_view kExamples = "write a semantic version or one of PEP 440, for example v1.2.3 or v1.2.3rc1";

Result<void> check_characters(std::string_view text) {
  if (text.empty()) return refuse(text, "expected a version, found nothing", std::string(kExamples));
  if (text.size() > kLongest) {
    return refuse(text, concat("expected at most ", kLongest, " characters, found ", text.size()),
                  "an image tag cannot be longer");
  }
  for (const char c : to_lower(text)) {
    if (is_alphanumeric(c) || std::string_view("._-").find(c) != std::string_view::npos) continue;
    if (c == '+') {
      return refuse(text, "expected no build metadata or local version, found '+'",
                    "an image tag cannot hold '+'; leave that part out");
    }
    return refuse(text, concat("expected letters, digits, '.', '-' and '_', found ", quoted(std::string_view(&c, 1))),
                  std::string(kExamples));
  }
  return {};
}

struct Numbers {
  std::array<std::string_view, 3> components;
  std::size_t count = 0;
  bool leading_zero = false;
};

/// Up to three dotted numbers; `rest` keeps what follows them.
Numbers take_numbers(std::string_view& rest) {
  Numbers numbers;
  while (numbers.count < 3) {
    std::string_view ahead = rest;
    if (numbers.count > 0) {
      if (!ahead.starts_with('.')) break;
      ahead.remove_prefix(1);
    }
    const std::string_view digits = take_digits(ahead);
    if (digits.empty()) break;
    numbers.leading_zero = numbers.leading_zero || (digits.size() > 1 && digits.front() == '0');
    numbers.components[numbers.count++] = digits;
    rest = ahead;
  }
  return numbers;
}

Result<std::array<std::uint64_t, 3>> numeric_components(const Numbers& numbers, std::string_view text,
                                                        std::string_view rest) {
  if (numbers.count == 0) return refuse(text, "expected three numbers, found none", std::string(kExamples));
  const bool fourth = rest.size() > 1 && rest[0] == '.' && is_digit(rest[1]);
  if (numbers.count < 3 || fourth) {
    const std::string found = fourth ? "more" : concat("only ", numbers.count);
    return refuse(text, concat("expected three numeric components, found ", found),
                  "write major.minor.patch, for example 1.2.0");
  }
  std::array<std::uint64_t, 3> values{};
  for (std::size_t i = 0; i < 3; ++i) {
    const auto value = parse_unsigned(numbers.components[i]);
    if (!value) return refuse(text, "expected numbers below 2^64", std::string(kExamples));
    values[i] = *value;
  }
  return values;
}

/// Where a version stands to the release of its three numbers: before, at, behind.
int stage_of(const Suffix& suffix) {
  if (suffix.empty()) return 1;
  return suffix.front() == kPostSegment ? 2 : 0;
}

/// End of list stands between "~dev" and everything else: 1.0rc1.dev1 < 1.0rc1 < 1.0rc1.post1.
int rank(const Suffix& suffix, std::size_t i) {
  if (i >= suffix.size()) return 1;
  if (suffix[i] == kDevSegment) return 0;
  if (suffix[i] == kPostSegment) return 5;
  if (is_number(suffix[i])) return 2;
  return i == 0 && suffix[i] == "dev" ? 3 : 4;
}

std::weak_ordering compare_numbers(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return a.size() <=> b.size();
  return a <=> b;
}

std::weak_ordering compare_suffixes(const Suffix& a, const Suffix& b) {
  if (const auto order = stage_of(a) <=> stage_of(b); order != 0) return order;
  for (std::size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
    const int rank_a = rank(a, i);
    if (const auto order = rank_a <=> rank(b, i); order != 0) return order;
    const std::weak_ordering order = rank_a == 2 ? compare_numbers(a[i], b[i]) : a[i] <=> b[i];
    if (order != 0) return order;
  }
  return std::weak_ordering::equivalent;
}

bool is_phase(std::string_view word) { return word == "alpha" || word == "beta" || word == "rc" || word == "dev"; }

/// A suffix that PEP 440 can say: an optional phase with its number, then only its segments.
bool is_pep440(const Suffix& suffix) {
  std::size_t i = 0;
  if (is_phase(suffix.front())) {
    if (suffix.size() < 2 || !is_number(suffix[1])) return false;
    i = 2;
  }
  for (; i < suffix.size(); i += 2) {
    if (suffix[i] != kDevSegment && suffix[i] != kPostSegment) return false;
  }
  return true;
}

std::string canonical_word(std::string_view word) {
  if (word == "alpha") return "a";
  if (word == "beta") return "b";
  if (word == "dev" || word == kDevSegment) return ".dev";
  return word == kPostSegment ? ".post" : std::string(word);
}

std::string canonical_suffix(const Suffix& suffix) {
  if (suffix.empty()) return {};
  if (!is_pep440(suffix)) return concat("-", join(suffix, "."));
  std::string text;
  for (const std::string& part : suffix) text += canonical_word(part);
  return text;
}

}  // namespace

std::string Version::canonical() const { return concat(major, ".", minor, ".", patch, canonical_suffix(suffix)); }

Result<Version> parse_version(std::string_view text) {
  CG_CHECK(check_characters(text));
  const std::string lower = to_lower(text);
  std::string_view rest = lower;
  if (rest.front() == 'v') rest.remove_prefix(1);
  const Numbers numbers = take_numbers(rest);
  CG_TRY(const auto values, numeric_components(numbers, text, rest));
  std::optional<Suffix> suffix;
  if (!numbers.leading_zero) suffix = parse_semver_suffix(rest);
  const bool semver = suffix.has_value();
  if (!semver) suffix = parse_pep440_suffix(rest);
  if (!suffix) {
    return refuse(text,
                  concat("expected nothing or a suffix such as -rc.1 or rc1 after the numbers, found ", quoted(rest)),
                  std::string(kExamples));
  }
  Version version{std::string(text), values[0], values[1], values[2], false, *std::move(suffix)};
  const bool dev = std::find(version.suffix.begin(), version.suffix.end(), kDevSegment) != version.suffix.end();
  version.is_prerelease = dev || stage_of(version.suffix) == 0;
  return version;
}

std::weak_ordering compare(const Version& a, const Version& b) {
  if (const auto order = a.major <=> b.major; order != 0) return order;
  if (const auto order = a.minor <=> b.minor; order != 0) return order;
  if (const auto order = a.patch <=> b.patch; order != 0) return order;
  return compare_suffixes(a.suffix, b.suffix);
}

std::optional<std::strong_ordering> compare_dotted(std::string_view a, std::string_view b) {
  const std::vector<std::string> parts_a = split(a, '.'), parts_b = split(b, '.');
  std::strong_ordering order = std::strong_ordering::equal;
  for (std::size_t i = 0; i < std::max(parts_a.size(), parts_b.size()); ++i) {
    const auto number_a = parse_unsigned(i < parts_a.size() ? std::string_view(parts_a[i]) : "0");
    const auto number_b = parse_unsigned(i < parts_b.size() ? std::string_view(parts_b[i]) : "0");
    if (!number_a || !number_b) return std::nullopt;
    if (order == 0) order = *number_a <=> *number_b;
  }
  return order;
}

}  // namespace crategate
