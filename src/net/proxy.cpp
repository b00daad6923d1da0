// Reading the variables. A value may hold a password: no message repeats it.
#include "net/proxy.h"

#include "base/strings.h"
#include "net/special_address.h"

namespace crategate::net {
namespace {

Failure refuse(std::string_view variable, std::string_view found) {
  return fail(ErrorCode::bad_input, concat(variable, ": expected http://[user:password@]host[:port], found ", found),
              concat("correct ", variable, ", or name the servers that need no proxy in NO_PROXY"));
}

std::optional<std::string> decode_percent(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    unsigned value = 0;
    for (const char c : to_lower(text.substr(i + 1, 2))) {
      const std::size_t digit = std::string_view("0123456789abcdef").find(c);
      if (digit == std::string_view::npos) return std::nullopt;
      value = value * 16 + static_cast<unsigned>(digit);
    }
    decoded += static_cast<char>(value);
    i += 2;
  }
  return decoded;
}

/// `written`: user, or user:password. nullopt = a broken escape.
std::optional<Secret> parse_credentials(std::string_view written) {
  auto decoded = decode_percent(written);
  if (!decoded) return std::nullopt;
  const std::size_t colon = written.find(':');
  if (colon == std::string_view::npos) return Secret(*decoded + ":");
  // The password alone must not be shown, either: neither as it is nor as it is written.
  const std::string_view password = written.substr(colon + 1);
  const Secret hidden[] = {Secret(std::string(password)), Secret(decode_percent(password).value_or(""))};
  return Secret(*std::move(decoded));
}

Result<std::optional<Proxy>> parse_proxy(std::string_view variable, std::string_view text) {
  text = trim(text);
  if (text.empty()) return std::nullopt;
  const std::size_t scheme_end = text.find("://");
  const std::string scheme = scheme_end == std::string_view::npos ? "http" : to_lower(text.substr(0, scheme_end));
  std::string_view rest = scheme_end == std::string_view::npos ? text : text.substr(scheme_end + 3);
  Proxy proxy{.variable = std::string(variable), .url = {}, .credentials = {}};
  // Up to the last "@", whatever stands before it: a password may hold a "/" that should have been escaped.
  if (const std::size_t at = rest.rfind('@'); at != std::string_view::npos) {
    auto credentials = parse_credentials(rest.substr(0, at));
    if (!credentials) return refuse(variable, "a \"%\" in user or password without two hex digits behind it");
    proxy.credentials = *std::move(credentials);
    rest.remove_prefix(at + 1);
  }
  if (scheme == "https" || scheme.starts_with("socks"))
    return refuse(variable, scheme == "https" ? "a proxy behind TLS (https)" : "a SOCKS proxy");
  if (scheme != "http") return refuse(variable, "another scheme");
  auto url = Url::parse(concat("http://", rest.substr(0, rest.find_first_of("/?#")), "/"));
  if (!url) return refuse(variable, "something else (its value is not shown)");
  proxy.url = *std::move(url);
  return proxy;
}

bool is_loopback_host(const Url& url) {
  std::string_view host = url.host;
  if (host.ends_with('.')) host.remove_suffix(1);
  if (host == "localhost" || host.ends_with(".localhost")) return true;
  const auto address = numeric_address(bare_host(url), url.port);
  return address && is_loopback(*address);
}

}  // namespace

std::string Proxy::authorization() const {
  return credentials.empty() ? std::string() : concat("Basic ", base64(credentials.reveal()));
}

const Proxy* Proxies::for_url(const Url& url) const {
  const std::optional<Proxy>& proxy = url.scheme == "https" ? https : http;
  if (!proxy || is_loopback_host(url) || exceptions.covers(url)) return nullptr;
  return &*proxy;
}

Result<Proxies> parse_proxies(std::string_view https_proxy, std::string_view http_proxy, std::string_view no_proxy) {
  Proxies proxies;
  CG_TRY(proxies.https, parse_proxy("HTTPS_PROXY", https_proxy));
  CG_TRY(proxies.http, parse_proxy("HTTP_PROXY", http_proxy));
  proxies.exceptions = NoProxy(no_proxy);
  return proxies;
}

Result<Proxies> parse_proxies(const sys::Environment& environment) {
  const auto value = [&environment](std::string_view lower, std::string_view upper) {
    const std::string first = environment.get(lower).value_or("");
    return first.empty() ? environment.get(upper).value_or("") : first;
  };
  const bool is_cgi = environment.get("REQUEST_METHOD").has_value();
  return parse_proxies(value("https_proxy", "HTTPS_PROXY"), value("http_proxy", is_cgi ? "http_proxy" : "HTTP_PROXY"),
                       value("no_proxy", "NO_PROXY"));
}

}  // namespace crategate::net
