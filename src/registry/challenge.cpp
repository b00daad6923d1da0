// A small scanner over one header value.
#include "registry/challenge.h"

#include "base/strings.h"

namespace crategate::registry {
namespace {

constexpr std::size_t kHeaderLimit = 8192;
constexpr std::size_t kMaxChallenges = 8;

bool is_token(char c) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         kMarks.find(c) != std::string_view::npos;
}

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}
  bool at_end() const { return text_.empty(); }
  void skip_separators() {
    while (!text_.empty() && (text_[0] == ' ' || text_[0] == '\t' || text_[0] == ',')) text_.remove_prefix(1);
  }
  void skip_spaces() {
    while (!text_.empty() && (text_[0] == ' ' || text_[0] == '\t')) text_.remove_prefix(1);
  }
  bool take(char c) {
    if (text_.empty() || text_[0] != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  std::string token() {
    std::size_t size = 0;
    while (size < text_.size() && is_token(text_[size])) ++size;
    std::string taken(text_.substr(0, size));
    text_.remove_prefix(size);
    return taken;
  }
  /// False for a quote that does not end, or control characters in it.
  bool quoted_string(std::string& value) {
    while (!text_.empty()) {
      char c = text_[0];
      text_.remove_prefix(1);
      if (c == '"') return true;
      if (c == '\\' && !text_.empty()) {
        c = text_[0];
        text_.remove_prefix(1);
      }
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return false;
      value += c;
    }
    return false;
  }
  std::string_view rest() const { return text_; }

 private:
  std::string_view text_;
};

}  // namespace

std::string Challenge::parameter(const std::string& name) const {
  const auto found = parameters.find(name);
  return found == parameters.end() ? std::string() : found->second;
}

Result<std::vector<Challenge>> parse_challenges(std::string_view header) {
  const auto refuse = [&header] {
    return fail(ErrorCode::integrity,
                concat("WWW-Authenticate: expected challenges as RFC 9110 says, found ", crategate::quoted(header)),
                "check what stands between this machine and the registry");
  };
  std::vector<Challenge> challenges;
  if (header.size() > kHeaderLimit) return refuse();
  Scanner scanner(header);
  for (scanner.skip_separators(); !scanner.at_end(); scanner.skip_separators()) {
    const std::string word = scanner.token();
    if (word.empty()) return refuse();
    scanner.skip_spaces();
    if (!scanner.take('=')) {
      if (challenges.size() == kMaxChallenges) return refuse();
      challenges.push_back({to_lower(word), {}});
      continue;
    }
    if (challenges.empty()) return refuse();
    scanner.skip_spaces();
    std::string value;
    if (!scanner.take('"')) {
      value = scanner.token();
    } else if (!scanner.quoted_string(value)) {
      return refuse();
    }
    challenges.back().parameters.emplace(to_lower(word), std::move(value));
  }
  return challenges;
}

}  // namespace crategate::registry
