// Passwords, tokens and scopes (https://distribution.github.io/distribution/spec/auth/token/).
#include "support/strict_registry_login.h"

#include <algorithm>

#include "base/sha256.h"
#include "base/strings.h"
#include "json/value.h"
#include "support/strict_registry_store.h"

namespace crategate::test {
namespace {

using json::Value;
using Grants = std::map<std::string, std::set<std::string>>;

constexpr const char* kService = "strict";

Grants grants_of(const std::vector<std::string>& scopes) {
  Grants grants;
  for (const std::string& scope : scopes) {
    const auto parts = split(scope, ':');
    if (parts.size() != 3) continue;
    for (const std::string& action : split(parts[2], ',')) grants[parts[1]].insert(action);
  }
  return grants;
}

bool is_scope(const std::string& scope) {
  const auto parts = split(scope, ':');
  if (parts.size() != 3 || parts[0] != "repository" || !is_repository(parts[1])) return false;
  const auto actions = split(parts[2], ',');
  return std::all_of(actions.begin(), actions.end(), [](const std::string& action) {
    return action == "pull" || action == "push" || action == "delete";
  });
}

bool covers(const Grants& granted, const Grants& needed) {
  return std::all_of(needed.begin(), needed.end(), [&granted](const auto& need) {
    const auto found = granted.find(need.first);
    return found != granted.end() &&
           std::includes(found->second.begin(), found->second.end(), need.second.begin(), need.second.end());
  });
}

}  // namespace

std::vector<std::string> scopes_of(const StrictRequest& asked) {
  if (asked.repository.empty()) return {};
  const bool reads = asked.method == "GET" || asked.method == "HEAD";
  const std::string actions = reads ? "pull" : asked.method == "DELETE" ? "delete" : "pull,push";
  std::vector<std::string> scopes{concat("repository:", asked.repository, ':', actions)};
  if (asked.kind == RequestKind::mount) scopes.push_back(concat("repository:", asked.parameter("from"), ":pull"));
  return scopes;
}

std::set<std::string> StrictLogin::rights(const std::string& user) const {
  if (user == kWriter) return {"pull", "push", "delete"};
  if (user == kReader || anonymous_pull_) return {"pull"};
  return {};
}

std::optional<std::string> StrictLogin::user_of(std::string_view encoded) const {
  const auto plain = decode_base64(encoded);
  if (!plain) return std::nullopt;
  const std::size_t colon = std::min(plain->find(':'), plain->size());
  const std::string user = plain->substr(0, colon);
  const auto found = passwords_.find(user);
  if (found == passwords_.end() || plain->substr(colon) != ":" + found->second) return std::nullopt;
  return user;
}

StrictLogin::Verdict StrictLogin::judge(const StrictRequest& asked, const ReceivedRequest& request) {
  const std::string header = request.header("authorization");
  if (auth_ == RegistryAuth::none) {
    if (!header.empty()) complain_("a credential for a registry that asked for none");
    return Verdict::granted;
  }
  if (!header.empty() && !challenged_) complain_("a credential before any challenge");
  const Grants needed = grants_of(scopes_of(asked));
  Grants granted;
  std::string user;
  if (auth_ == RegistryAuth::basic && !header.empty()) {
    if (!header.starts_with("Basic ")) complain_("another scheme than Basic");
    const auto found = user_of(std::string_view(header).substr(6));
    if (!found) return Verdict::unknown;
    user = *found;
    for (const auto& [repository, actions] : needed) granted[repository] = rights(user);
  } else if (!header.empty()) {
    if (!header.starts_with("Bearer ")) complain_("another scheme than Bearer");
    const auto found = tokens_.find(header.substr(7));
    if (found == tokens_.end() || now_() > found->second.until) return Verdict::unknown;
    granted = found->second.granted;
  }
  if (header.empty() && anonymous_pull_ && auth_ == RegistryAuth::basic)
    for (const auto& [repository, actions] : needed) granted[repository] = rights("");
  if (covers(granted, needed) && !(header.empty() && needed.empty())) return Verdict::granted;
  return header.empty() ? Verdict::unknown : Verdict::lacks_right;
}

Reply StrictLogin::challenge(const StrictRequest& asked, Verdict verdict) {
  challenged_ = true;
  const bool lacks = verdict == Verdict::lacks_right;
  if (auth_ == RegistryAuth::basic && lacks) return registry_problem(403, "DENIED", "requested access is denied");
  Reply reply = registry_problem(401, "UNAUTHORIZED", "authentication required");
  std::string text = R"(Basic realm="strict")";
  if (auth_ == RegistryAuth::token) {
    text = concat("Bearer realm=\"", realm_, "\",service=\"", kService, '"');
    const std::string scopes = join(scopes_of(asked), " ");
    if (!scopes.empty()) text += concat(",scope=\"", scopes, '"');
    if (lacks) text += R"(,error="insufficient_scope")";
  }
  reply.headers.emplace_back("WWW-Authenticate", text);
  return reply;
}

std::string StrictLogin::new_secret(std::string_view kind) {
  std::string secret = concat(kind, "-", sha256_hex(concat(kind, next_++, realm_)));
  secrets_.insert(secret);
  return secret;
}

Reply StrictLogin::give(const std::string& user, const std::vector<std::string>& scopes, bool refreshable) {
  const std::set<std::string> allowed = rights(user);
  Grants granted = grants_of(scopes);
  for (auto& [repository, actions] : granted)
    std::erase_if(actions, [&allowed](const std::string& action) { return !allowed.contains(action); });
  const std::string token = new_secret("token");
  tokens_[token] = {user, granted, now_() + std::chrono::seconds(lifetime_)};
  Value answer = Value::object({{"expires_in", lifetime_}});
  answer.set(refreshable ? "access_token" : "token", token);
  if (refreshable) {
    const std::string refresh = new_secret("refresh");
    refresh_tokens_[refresh] = user;
    answer.set("refresh_token", refresh);
  }
  return {.status = 200, .headers = {{"Content-Type", "application/json"}}, .body = answer.canonical()};
}

Reply StrictLogin::token(const StrictRequest& asked, const ReceivedRequest& request) {
  const Reply refused = registry_problem(401, "UNAUTHORIZED", "wrong user or password");
  const bool form = asked.kind == RequestKind::token_post;
  const auto fields = form ? parse_pairs(request.body, true) : asked.query;
  if (!fields) complain_("a form that is not well encoded");
  std::vector<std::string> scopes;
  std::map<std::string, std::string> values;
  for (const auto& [key, value] : fields.value_or(asked.query)) {
    values[key] = value;
    if (key != "scope") continue;
    for (const std::string& scope : split(value, ' ')) scopes.push_back(scope);
  }
  for (const std::string& scope : scopes)
    if (!is_scope(scope)) complain_(concat("a scope that is none: ", quoted(scope)));
  if (values["service"] != kService) complain_("a token for another service");
  scopes_.push_back(join(scopes, " "));
  if (!form) {
    const std::string header = request.header("authorization");
    if (header.empty()) return give("", scopes, false);
    const auto user = header.starts_with("Basic ") ? user_of(std::string_view(header).substr(6)) : std::nullopt;
    return user ? give(*user, scopes, false) : refused;
  }
  if (request.header("content-type") != "application/x-www-form-urlencoded") complain_("a token request of no form");
  if (values["client_id"].empty()) complain_("a token request without client_id");
  if (values["grant_type"] == "refresh_token") {
    const auto found = refresh_tokens_.find(values["refresh_token"]);
    return found == refresh_tokens_.end() ? refused : give(found->second, scopes, true);
  }
  if (values["grant_type"] != "password") complain_("an unknown grant_type");
  const auto user = user_of(base64(concat(values["username"], ':', values["password"])));
  return user ? give(*user, scopes, true) : refused;
}

bool StrictLogin::holds_secret(const std::string& text) const {
  const auto holds = [&text](const std::string& secret) { return text.find(secret) != std::string::npos; };
  return std::any_of(secrets_.begin(), secrets_.end(), holds) ||
         std::any_of(passwords_.begin(), passwords_.end(), [&](const auto& each) {
           return holds(each.second) || holds(base64(concat(each.first, ':', each.second)));
         });
}

}  // namespace crategate::test
