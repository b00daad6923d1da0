// Rules about the address.
#include "github/endpoint.h"

#include <algorithm>

#include "base/strings.h"
#include "github/git_server.h"

namespace crategate::github {
namespace {

constexpr std::string_view kApiUrl = "GITHUB_API_URL";
constexpr std::string_view kServerUrl = "GITHUB_SERVER_URL";
constexpr std::string_view kDefaultApi = "https://api.github.com";
constexpr std::string_view kDefaultServer = "https://github.com";

bool is_loopback(std::string_view host) {
  const bool is_number =
      std::all_of(host.begin(), host.end(), [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
  return host == "localhost" || host == "[::1]" || (host.starts_with("127.") && is_number);
}

Failure refuse(std::string_view source, const net::Url& url, std::string_view why) {
  return fail(ErrorCode::bad_input, concat(source, " is ", url.redacted(), ": ", why),
              "the runner sets GITHUB_API_URL and GITHUB_SERVER_URL; set both, or neither");
}

Result<net::Url> parse_base(std::string_view source, std::string_view text) {
  auto url = net::Url::parse(text);
  if (!url) return fail(std::move(url.error()).within(std::string(source)));
  if (url->scheme != "https" && !is_loopback(url->host)) return refuse(source, *url, "expected https");
  if (url->target.find('?') != std::string::npos) return refuse(source, *url, "expected no query");
  while (url->target.ends_with('/')) url->target.pop_back();
  return url;
}

std::string value_of(const sys::Environment& environment, std::string_view name) {
  return std::string(trim(environment.get(name).value_or("")));
}

/// The server itself, or its API host. On loopback every port.
bool belongs_to(const net::Url& api, const net::Url& server) {
  if (is_loopback(api.host) && api.host == server.host) return true;
  return api.scheme == server.scheme && api.port == server.port &&
         (api.host == server.host || api.host == concat("api.", server.host));
}

Result<net::Url> find_server(const sys::Environment& environment) {
  const std::string server = value_of(environment, kServerUrl);
  return parse_base(kServerUrl, server.empty() ? kDefaultServer : std::string_view(server));
}

Result<net::Url> find_base(const sys::Environment& environment, const std::optional<std::string>& configured) {
  if (configured && !configured->empty()) return parse_base("the configured API", *configured);
  const std::string api = value_of(environment, kApiUrl);
  CG_TRY(const net::Url server_url, find_server(environment));
  CG_TRY(net::Url api_url, parse_base(kApiUrl, api.empty() ? kDefaultApi : std::string_view(api)));
  if (!belongs_to(api_url, server_url))
    return refuse(kApiUrl, api_url, concat("expected an address of ", server_url.redacted()));
  return api_url;
}

Result<void> check_token(const Secret& token) {
  const std::string& text = token.reveal();
  if (std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; })) return {};
  return fail(ErrorCode::bad_input,
              "the token for GitHub: expected letters, digits and signs, found a space, line end or other character",
              "copy the token again, without the line end");
}

/// Of the server whose API it is.
std::string_view server_host(const Endpoint& endpoint) {
  constexpr std::string_view kApiHost = "api.";
  std::string_view host = endpoint.base.host;
  if (host.starts_with(kApiHost)) host.remove_prefix(kApiHost.size());
  return host;
}

}  // namespace

net::Url graphql_url(const Endpoint& endpoint) {
  constexpr std::string_view kRest = "/v3", kEnterprise = "/api/v3";
  net::Url url = endpoint.base;
  if (url.target.ends_with(kEnterprise)) url.target.resize(url.target.size() - kRest.size());
  url.target += "/graphql";
  return url;
}

std::string site_of(const Endpoint& endpoint) {
  net::Url site = endpoint.base;
  site.host = server_host(endpoint);
  site.target.clear();
  return site.text();
}

std::string container_registry(const Endpoint& endpoint) {
  constexpr std::string_view kPublic = "github.com";
  const std::string_view host = server_host(endpoint);
  return host == kPublic || is_loopback(host) ? std::string("ghcr.io") : concat("containers.", host);
}

Result<Endpoint> find_endpoint(const sys::Environment& environment, const Secret& token,
                               const std::optional<std::string>& configured) {
  CG_TRY(net::Url base, find_base(environment, configured));
  CG_CHECK(check_token(token));
  return Endpoint{std::move(base), token};
}

Result<GitServer> find_git_server(const sys::Environment& environment, const Secret& token) {
  CG_TRY(net::Url base, find_server(environment));
  CG_CHECK(check_token(token));
  return GitServer{std::move(base), token};
}

}  // namespace crategate::github
