// A reader over the text, one rule of the grammar each.
#include "net/link.h"

#include <algorithm>

#include "base/strings.h"
#include "net/message.h"

namespace crategate::net {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t'; }

class LinkReader {
 public:
  explicit LinkReader(std::string_view text) : text_(text) {}

  Result<std::vector<Link>> read() {
    std::vector<Link> links;
    while (true) {
      skip_spaces();
      if (at_end()) return links;
      if (take(',')) continue;  // empty elements are allowed (RFC 9110 §5.6.1)
      CG_TRY(Link link, read_link());
      links.push_back(std::move(link));
      skip_spaces();
      if (!at_end() && text_[at_] != ',') return expected("a comma");
    }
  }

 private:
  bool at_end() const { return at_ == text_.size(); }
  void skip_spaces() {
    while (!at_end() && is_space(text_[at_])) ++at_;
  }
  bool take(char c) {
    if (at_end() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  Failure expected(std::string_view what) const {
    return fail(ErrorCode::integrity,
                concat("a Link header: expected ", what, " at character ", at_ + 1, ", found ",
                       at_end() ? std::string("its end") : quoted(text_.substr(at_), 20)),
                "try again; a proxy between here and the server may have changed the answer");
  }

  Result<Link> read_link() {
    if (!take('<')) return expected("\"<\"");
    const std::size_t end = text_.find('>', at_);
    if (end == std::string_view::npos) return expected("an address that ends with \">\"");
    Link link{.target = std::string(text_.substr(at_, end - at_)), .parameters = {}};
    at_ = end + 1;
    skip_spaces();
    while (take(';')) {
      skip_spaces();
      // A parameter may be missing between two semicolons.
      if (at_end() || text_[at_] == ';' || text_[at_] == ',') continue;
      CG_CHECK(read_parameter(link));
      skip_spaces();
    }
    return link;
  }

  Result<void> read_parameter(Link& link) {
    CG_TRY(const std::string name, read_token());
    std::string value;
    skip_spaces();
    if (take('=')) {
      skip_spaces();
      CG_TRY(value, read_value());
    }
    link.parameters.emplace_back(to_lower(name), std::move(value));
    return {};
  }

  Result<std::string> read_token() {
    const std::size_t begin = at_;
    while (!at_end() && is_token_character(text_[at_])) ++at_;
    if (at_ == begin) return expected("a name or value");
    return std::string(text_.substr(begin, at_ - begin));
  }

  Result<std::string> read_value() {
    if (!take('"')) return read_token();
    std::string value;
    while (!at_end()) {
      const char c = text_[at_++];
      if (c == '"') return value;
      if (c == '\\' && at_end()) break;
      value += c == '\\' ? text_[at_++] : c;
    }
    return expected("a closing quotation mark");
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

bool has_parameter(const Link& link, std::string_view name) {
  return std::any_of(link.parameters.begin(), link.parameters.end(),
                     [name](const auto& parameter) { return parameter.first == name; });
}

}  // namespace

bool Link::has_relation(std::string_view relation) const {
  for (const auto& [name, value] : parameters) {
    if (name != "rel") continue;
    const auto words = split(to_lower(replace_all(value, "\t", " ")), ' ');
    return std::find(words.begin(), words.end(), relation) != words.end();
  }
  return false;
}

Result<std::vector<Link>> parse_links(std::string_view header) { return LinkReader(header).read(); }

Result<std::optional<std::string>> next_page(const Headers& headers) {
  std::optional<std::string> next;
  for (const auto& [name, value] : headers) {
    if (to_lower(name) != "link") continue;
    CG_TRY(const auto links, parse_links(value));
    for (const Link& link : links) {
      // With an anchor it speaks of another document.
      if (!link.has_relation("next") || has_parameter(link, "anchor")) continue;
      if (next && *next != link.target)
        return fail(ErrorCode::integrity, "a Link header: expected one next page, found two",
                    "try again; if it stays, look at the server's log");
      next = link.target;
    }
  }
  return next;
}

}  // namespace crategate::net
