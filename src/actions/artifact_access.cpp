// The variables and the token's claims (RFC 7519, unverified).
#include "actions/artifact_access.h"

#include <algorithm>

#include "actions/artifact_names.h"
#include "base/strings.h"
#include "json/value.h"

namespace crategate::actions {
namespace {

Failure refuse_token(std::string_view why) {
  return fail(ErrorCode::artifact_service, concat(kRuntimeToken, ": ", why),
              "let the runner set it: it gives one to container and JavaScript actions, for one job");
}

bool is_id(std::string_view text) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  };
  return !text.empty() && text.size() <= 128 && std::all_of(text.begin(), text.end(), good);
}

bool is_loopback(const std::string& host) {
  return host == "localhost" || host.ends_with(".localhost") || host == "[::1]" ||
         (host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string::npos);
}

Result<std::string> required(const sys::Environment& environment, std::string_view name) {
  std::string value(trim(environment.get(name).value_or("")));
  if (!value.empty()) return value;
  return fail(ErrorCode::artifact_service, concat("no artifact service: expected ", name, ", found none"),
              "a runner gives it to the steps of container and JavaScript actions, not to `run:` steps");
}

Result<net::Url> parse_service(const std::string& text, bool is_act) {
  auto url = net::Url::parse(text);
  if (!url) return fail(std::move(url).error().within(std::string(kResultsUrl)));
  if (url->scheme != "https" && !is_act && !is_loopback(url->host))
    return fail(ErrorCode::bad_input,
                concat(kResultsUrl, ": expected https, or an address of this machine, found ", url->origin()),
                "the job's token must not travel in the clear; unset what changes that variable");
  url->target = "/";
  return url;
}

std::optional<unsigned> parse_days(const std::string& text) {
  constexpr std::uint64_t kMostDays = 36'500;
  const auto days = parse_unsigned(trim(text));
  if (!days || *days == 0 || *days > kMostDays) return std::nullopt;
  return static_cast<unsigned>(*days);
}

}  // namespace

Result<BackendIds> read_backend_ids(const Secret& token) {
  const std::vector<std::string> parts = split(token.reveal(), '.');
  if (parts.size() != 3) return refuse_token(concat("expected a token of three parts, found ", parts.size()));
  const auto claims = decode_base64(parts[1]);
  if (!claims) return refuse_token("expected claims in base64, found other characters");
  const auto document = json::Document::parse(*claims, std::string(kRuntimeToken));
  if (!document || !document->root().is_object()) return refuse_token("expected its claims to be a JSON object");
  const auto scopes = document->root().string("scp");
  if (!scopes) return refuse_token("expected the claim `scp`, found none, or no string");
  for (const std::string& scope : split(*scopes, ' ')) {
    const std::vector<std::string> words = split(scope, ':');
    if (words.front() != kScopeName) continue;
    if (words.size() == 3 && is_id(words[1]) && is_id(words[2])) return BackendIds{words[1], words[2]};
    return refuse_token(concat("expected the scope ", kScopeName, ":<run>:<job>, found another form"));
  }
  return refuse_token(concat("expected the scope ", kScopeName, ", found none"));
}

Result<ArtifactAccess> read_artifact_access(const sys::Environment& environment) {
  ArtifactAccess access;
  access.is_act = environment.get(kAct) == "true";
  CG_TRY(const std::string address, required(environment, kResultsUrl));
  CG_TRY(std::string token, required(environment, kRuntimeToken));
  access.token = Secret(std::move(token));
  CG_TRY(access.service, parse_service(address, access.is_act));
  CG_TRY(access.ids, read_backend_ids(access.token));
  access.retention_limit = parse_days(environment.get(kRetentionDays).value_or(""));
  return access;
}

}  // namespace crategate::actions
