// A realm of the test's own words, and an Authorizer that answers the challenges of a registry beside it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/strings.h"
#include "registry/authorizer.h"
#include "support/fakes.h"
#include "support/scripted_http_server.h"

namespace crategate::test {

struct AuthorizerFixture {
  using Login = std::optional<registry::Credentials>;

  explicit AuthorizerFixture(Login given = std::nullopt) : login(std::move(given)) {}

  static Login password() { return registry::Credentials{"me", Secret("pass-word")}; }
  static Login identity() { return registry::Credentials{"", {}, Secret("the-identity"), {}}; }

  net::Response challenge(const std::string& rest = "") const {
    return challenge_of(concat("Bearer realm=\"", realm.url("/token").text(), R"(",service="registry")", rest));
  }
  static net::Response challenge_of(const std::string& header) { return {401, {{"WWW-Authenticate", header}}, ""}; }
  Result<registry::Authorization> answer(const std::vector<std::string>& scopes,
                                         const std::optional<registry::Authorization>& sent = std::nullopt) {
    return authorizer.answer(kRegistry, scopes, challenge(), sent);
  }
  /// What a request to the registry would carry.
  static std::string header(const std::optional<registry::Authorization>& authorization) {
    const auto url = net::Url::parse(concat("http://", kRegistry, "/v2/"));
    return authorization ? authorization->header_for(*url).value_or("(none for it)") : "(none)";
  }
  static std::string header(const Result<registry::Authorization>& authorization) {
    return authorization ? header(std::optional(*authorization)) : describe(authorization.error());
  }
  std::string known(const std::vector<std::string>& scopes) { return header(authorizer.known(kRegistry, scopes)); }
  static std::string query(const std::string& scope) {
    return concat("/token?service=registry&scope=", net::url_encode(scope));
  }

  static constexpr const char* kRegistry = "127.0.0.1:1";
  Login login;
  int asked = 0;  ///< how often the source of logins was
  ScriptedHttpServer realm;
  FakeClock clock;
  net::PosixHttpClient http;
  registry::OriginPolicy policy{{}};
  registry::Authorizer authorizer{http, clock,
                                  [this](const std::string&) -> Result<Login> {
                                    ++asked;
                                    return login;
                                  },
                                  policy};
};

}  // namespace crategate::test
