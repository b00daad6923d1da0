// One table from status and registry code to the product's error codes, and one for what to do.
#include "registry/failure.h"

#include <algorithm>
#include <array>

#include "base/strings.h"
#include "json/value.h"
#include "registry/limits.h"

namespace crategate::registry {
namespace {

constexpr std::size_t kMessageLimit = 300;
constexpr std::string_view kGitHub = "ghcr.io";

std::string request_id(const net::Response& response) {
  for (const char* name : {"x-request-id", "x-github-request-id", "x-amzn-requestid", "x-amz-request-id", "cf-ray"}) {
    const std::string value = response.header(name);
    if (!value.empty()) return neutralise(value.substr(0, 100));
  }
  return {};
}

template <std::size_t N>
bool one_of(std::string_view code, const std::array<std::string_view, N>& codes) {
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

bool says_immutable(const RegistryMessage& message) {
  return to_lower(message.text).find("immutable") != std::string::npos || message.code == "TAG_IMMUTABLE" ||
         message.code == "ImageTagAlreadyExistsException";
}

ErrorCode code_for(int status, const RegistryMessage& message) {
  constexpr std::array<std::string_view, 5> kContent{"MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN", "DIGEST_INVALID",
                                                     "SIZE_INVALID", "MANIFEST_UNVERIFIED"};
  if (status >= 400 && status < 500 && says_immutable(message)) return ErrorCode::conflict;
  if ((status == 400 || status == 404) && one_of(message.code, kContent)) return ErrorCode::integrity;
  switch (status) {
    case 401:
      return ErrorCode::unauthenticated;
    case 403:
    case 405:  // read-only, for now or for ever
      return ErrorCode::forbidden;
    case 404:
      return message.code == "DENIED" || message.code == "UNAUTHORIZED" ? ErrorCode::forbidden : ErrorCode::not_found;
    case 408:
      return ErrorCode::unavailable;
    case 409:
      return ErrorCode::conflict;
    case 429:
      return ErrorCode::rate_limited;
    default:
      return status >= 400 && status < 500 ? ErrorCode::bad_input : ErrorCode::unavailable;
  }
}

/// Of "pull", or of several scopes with their repositories: names may hold any of the actions.
bool writes(std::string_view scope) {
  const auto parts = split(scope, ' ');
  return std::ranges::any_of(parts, [](const std::string& part) {
    const std::string_view actions = std::string_view(part).substr(part.rfind(':') + 1);
    return actions.find("push") != std::string_view::npos || actions.find("delete") != std::string_view::npos;
  });
}

/// What a job's own token needs for ghcr.io.
std::string packages_permission(std::string_view scope) {
  return concat("`permissions: packages: ", writes(scope) ? "write`" : "read`");
}

std::string rights_hint(const Asked& asked) {
  const std::string& registry = asked.repository.registry;
  const std::string name = asked.repository.familiar();
  if (registry == "docker.io") {
    return concat("check that the account in DOCKERHUB_USERNAME may ", asked.scope, ' ', name,
                  " and that DOCKERHUB_TOKEN has the permission ", writes(asked.scope) ? "Read & Write" : "Read-only");
  }
  if (registry == kGitHub) {
    return concat("give the job ", packages_permission(asked.scope), " and the repository access to the package ",
                  name);
  }
  return concat("check that ", asked.user.empty() ? std::string("the anonymous user") : asked.user, " may ",
                asked.scope, ' ', name);
}

/// Docker Hub counts pulls, which its answer says, and apart from that requests of any kind (B07).
std::string limit_hint(const Asked& asked, const net::Response& response) {
  if (asked.repository.registry == "docker.io") {
    if (response.header("ratelimit-limit").empty() && registry_message(response).code != "TOOMANYREQUESTS")
      return "too many requests in a short time, which is not the limit of pulls: run again later";
    if (asked.user.empty()) return "the limit of pulls is reached: log in, which raises it";
    return concat("the limit of pulls of ", asked.user, " is reached: run again later");
  }
  const auto quota = quota_of(response);
  const bool says_when = !response.header("retry-after").empty() || (quota && (quota->reset_in || quota->reset_at));
  return says_when ? "run again after that time; logging in raises most limits" : "log in, or try again later";
}

std::string hint_for(ErrorCode code, const Asked& asked, const net::Response& response) {
  switch (code) {
    case ErrorCode::unauthenticated:
      return login_hint(asked.repository.registry, asked.scope, !asked.user.empty());
    case ErrorCode::forbidden:
      if (response.status == 405) return "the registry is read-only, or has no such operation; ask who runs it";
      return rights_hint(asked);
    case ErrorCode::not_found:
      return concat("check the name ", asked.repository.familiar(), "; some registries want it created first");
    case ErrorCode::conflict:
      return "the tag exists and the registry does not let it move; publish another version";
    case ErrorCode::rate_limited:
      return limit_hint(asked, response);
    case ErrorCode::unavailable:
      return "try again; if it persists, look at the registry's status page and at proxies in between";
    case ErrorCode::integrity:
      return "run again: the registry does not hold what was uploaded to it";
    default:
      return "the registry does not accept the request; its message says why";
  }
}

/// " (asked to wait 60 s; limit 100 in 6 h, 0 left)", with what of it is known.
std::string pause_and_limit(const net::Response& response) {
  const std::string after = response.header("retry-after");
  std::string text;
  if (!after.empty()) {
    text = parse_unsigned(after) ? concat("asked to wait ", after, " s")
                                 : concat("asked to wait until ", crategate::quoted(after));
  }
  const auto quota = response.status == 429 ? quota_of(response) : std::nullopt;
  const std::string limit = quota ? describe(*quota) : std::string();
  if (text.empty() && limit.empty()) return {};
  return concat(" (", text, text.empty() || limit.empty() ? "" : "; ", limit, ")");
}

}  // namespace

RegistryMessage registry_message(const net::Response& response) {
  if (response.body.size() > (64U << 10U)) return {};
  const auto document = json::Document::parse(response.body, "answer");
  if (!document || !document->root().is_object()) return {};
  const auto errors = document->root().find("errors");
  if (!errors || !*errors || !(*errors)->is_array()) return {};
  const auto items = (*errors)->items();
  if (!items || items->empty() || !items->front().is_object()) return {};
  RegistryMessage message;
  message.code = items->front().string_or("code", "").value_or("").substr(0, 64);
  message.text = items->front().string_or("message", "").value_or("").substr(0, kMessageLimit);
  return message;
}

Error registry_failure(const Asked& asked, const net::Response& response) {
  const RegistryMessage message = registry_message(response);
  Error error;
  error.code = code_for(response.status, message);
  // A login that was accepted but may not do this is answered with 401 by token registries.
  const bool lacks_scope = response.header("www-authenticate").find("insufficient_scope") != std::string::npos;
  if (error.code == ErrorCode::unauthenticated && lacks_scope && !asked.user.empty()) error.code = ErrorCode::forbidden;
  error.message = concat(
      "registry ", asked.repository.registry, ": user ", asked.user.empty() ? std::string("(anonymous)") : asked.user,
      " asked to ", asked.scope, ' ', asked.repository.familiar(), ", found ", response.status,
      message.text.empty() ? std::string() : concat(": ", neutralise(message.text)), pause_and_limit(response));
  error.hint = hint_for(error.code, asked, response);
  error.http =
      HttpFailure{asked.method, asked.url.redacted(), response.status, neutralise(message.code), request_id(response)};
  return error;
}

std::string login_hint(const std::string& registry, std::string_view scope, bool has_login) {
  if (registry == "docker.io") {
    if (!has_login) return "set the secrets DOCKERHUB_USERNAME and DOCKERHUB_TOKEN, or run docker login";
    return "check the secrets DOCKERHUB_USERNAME and DOCKERHUB_TOKEN: is the token of this account, and alive?";
  }
  const std::string token = registry == kGitHub ? concat("; a job's own token needs ", packages_permission(scope)) : "";
  return concat(has_login ? "check whether user name and password or token are right, alive, and may do this"
                          : concat("set registry, username and password for ", registry),
                token, "; or run docker login ", registry);
}

Error no_answer(const Asked& asked, Error error) {
  if (!error.http) error.http = HttpFailure{asked.method, asked.url.redacted(), 0, "", ""};
  if (error.code == ErrorCode::unavailable && error.hint.empty()) {
    error.hint = concat("check the name ", asked.repository.registry, ", the network and the registry's status");
  }
  return std::move(error).within(concat("registry ", asked.repository.registry));
}

bool is_registry_404(const net::Response& response) {
  constexpr std::array<std::string_view, 4> kUnknown{"MANIFEST_UNKNOWN", "NAME_UNKNOWN", "BLOB_UNKNOWN", "NOT_FOUND"};
  if (response.status != 404) return false;
  const std::string code = registry_message(response).code;
  if (!code.empty()) return one_of(code, kUnknown);
  return response.body.empty() && response.header("docker-distribution-api-version") == "registry/2.0";
}

}  // namespace crategate::registry
