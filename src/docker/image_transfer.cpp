#include "docker/image_transfer.h"

#include <algorithm>
#include <utility>

#include "base/strings.h"
#include "docker/engine_api.h"
#include "oci/reference.h"

namespace crategate::docker {
namespace {

constexpr std::chrono::milliseconds kSilence{300'000};
constexpr std::string_view kDockerHub = "docker.io", kDockerHubKey = "https://index.docker.io/v1/";

/// The status is 200 before the first layer came: how it ended is in the last lines.
std::string failure_in(const std::string& lines) {
  for (const std::string& line : split(lines, '\n')) {
    if (trim(line).empty()) continue;
    const auto document = json::Document::parse(line, "answer");
    if (!document) return concat("its answer broke off: ", trim(line));
    const auto error = document->root().string_or("error", "");
    if (!error || !error->empty()) return error.value_or(line);
  }
  return {};
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

Error failure(std::string_view attempt, const std::string& reason, std::string hint) {
  Error error{ErrorCode::engine,
              concat("the Docker engine could not ", attempt, ": ", neutralise(reason)),
              std::move(hint),
              {},
              {},
              {}};
  if (contains(reason, "no space left on device")) {
    error.code = ErrorCode::no_space;
    error.hint = "free disk space (e.g. docker system prune)";
  }
  return error;
}

constexpr std::string_view kGitHub = "ghcr.io/";
constexpr std::string_view kGitHubHint = ", which for a job's own token is `permissions: packages: read`";

Error pull_failure(const std::string& name, const std::string& reason) {
  Error error =
      failure(concat("pull ", name), reason, "check that its registry answers the engine, or load the image before");
  if (error.code == ErrorCode::no_space) return error;
  if (contains(reason, "denied") || contains(reason, "unauthorized")) {
    error.code = ErrorCode::forbidden;
    error.hint = concat("check the name and the login", name.starts_with(kGitHub) ? kGitHubHint : std::string_view(),
                        "; an image that needs one can be pulled before (docker pull)");
  } else if (contains(reason, "not found") || contains(reason, "manifest unknown")) {
    error.code = ErrorCode::not_found;
    error.hint = "check the name, and its tag or digest";
  }
  return error;
}

}  // namespace

Secret registry_auth(const PullLogin& login) {
  const bool token = !login.identity_token.empty();
  const auto document = json::Value::object(
      {{"username", token ? std::string() : login.username},
       {"password", token ? std::string() : login.password.reveal()},
       {"identitytoken", token ? login.identity_token.reveal() : std::string()},
       {"serveraddress", login.registry == kDockerHub ? std::string(kDockerHubKey) : login.registry}});
  std::string text = base64(document.canonical());
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  return Secret(std::move(text));
}

Result<void> pull_image(EngineApi& api, const std::string& name, const Secret& auth) {
  CG_TRY(const oci::Reference reference, oci::parse_reference(name));
  const std::string version = reference.digest ? reference.digest->text() : reference.tag.value_or("latest");
  const Call call{.method = "POST",
                  .target = concat("/images/create?fromImage=", net::url_encode(reference.repository.full()),
                                   "&tag=", net::url_encode(version)),
                  .registry_auth = auth,
                  .timeout = kSilence};
  CG_TRY(const net::Response response, api.send(call));
  if (response.status != 200) return fail(pull_failure(name, engine_message(response)));
  const std::string failure = failure_in(response.body);
  if (!failure.empty()) return fail(pull_failure(name, failure));
  return {};
}

Result<void> load_image(EngineApi& api, const net::BodySource& archive, std::uint64_t size) {
  constexpr std::string_view kAttempt = "load the image that was built";
  constexpr std::string_view kHint = "look at the log of the Docker engine";
  const Call call{.method = "POST",
                  .target = "/images/load?quiet=1",
                  .source = archive,
                  .source_length = size,
                  .timeout = kSilence};
  CG_TRY(const net::Response response, api.send(call));
  if (response.status != 200) return fail(failure(kAttempt, engine_message(response), std::string(kHint)));
  const std::string reason = failure_in(response.body);
  if (!reason.empty()) return fail(failure(kAttempt, reason, std::string(kHint)));
  return {};
}

}  // namespace crategate::docker
