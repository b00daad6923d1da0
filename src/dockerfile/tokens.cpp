// Mustache's grammar, as far as Dockerfiles need it, in one pass over the text.
// Belongs here: tags, standalone lines, matching of sections.  Not here: variables.
#include "dockerfile/tokens.h"

#include <algorithm>
#include <utility>

#include "base/strings.h"
#include "base/version.h"

namespace crategate::dockerfile {
namespace {

constexpr std::size_t kMaxDepth = 64;
constexpr std::string_view kBlank = " \t";
constexpr std::string_view kLiteralHint =
    "for braces in the output give a variable that text and insert it; variables are never rendered again";

bool is_name(std::string_view text) {
  constexpr std::string_view kRest = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
  const bool letter = !text.empty() && ((text.front() >= 'a' && text.front() <= 'z') ||
                                        (text.front() >= 'A' && text.front() <= 'Z') || text.front() == '_');
  return letter && text.find_first_not_of(kRest) == std::string_view::npos;
}

bool is_blank(std::string_view text) { return text.find_first_not_of(kBlank) == std::string_view::npos; }

/// A tag as written, between its braces.
struct Tag {
  std::size_t begin = 0, end = 0;  ///< first byte of `{{`, first byte after `}}`
  char sigil = ' ';                ///< `#^/!`, or a space for a variable
  std::string_view content;        ///< trimmed
};

class Tokenizer {
 public:
  Tokenizer(std::string_view text, std::string_view file_name) : text_(text), file_name_(file_name) {}

  Result<std::vector<Token>> run() {
    while (true) {
      const std::size_t begin = text_.find("{{", at_);
      if (begin == std::string_view::npos) break;
      CG_TRY(const Tag tag, read_tag(begin));
      take_text(tag);
      CG_CHECK(take_tag(tag));
    }
    add_text(text_.substr(at_), at_);
    if (!open_.empty()) {
      const Token& token = tokens_[open_.back()];
      return refuse(token.offset, concat("section ", quoted(title(token)), " is not closed"),
                    concat("add {{/", title(token), "}}"));
    }
    return std::move(tokens_);
  }

 private:
  Failure refuse(std::size_t offset, std::string message, std::string hint) const {
    Error error{ErrorCode::bad_input, std::move(message), std::move(hint), {}, std::nullopt, std::nullopt};
    error.location = locate(text_, offset, file_name_);
    return fail(std::move(error));
  }

  static std::string title(const Token& token) {
    static constexpr std::string_view kOperators[] = {"", " < ", " <= ", " > ", " >= ", " == ", " != "};
    return concat(token.text, kOperators[static_cast<std::size_t>(token.comparison)], token.operand);
  }

  Result<Tag> read_tag(std::size_t begin) const {
    Tag tag;
    tag.begin = begin;
    const std::size_t inner = begin + 2;
    const char first = inner < text_.size() ? text_[inner] : ' ';
    const bool triple = first == '{';
    const std::size_t close = text_.find(triple ? "}}}" : "}}", inner);
    if (close == std::string_view::npos)
      return refuse(begin, "expected }} after {{, found the end of the file", std::string(kLiteralHint));
    const bool plain = std::string_view("#^/!&{>=<$").find(first) == std::string_view::npos;
    const std::size_t start = plain ? inner : inner + 1;
    if (start > close) return refuse(begin, "expected a name, found an empty tag", std::string(kLiteralHint));
    tag.content = trim(text_.substr(start, close - start));
    tag.end = close + (triple ? 3 : 2);
    tag.sigil = plain || first == '{' || first == '&' ? ' ' : first;
    CG_CHECK(check_tag(tag, text_.substr(inner, close - inner)));
    return tag;
  }

  Result<> check_tag(const Tag& tag, std::string_view inside) const {
    if (tag.sigil == '>' || tag.sigil == '<' || tag.sigil == '$')
      return refuse(tag.begin, concat("partials are refused, found ", quoted(concat("{{", inside, "}}"))),
                    "write the text into this template");
    if (tag.sigil == '=')
      return refuse(tag.begin, concat("other delimiters are refused, found ", quoted(concat("{{", inside, "}}"))),
                    std::string(kLiteralHint));
    if (tag.sigil != '!' && inside.find('\n') != std::string_view::npos)
      return refuse(tag.begin, "expected }} on the line of its {{, found the end of the line",
                    std::string(kLiteralHint));
    return {};
  }

  /// The text in front of a tag, and, when the tag has the line for itself, the end of that line.
  void take_text(const Tag& tag) {
    std::string_view before = text_.substr(at_, tag.begin - at_);
    const std::size_t line = before.rfind('\n');
    const std::size_t line_start = line == std::string_view::npos ? 0 : line + 1;
    const bool fresh = line != std::string_view::npos || line_is_blank_;
    const bool blank_before = fresh && is_blank(before.substr(line_start));
    const std::size_t after = standalone_end(tag.end);
    const bool standalone = tag.sigil != ' ' && blank_before && after != std::string_view::npos;
    if (standalone) before = before.substr(0, line_start);
    add_text(before, at_);
    at_ = standalone ? after : tag.end;
    line_is_blank_ = standalone;
  }

  /// Where the next line starts, if nothing but blanks follows on this one.
  std::size_t standalone_end(std::size_t from) const {
    const std::size_t next = std::min(text_.find_first_not_of(kBlank, from), text_.size());
    if (next == text_.size()) return next;
    if (text_[next] == '\n') return next + 1;
    if (text_.substr(next).starts_with("\r\n")) return next + 2;
    return std::string_view::npos;
  }

  void add_text(std::string_view text, std::size_t offset) {
    if (!text.empty()) tokens_.push_back(Token{Token::Kind::text, text, Comparison::none, {}, offset, 0});
  }

  Result<> take_tag(const Tag& tag) {
    if (tag.sigil == '!') return {};
    CG_TRY(Token token, parse_condition(tag));
    token.offset = tag.begin;
    if (tag.sigil == ' ') {
      if (token.comparison != Comparison::none)
        return refuse(tag.begin, concat("expected a variable, found the comparison ", quoted(tag.content)),
                      "use it as a section: {{#…}} … {{/…}}");
      token.kind = Token::Kind::variable;
    } else if (tag.sigil == '/') {
      return close_section(token);
    } else {
      token.kind = tag.sigil == '#' ? Token::Kind::section : Token::Kind::inverted;
      if (open_.size() >= kMaxDepth)
        return refuse(tag.begin, concat("expected at most ", kMaxDepth, " open sections, found more"),
                      "nest less deeply");
      open_.push_back(tokens_.size());
    }
    tokens_.push_back(token);
    return {};
  }

  Result<> close_section(Token token) {
    if (open_.empty())
      return refuse(token.offset, concat("{{/", title(token), "}} closes a section that is not open"), "remove it");
    Token& opened = tokens_[open_.back()];
    if (title(opened) != title(token)) {
      const Location where = locate(text_, opened.offset, file_name_);
      return refuse(token.offset,
                    concat("expected {{/", title(opened), "}}, found {{/", title(token),
                           "}}; the section opened at line ", where.line),
                    "close sections in the reverse order of their opening");
    }
    token.kind = Token::Kind::close;
    opened.end = tokens_.size();
    open_.pop_back();
    tokens_.push_back(token);
    return {};
  }

  /// `name`, or `name operator version`.
  Result<Token> parse_condition(const Tag& tag) const {
    static constexpr std::pair<std::string_view, Comparison> kOperators[] = {
        {"<=", Comparison::less_equal}, {">=", Comparison::greater_equal}, {"==", Comparison::equal},
        {"!=", Comparison::not_equal},  {"<", Comparison::less},           {">", Comparison::greater}};
    Token token;
    token.text = tag.content;
    const std::size_t at = tag.content.find_first_of("<>=!");
    if (at != std::string_view::npos) {
      const std::string_view rest = tag.content.substr(at);
      const auto matches = [rest](const auto& candidate) { return rest.starts_with(candidate.first); };
      const auto found = std::find_if(std::begin(kOperators), std::end(kOperators), matches);
      if (found == std::end(kOperators))
        return refuse(tag.begin, concat("expected <, <=, >, >=, == or !=, found ", quoted(rest)),
                      "write for example {{#python < 3.12}}");
      token.text = trim(tag.content.substr(0, at));
      token.comparison = found->second;
      token.operand = trim(rest.substr(found->first.size()));
      if (!compare_dotted(token.operand, token.operand))
        return refuse(
            tag.begin, concat("expected a dotted version after ", found->first, ", found ", quoted(token.operand)),
            "only versions are compared; for other conditions give the value a variable and use {{#variable}}");
    }
    if (!is_name(token.text))
      return refuse(tag.begin, concat("expected a variable name, found ", quoted(token.text)),
                    std::string(kLiteralHint));
    return token;
  }

  std::string_view text_, file_name_;
  std::size_t at_ = 0;
  bool line_is_blank_ = true;  ///< nothing but blanks since the line began, at `at_`
  std::vector<Token> tokens_;
  std::vector<std::size_t> open_;
};

}  // namespace

Result<std::vector<Token>> tokenize(std::string_view text, std::string_view file_name) {
  return Tokenizer(text, file_name).run();
}

Location locate(std::string_view text, std::size_t offset, std::string_view file_name) {
  Location where{std::string(file_name), 1, 1};
  for (const char c : text.substr(0, offset)) {
    const bool continuation = (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
    if (c == '\n') {
      ++where.line;
      where.column = 1;
    } else if (!continuation) {
      ++where.column;
    }
  }
  return where;
}

}  // namespace crategate::dockerfile
