#include "git/remote_address.h"

#include <algorithm>
#include <utility>

#include "base/strings.h"

namespace crategate::git {
namespace {

constexpr std::string_view kSeparator = "://";

Failure refuse(std::string_view shown, std::string_view found) {
  return fail(
      ErrorCode::bad_input,
      concat("the git remote ", quoted(shown), ": expected https, ssh, file or an absolute path, found ", found),
      "Name a remote of the checkout, or write for example https://github.com/me/app.");
}

/// `user:password@host` → host; the rest goes to `address`.
std::string take_user(std::string_view authority, RemoteAddress& address) {
  const std::size_t at = authority.rfind('@');
  if (at == std::string_view::npos) return to_lower(authority);
  const std::string_view user = authority.substr(0, at);
  const std::size_t colon = user.find(':');
  if (colon != std::string_view::npos)
    address.password = user.substr(colon + 1);
  else if (address.kind == RemoteAddress::Kind::https)
    address.password = user;
  return to_lower(authority.substr(at + 1));
}

Result<RemoteAddress> parse_url(std::string_view text, std::size_t separator) {
  const std::string scheme = to_lower(text.substr(0, separator));
  const std::string_view rest = text.substr(separator + kSeparator.size());
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  RemoteAddress address{.text = std::string(text)};
  if (scheme == "https")
    address.kind = RemoteAddress::Kind::https;
  else if (scheme == "ssh")
    address.kind = RemoteAddress::Kind::ssh;
  address.host = take_user(rest.substr(0, slash), address);
  address.shown = concat(scheme, kSeparator, address.host, rest.substr(slash));
  if (scheme != "https" && scheme != "ssh" && scheme != "file") return refuse(address.shown, quoted(scheme));
  if (address.host.starts_with('-') || (scheme != "file" && address.host.empty()))
    return refuse(address.shown, "no host");
  return address;
}

}  // namespace

bool is_remote_address(std::string_view text) {
  return text.find_first_of("/:") != std::string_view::npos || text == "." || text == "..";
}

Result<RemoteAddress> parse_remote_address(std::string_view text) {
  const bool plain = std::ranges::all_of(text, [](char c) { return c < 0 || (c >= ' ' && c != '\x7f'); });
  if (text.empty() || !plain) return refuse("", text.empty() ? "nothing" : "a control character");
  if (text.starts_with('-')) return refuse(text, "an option");
  if (text.starts_with('/'))
    return RemoteAddress{.text = std::string(text), .host = {}, .shown = std::string(text), .password = {}};
  if (const std::size_t separator = text.find(kSeparator);
      separator != std::string_view::npos && separator < text.find('/'))
    return parse_url(text, separator);
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon > text.find('/') || text.substr(colon).starts_with("::"))
    return refuse(text, colon == std::string_view::npos ? "a relative path" : "another protocol");
  RemoteAddress address{
      .kind = RemoteAddress::Kind::ssh, .text = std::string(text), .host = {}, .shown = {}, .password = {}};
  address.host = take_user(text.substr(0, colon), address);
  address.shown = concat(address.host, text.substr(colon));
  if (address.host.empty() || address.host.starts_with('-')) return refuse(address.shown, "no host");
  return address;
}

}  // namespace crategate::git
