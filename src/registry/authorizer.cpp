// Tokens and passwords.
#include "registry/authorizer.h"

#include <algorithm>

#include "base/strings.h"
#include "json/value.h"
#include "registry/failure.h"

namespace crategate::registry {
namespace {

constexpr std::size_t kTokenLimit = 64U << 10U;
constexpr std::int64_t kDefaultLifetime = 60;  // seconds, as the token specification says
constexpr std::int64_t kLongestLifetime = 3600;

std::string key_of(const std::string& registry, const std::vector<std::string>& scopes) {
  return concat(registry, ' ', join(scopes, " "));
}

bool is_visible_ascii(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

const Challenge* find_scheme(const std::vector<Challenge>& challenges, std::string_view scheme) {
  const auto found = std::find_if(challenges.begin(), challenges.end(),
                                  [scheme](const Challenge& each) { return each.scheme == scheme; });
  return found == challenges.end() ? nullptr : &*found;
}

Result<std::vector<Challenge>> all_challenges(const net::Response& response) {
  std::vector<Challenge> all;
  for (const auto& [name, value] : response.headers) {
    if (to_lower(name) != "www-authenticate") continue;
    CG_TRY(const auto challenges, parse_challenges(value));
    all.insert(all.end(), challenges.begin(), challenges.end());
  }
  return all;
}

net::Url token_url(net::Url realm, const Challenge& challenge, const std::vector<std::string>& scopes) {
  char separator = realm.target.find('?') == std::string::npos ? '?' : '&';
  const auto add = [&](std::string_view name, const std::string& value) {
    realm.target += concat(separator, name, '=', net::url_encode(value));
    separator = '&';
  };
  if (const std::string service = challenge.parameter("service"); !service.empty()) add("service", service);
  for (const std::string& scope : scopes) add("scope", scope);
  return realm;
}

struct Token {
  Secret text;
  std::int64_t lifetime = kDefaultLifetime;
};

Result<Token> parse_token(const std::string& body, const net::Url& realm) {
  const auto refuse = [&realm](std::string_view found) {
    return fail(ErrorCode::unauthenticated,
                concat("token realm ", realm.redacted(), ": expected a token of visible ASCII, found ", found),
                "check the registry's token server");
  };
  const auto document = json::Document::parse(body, "token");
  if (!document || !document->root().is_object()) return refuse("no JSON object");
  std::string text = document->root().string_or("token", "").value_or("");
  if (text.empty()) text = document->root().string_or("access_token", "").value_or("");
  if (!is_visible_ascii(text)) return refuse(text.empty() ? "none" : "other characters");
  Token token{Secret(std::move(text))};
  const auto lifetime = document->root().integer("expires_in");
  if (lifetime && *lifetime > 0) token.lifetime = std::min(*lifetime, kLongestLifetime);
  return token;
}

Failure no_login(const std::string& registry, const std::vector<std::string>& scopes, std::string_view why) {
  return fail(ErrorCode::unauthenticated,
              concat("registry ", registry, " demands a login for ", join(scopes, ", "), ": ", why),
              registry == "docker.io" ? "set the secrets DOCKERHUB_USERNAME and DOCKERHUB_TOKEN, or run docker login"
                                      : concat("give username and password, or run docker login ", registry));
}

}  // namespace

std::string Authorization::header() const { return concat(is_bearer ? "Bearer " : "Basic ", credential.reveal()); }

std::optional<Authorization> Authorizer::known(const std::string& registry, const std::vector<std::string>& scopes) {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> keys{key_of(registry, scopes), key_of(registry, {})};
  if (scopes.size() == 1 && scopes[0].ends_with(":pull")) keys.push_back(concat(keys[0], ",push"));
  for (const std::string& key : keys) {
    const auto found = granted_.find(key);
    if (found == granted_.end()) continue;
    if (!found->second.until || clock_.monotonic() < *found->second.until) return found->second.authorization;
  }
  return std::nullopt;
}

Result<std::optional<Credentials>> Authorizer::credentials(const std::string& registry) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = found_.find(registry);
    if (found != found_.end()) return found->second;
  }
  std::optional<Credentials> asked;
  if (credentials_) {
    CG_TRY(asked, credentials_(registry));
  }
  const std::lock_guard lock(mutex_);
  return found_.insert_or_assign(registry, std::move(asked)).first->second;
}

std::string Authorizer::user(const std::string& registry) {
  const auto found = credentials(registry);
  return found && *found ? (*found)->username : std::string();
}

Result<Authorizer::Granted> Authorizer::basic(const std::string& registry) {
  CG_TRY(const auto login, credentials(registry));
  if (!login) return no_login(registry, {"any request"}, "expected a user name and password, found none");
  return Granted{{false, Secret(base64(concat(login->username, ':', login->password.reveal())))}, std::nullopt};
}

Result<Authorizer::Granted> Authorizer::fetch_token(const std::string& registry, const std::vector<std::string>& scopes,
                                                    const Challenge& challenge) {
  const std::string text = challenge.parameter("realm");
  const auto realm = net::Url::parse(text);
  if (!realm) {
    return fail(ErrorCode::integrity,
                concat("registry ", registry, ": expected the URL of a token realm, found ", crategate::quoted(text)));
  }
  CG_CHECK(policy_.check_target(registry, *realm, "its token realm"));
  CG_TRY(const auto login, credentials(registry));
  net::Request request;
  request.url = token_url(*realm, challenge, scopes);
  request.body_limit = kTokenLimit;
  request.headers.emplace_back("Accept", "application/json");
  if (login) {
    const Secret basic(base64(concat(login->username, ':', login->password.reveal())));
    request.headers.emplace_back("Authorization", concat("Basic ", basic.reveal()));
  }
  const Asked asked{"GET", request.url, {registry, "(token)"}, join(scopes, " "), login ? login->username : ""};
  auto response = http_.send(request);
  if (!response) return fail(no_answer(asked, std::move(response).error()));
  if (response->status == 401 || response->status == 403) {
    Error error = no_login(registry, scopes,
                           login ? concat("it refuses the password or token of user ", login->username)
                                 : std::string("it gives no token to anonymous users"))
                      .value();
    error.http = HttpFailure{"GET", request.url.redacted(), response->status, "", ""};
    return fail(std::move(error));
  }
  if (response->status != 200) return fail(registry_failure(asked, *response).within("asking for a token"));
  CG_TRY(Token token, parse_token(response->body, *realm));
  // A fifth of the lifetime is left for the request that uses it.
  const auto until = clock_.monotonic() + std::chrono::milliseconds(token.lifetime * 800);
  return Granted{{true, std::move(token.text)}, until};
}

Result<Authorization> Authorizer::answer(const std::string& registry, const std::vector<std::string>& scopes,
                                         const net::Response& response) {
  CG_TRY(const auto challenges, all_challenges(response));
  const Challenge* bearer = find_scheme(challenges, "bearer");
  if (bearer == nullptr && find_scheme(challenges, "basic") == nullptr) {
    return no_login(registry, scopes, "expected a Bearer or Basic challenge, found neither");
  }
  CG_TRY(Granted granted, bearer != nullptr ? fetch_token(registry, scopes, *bearer) : basic(registry));
  Authorization authorization = granted.authorization;
  const std::lock_guard lock(mutex_);
  granted_.insert_or_assign(bearer != nullptr ? key_of(registry, scopes) : key_of(registry, {}), std::move(granted));
  return authorization;
}

}  // namespace crategate::registry
