#include "stages/prune_ci_image.h"

#include <algorithm>
#include <set>

#include "base/strings.h"
#include "git/remote_address.h"
#include "net/http.h"
#include "pipeline/ci_tags.h"

namespace crategate::stages {
namespace {

constexpr std::string_view kDefaultServer = "https://github.com", kGitSuffix = ".git";

std::string with_port(const net::Url& server) {
  constexpr std::uint16_t kHttps = 443;
  return server.port == kHttps ? server.host : concat(server.host, ":", server.port);
}

/// The port of ssh says nothing about the web server's.
bool is_on(const git::RemoteAddress& address, const net::Url& server) {
  using Kind = git::RemoteAddress::Kind;
  const std::string_view host = address.host;
  const auto port = std::min(host.find(':', host.find(']') == host.npos ? 0 : host.find(']')), host.size());
  if (address.kind == Kind::ssh) return host.substr(0, port) == server.host;
  return address.kind == Kind::https &&
         (host.substr(port) == ":443" ? host.substr(0, port) : host) == with_port(server);
}

/// `OWNER/NAME`, in whatever spelling clones have it.
std::string_view path_of(const git::RemoteAddress& address) {
  std::string_view path = address.shown;
  const auto scheme = path.find("://");
  path.remove_prefix((scheme == std::string_view::npos ? 0 : scheme + 3) + address.host.size() + 1);
  while (path.starts_with('/')) path.remove_prefix(1);
  while (path.ends_with('/')) path.remove_suffix(1);
  if (path.ends_with(kGitSuffix)) path.remove_suffix(kGitSuffix.size());
  return path;
}

}  // namespace

Result<github::RepositoryName> repository_of_origin(std::string_view origin, std::string_view server) {
  CG_TRY(const auto url, net::Url::parse(server.empty() ? kDefaultServer : server));
  const auto address = git::parse_remote_address(origin);
  if (address && is_on(*address, url)) {
    auto name = github::RepositoryName::parse(path_of(*address));
    if (name) return name;
  }
  const std::string found = address ? quoted(address->shown) : origin.empty() ? std::string("none") : quoted(origin);
  return fail(
      ErrorCode::bad_input,
      concat("expected the clone of a repository OWNER/NAME on ", with_port(url), ", found origin ", found),
      "Set GITHUB_REPOSITORY=OWNER/NAME to the repository whose pull requests these are; of another server also "
      "GITHUB_SERVER_URL and GITHUB_API_URL.");
}

namespace {

std::vector<std::int64_t> pull_requests_of(const std::vector<std::string>& tags) {
  std::vector<std::int64_t> numbers;
  for (const auto& tag : tags)
    if (const auto number = pipeline::pull_request_of(tag)) numbers.push_back(*number);
  std::ranges::sort(numbers);
  return numbers;
}

/// What happened before it is not undone.
Error after(const std::vector<std::string>& removed, Error error) {
  error.message +=
      removed.empty() ? std::string("; no tag was removed") : concat("; removed before: ", join(removed, ", "));
  return error;
}

}  // namespace

Result<Pruned> prune_ci_image(TagPlace& place, bool remove, const AskClosed& is_closed) {
  CG_TRY(const auto tags, place.tags());
  Pruned pruned;
  std::vector<std::string> closed;
  for (const auto number : pull_requests_of(tags)) {
    const auto answer = is_closed(number);
    if (!answer && answer.error().code != ErrorCode::not_found) return fail(answer.error());
    if (!answer) pruned.hint = answer.error().hint;
    (!answer ? pruned.unknown : *answer ? closed : pruned.open).push_back(pipeline::pull_request_tag(number));
  }
  if (!closed.empty() || !pruned.open.empty()) pruned.hint.clear();
  const std::set<std::string> unwanted(closed.begin(), closed.end());
  for (const auto& tag : closed) {
    auto reason = place.remove(tag, unwanted, remove);
    if (!reason) return fail(after(pruned.removed, std::move(reason).error()));
    if (reason->empty()) {
      pruned.removed.push_back(tag);
    } else {
      pruned.kept.push_back({tag, *std::move(reason)});
    }
  }
  return pruned;
}

}  // namespace crategate::stages
