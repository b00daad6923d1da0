#include "github/app_token.h"

#include <utility>

#include "base/base64url.h"
#include "base/rs256.h"
#include "base/strings.h"
#include "github/failure.h"
#include "github/session.h"

namespace crategate::github {
namespace {

using std::chrono::minutes;

/// GitHub takes ten minutes at most.
constexpr minutes kBefore{1}, kAfter{9};
constexpr int kForbidden = 403, kUnprocessable = 422;

std::int64_t seconds(std::chrono::system_clock::time_point time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

/// What to do about the App: a job's permissions have no part in it.
std::string advice(const Error& error, const GitHubApp& app, const RepositoryName& repository, const Endpoint& endpoint,
                   std::chrono::system_clock::time_point now) {
  const std::string site = site_of(endpoint);
  const int status = error.http ? error.http->status : 0;
  if (error.code == ErrorCode::unauthenticated)
    return concat("give a private key of the App ", app.id, " itself; and look at this machine's clock, which says ",
                  sys::rfc3339(now));
  if (error.code == ErrorCode::not_found)
    return concat(
        "install the App in ", repository.text(), ": ", site, "/settings/apps, of an organisation ", site,
        "/organizations/ORG/settings/apps, then \"Install App\"; where GitHub says \"Integration not found\", ", app.id,
        " is no App's id");
  if (status == kUnprocessable)
    return concat("give the App the repository permission `contents: write` (", site,
                  "/settings/apps, \"Permissions & events\"), and accept that where it is installed");
  if (status == kForbidden)
    return concat("look at the App's installation in ", repository.text(), ": is it suspended?");
  return error.hint;
}

Result<Secret> read_token(const json::Reader& answer) {
  CG_TRY(std::string token, answer.string("token"));
  if (token.empty()) return answer.expected("a token");
  return Secret(std::move(token));
}

}  // namespace

Result<Secret> app_proof(const GitHubApp& app, std::chrono::system_clock::time_point now) {
  const auto part = [](const json::Value& value) { return base64url(value.canonical()); };
  const std::string said = concat(
      part(json::Value::object({{"alg", "RS256"}, {"typ", "JWT"}})), '.',
      part(json::Value::object({{"exp", seconds(now + kAfter)}, {"iat", seconds(now - kBefore)}, {"iss", app.id}})));
  CG_TRY(const std::string signature, sign_rs256(app.key, said));
  return Secret(concat(said, '.', base64url(signature)));
}

Endpoint AppTokenClient::as(const Secret& token) const { return {endpoint_.base, token}; }

Result<Secret> AppTokenClient::make(const GitHubApp& app, const RepositoryName& repository) {
  const auto now = clock_.now();
  CG_TRY(const Secret proof, app_proof(app, now));
  Session session(http_, clock_, as(proof), options_);
  const auto ask = [&](const Query& query) -> Result<json::Document> {
    auto document = session.read(query);
    if (!document) document.error().hint = advice(document.error(), app, repository, endpoint_, now);
    return document;
  };
  const Query where{.path = concat("/repos/", repository.text(), "/installation"),
                    .task = concat("find the App ", app.id, " in ", repository.text())};
  CG_TRY(const json::Document installation, ask(where));
  CG_TRY(const std::int64_t id, answer_to(where, installation.root().integer("id")));
  const std::string name = repository.text().substr(repository.text().find('/') + 1);
  const Query wanted{.method = "POST",
                     .path = concat("/app/installations/", id, "/access_tokens"),
                     .task = concat("make a token of the App ", app.id, " for ", repository.text()),
                     .body = json::Value::object({{"permissions", json::Value::object({{"contents", "write"}})},
                                                  {"repositories", json::Value::array_of({name})}})
                                 .canonical()};
  CG_TRY(const json::Document made, ask(wanted));
  return answer_to(wanted, read_token(made.root()));
}

Result<void> AppTokenClient::revoke(const Secret& token) {
  Session session(http_, clock_, as(token), options_);
  net::Deadline deadline = session.deadline();
  CG_CHECK(
      session.send({.method = "DELETE", .path = "/installation/token", .task = "revoke the App's token"}, deadline));
  return {};
}

}  // namespace crategate::github
