// URLs: what we accept from users, and the stricter rules for what a server tells us to follow (A42, A43).
#include <algorithm>

#include "base/strings.h"
#include "net/http.h"

namespace crategate::net {
namespace {

constexpr std::size_t kLongest = 16u << 10;

bool is_alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }
bool is_unreserved(char c) { return is_alphanumeric(c) || std::string_view("-._~").find(c) != std::string_view::npos; }
bool is_visible(char c) { return c > ' ' && c < '\x7f'; }

std::uint16_t default_port(std::string_view scheme) { return scheme == "https" ? 443 : 80; }

Failure refuse(std::string_view text, std::string_view why) {
  return fail(ErrorCode::bad_input, concat(quoted(text), " is not a URL we accept: ", why),
              "write it as https://host[:port]/path, without user name and password");
}

bool is_name(std::string_view host) {
  const auto good = [](char c) { return is_alphanumeric(c) || c == '-' || c == '.' || c == '_'; };
  return !host.empty() && host.size() <= 253 && std::all_of(host.begin(), host.end(), good) && host.front() != '.' &&
         host.front() != '-' && host.find("..") == std::string_view::npos;
}

bool is_address(std::string_view host) {
  const auto good = [](char c) {
    return std::string_view("0123456789abcdefABCDEF:.").find(c) != std::string_view::npos;
  };
  return host.size() >= 4 && host.front() == '[' && host.back() == ']' &&
         std::all_of(host.begin() + 1, host.end() - 1, good) && host.find(':') != std::string_view::npos;
}

Result<void> parse_authority(std::string_view authority, std::string_view text, Url& url) {
  if (authority.find('@') != std::string_view::npos) return refuse("(hidden)", "it contains user information");
  const std::size_t bracket = authority.rfind(']');
  const std::size_t colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  url.host = to_lower(authority.substr(0, colon));
  if (!is_name(url.host) && !is_address(url.host)) return refuse(text, "its host is neither a name nor an address");
  url.port = default_port(url.scheme);
  if (colon == std::string_view::npos) return {};
  const auto port = parse_unsigned(authority.substr(colon + 1));
  if (!port || *port == 0 || *port > 65535) return refuse(text, "its port is not a number from 1 to 65535");
  url.port = static_cast<std::uint16_t>(*port);
  return {};
}

/// RFC 3986 §5.2.4.
std::string without_dot_segments(std::string_view path) {
  std::vector<std::string> kept;
  const std::vector<std::string> parts = split(path.substr(1), '/');
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const bool dots = parts[i] == "." || parts[i] == "..";
    if (parts[i] == ".." && !kept.empty()) kept.pop_back();
    if (!dots) kept.push_back(parts[i]);
    if (dots && i + 1 == parts.size()) kept.emplace_back();
  }
  return "/" + join(kept, "/");
}

bool has_scheme(std::string_view text) {
  const std::size_t colon = text.find_first_of(":/?#");
  return colon != std::string_view::npos && text[colon] == ':';
}

Failure refuse_location(const Url& base, std::string_view location, std::string_view why) {
  Error error{
      .code = ErrorCode::integrity,
      .message = concat(base.origin(), " redirects to ", quoted(location.substr(0, location.find('?'))), ": ", why),
      .hint = "ask whoever runs the server; nothing was sent to the new address"};
  return fail(std::move(error));
}

}  // namespace

Result<Url> Url::parse(std::string_view text) {
  if (text.size() > kLongest) return refuse(text, "it is longer than 16 KiB");
  if (!std::all_of(text.begin(), text.end(), is_visible) || text.find('\\') != std::string_view::npos)
    return refuse(text, "it contains a space, a control character, a backslash or something beyond ASCII");
  const std::size_t scheme_end = text.find("://");
  Url url;
  url.scheme = to_lower(text.substr(0, scheme_end));
  if (scheme_end == std::string_view::npos || (url.scheme != "http" && url.scheme != "https"))
    return refuse(text, "it does not begin with http:// or https://");
  std::string_view rest = text.substr(scheme_end + 3);
  rest = rest.substr(0, rest.find('#'));
  const std::size_t authority_end = std::min(rest.find_first_of("/?"), rest.size());
  CG_CHECK(parse_authority(rest.substr(0, authority_end), text, url));
  const std::string_view target = rest.substr(authority_end);
  url.target = target.starts_with('/') ? std::string(target) : concat("/", target);
  return url;
}

std::string Url::origin() const { return concat(scheme, "://", host, ":", port); }

std::string Url::text() const {
  if (port == default_port(scheme)) return concat(scheme, "://", host, target);
  return origin() + target;
}

std::string Url::redacted() const {
  const std::string whole = text();
  return whole.substr(0, whole.find('?'));
}

Result<Url> resolve(const Url& base, std::string_view location) {
  if (location.empty()) return refuse_location(base, location, "the address is empty");
  if (!std::all_of(location.begin(), location.end(), is_visible) || location.find('\\') != std::string_view::npos)
    return refuse_location(base, location, "a control character, space or backslash in it");
  if (location.starts_with("//")) return refuse_location(base, location, "a host without a scheme");
  if (has_scheme(location)) {
    auto absolute = Url::parse(location);
    if (!absolute) return refuse_location(base, "(hidden)", absolute.error().message);
    if (base.scheme == "https" && absolute->scheme != "https")
      return refuse_location(base, location, "from https down to http");
    return absolute;
  }
  Url url = base;
  const std::string path = base.target.substr(0, base.target.find('?'));
  const std::string_view wanted = location.substr(0, location.find('#'));
  const std::size_t question = std::min(wanted.find('?'), wanted.size());
  std::string joined = wanted.starts_with('/') ? std::string(wanted.substr(0, question))
                       : question == 0         ? path
                                       : path.substr(0, path.rfind('/') + 1) + std::string(wanted.substr(0, question));
  url.target = wanted.empty() ? base.target : without_dot_segments(joined) + std::string(wanted.substr(question));
  return url;
}

std::string url_encode(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    if (is_unreserved(c)) {
      encoded += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    encoded += '%';
    encoded += kDigits[byte >> 4];
    encoded += kDigits[byte & 15];
  }
  return encoded;
}

std::string Response::header(std::string_view name) const {
  const std::string wanted = to_lower(name);
  for (const auto& [key, value] : headers)
    if (to_lower(key) == wanted) return value;
  return {};
}

}  // namespace crategate::net
