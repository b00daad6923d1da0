// A reader over one header value, one rule of the grammar each.
#include "registry/challenge.h"

#include <algorithm>
#include <optional>

#include "base/strings.h"
#include "net/message.h"

namespace crategate::registry {
namespace {

constexpr std::size_t kHeaderLimit = 8192;
constexpr std::size_t kMaxChallenges = 8;

bool is_alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

bool is_token68_character(char c) {
  return is_alphanumeric(c) || std::string_view("-._~+/").find(c) != std::string_view::npos;
}

/// In a quoted string, with or without a backslash before it: visible, space, tab, or beyond ASCII.
bool is_text(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
}

class ChallengeReader {
 public:
  explicit ChallengeReader(std::string_view text) : text_(text) {}

  Result<std::vector<Challenge>> read() {
    std::vector<Challenge> challenges;
    for (bool first = true; skip_to_element(first); first = false) {
      if (!challenges.empty() && with_parameters_ && take_parameter(challenges.back())) continue;
      if (fault_ || challenges.size() == kMaxChallenges || !take_challenge(challenges)) return refused();
    }
    if (fault_) return refused();
    return challenges;
  }

 private:
  char at(std::size_t index) const { return index < text_.size() ? text_[index] : '\0'; }
  std::size_t after_spaces(std::size_t index) const {
    while (at(index) == ' ' || at(index) == '\t') ++index;
    return index;
  }
  template <class Accepts>
  std::size_t after(std::size_t index, Accepts accepts) const {
    while (index < text_.size() && accepts(text_[index])) ++index;
    return index;
  }
  bool ends_element(std::size_t index) const {
    const std::size_t next = after_spaces(index);
    return next == text_.size() || text_[next] == ',';
  }

  /// Past commas and empty elements. False at the end, or where a comma is missing.
  bool skip_to_element(bool first) {
    at_ = after_spaces(at_);
    if (!first && at_ < text_.size() && text_[at_] != ',') fault_ = true;
    while (!fault_ && at(at_) == ',') at_ = after_spaces(at_ + 1);
    return !fault_ && at_ < text_.size();
  }

  /// `name = value`. False without having moved, or with a fault.
  bool take_parameter(Challenge& challenge) {
    const std::size_t name_end = after(at_, net::is_token_character);
    const std::size_t equals = after_spaces(name_end);
    if (name_end == at_ || at(equals) != '=') return false;
    const auto value = value_at(after_spaces(equals + 1));
    const std::string name = to_lower(text_.substr(at_, name_end - at_));
    fault_ = !value || !challenge.parameters.emplace(name, value->text).second;
    if (value) at_ = value->end;
    return !fault_;
  }

  struct Value {
    std::string text;
    std::size_t end;
  };
  /// A token or a quoted string.
  std::optional<Value> value_at(std::size_t begin) const {
    if (at(begin) != '"') {
      const std::size_t end = after(begin, net::is_token_character);
      if (end == begin) return std::nullopt;
      return Value{std::string(text_.substr(begin, end - begin)), end};
    }
    Value value{{}, begin + 1};
    while (value.end < text_.size() && text_[value.end] != '"') {
      if (text_[value.end] == '\\') ++value.end;
      if (value.end == text_.size() || !is_text(text_[value.end])) return std::nullopt;
      value.text += text_[value.end++];
    }
    if (value.end == text_.size()) return std::nullopt;
    ++value.end;
    return value;
  }

  /// A scheme, and behind at least one space its token68 or first parameter.
  bool take_challenge(std::vector<Challenge>& challenges) {
    const std::size_t end = after(at_, net::is_token_character);
    if (end == at_) return false;
    Challenge& challenge = challenges.emplace_back();
    challenge.scheme = to_lower(text_.substr(at_, end - at_));
    at_ = end;
    with_parameters_ = at(end) == ' ';
    if (ends_element(end)) return true;
    if (!with_parameters_) return false;
    at_ = after_spaces(end);
    const std::size_t letters_end = after(at_, is_token68_character);
    const std::size_t token68_end = after(letters_end, [](char c) { return c == '='; });
    if (letters_end == at_ || !ends_element(token68_end)) return take_parameter(challenge);
    challenge.token68 = text_.substr(at_, token68_end - at_);
    with_parameters_ = false;
    at_ = token68_end;
    return true;
  }

  Failure refused() const {
    return fail(ErrorCode::integrity,
                concat("WWW-Authenticate: expected challenges as RFC 9110 says, found ", crategate::quoted(text_)),
                "check what stands between this machine and the registry");
  }

  std::string_view text_;
  std::size_t at_ = 0;
  bool with_parameters_ = false;  ///< the challenge at hand may have (more) parameters
  bool fault_ = false;
};

}  // namespace

std::string Challenge::parameter(const std::string& name) const {
  const auto found = parameters.find(name);
  return found == parameters.end() ? std::string() : found->second;
}

Result<std::vector<Challenge>> parse_challenges(std::string_view header) {
  if (header.size() > kHeaderLimit) {
    return fail(ErrorCode::integrity,
                concat("WWW-Authenticate: expected at most ", kHeaderLimit, " bytes, found ", header.size()),
                "check what stands between this machine and the registry");
  }
  return ChallengeReader(header).read();
}

Result<std::vector<Challenge>> challenges_of(const net::Headers& headers) {
  std::string all;
  for (const auto& [name, value] : headers) {
    if (to_lower(name) != "www-authenticate") continue;
    all += concat(all.empty() ? "" : ", ", value);
  }
  return parse_challenges(all);
}

}  // namespace crategate::registry
