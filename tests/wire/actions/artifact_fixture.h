// The strict service, a client of ours, and time that costs nothing.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "actions/service_artifact_store.h"
#include "base/sha256.h"
#include "base/strings.h"
#include "support/artifact_service.h"
#include "support/fakes.h"

namespace crategate::test {

/// Sends some requests to a port where nobody listens.
class RefusingClient final : public net::HttpClient {
 public:
  void refuse(std::string part_of_target, int times) {
    part_ = std::move(part_of_target);
    left_ = times;
  }
  Result<net::Response> send(const net::Request& request) override {
    if (request.url.target.find(part_) == std::string::npos || left_-- <= 0) return http_.send(request);
    net::Request refused = request;
    refused.url.port = 1;
    return http_.send(refused);
  }

 private:
  net::PosixHttpClient http_;
  std::string part_;
  std::atomic<int> left_ = 0;
};

inline actions::ServiceLimits small_limits() {
  actions::ServiceLimits limits;
  limits.blocks.first_size = limits.blocks.last_size = 1000;
  limits.patience.policy.tries = 4;
  limits.patience.random = [] { return 0.5; };
  return limits;
}

inline actions::Producer produce(std::string bytes, std::size_t piece = 700) {
  return [bytes = std::move(bytes), piece](const net::BodySink& sink) -> Result<void> {
    for (std::size_t at = 0; at < bytes.size(); at += piece) CG_CHECK(sink(std::string_view(bytes).substr(at, piece)));
    return {};
  };
}

/// Bytes that differ from block to block.
inline std::string content_of(std::size_t size) {
  std::string bytes;
  while (bytes.size() < size) bytes += sha256_hex(concat(bytes.size()));
  bytes.resize(size);
  return bytes;
}

inline std::string digest_of(const std::string& bytes) { return concat("sha256:", sha256_hex(bytes)); }

/// All that a person could see of an error.
inline std::string all_of(const Error& error) { return concat(describe(error), "\n", error.hint); }

inline std::string why(const Error* error) { return error == nullptr ? "" : all_of(*error); }

struct ArtifactFixture {
  explicit ArtifactFixture(ArtifactService::Rules rules = ArtifactService::Rules::service,
                           actions::ServiceLimits limits = small_limits())
      : service(rules), store(http, clock, access(), limits) {}

  actions::ArtifactAccess access(const std::string& job = "job-2") const {
    FakeEnvironment environment({{"ACTIONS_RESULTS_URL", service.url().text() + "path/of/no/meaning"},
                                 {"ACTIONS_RUNTIME_TOKEN", job_token("run-1", job)},
                                 {"GITHUB_RETENTION_DAYS", "30"}});
    if (service.rules() == ArtifactService::Rules::act) environment.set("ACT", "true");
    return actions::read_artifact_access(environment).value();
  }
  Result<actions::Artifact> upload(const std::string& name, const std::string& bytes) {
    return store.upload({.name = name, .content = produce(bytes)});
  }
  std::chrono::milliseconds longest_sleep() const {
    const auto sleeps = clock.sleeps();
    return sleeps.empty() ? std::chrono::milliseconds(0) : *std::max_element(sleeps.begin(), sleeps.end());
  }
  /// What a download brought; its error where there was one.
  Result<std::string> download(const actions::Artifact& artifact) {
    std::string received;
    CG_TRY(const auto done, store.download(artifact, [&](std::string_view bytes) -> Result<void> {
      received += bytes;
      return {};
    }));
    if (done.size != received.size()) return fail(ErrorCode::internal, "another size than was received");
    return received;
  }
  /// The finished artifact of that name, if it is the only one.
  std::optional<ArtifactService::Stored> finished(const std::string& name) const {
    std::vector<ArtifactService::Stored> found = service.stored();
    std::erase_if(found, [&](const auto& stored) { return stored.name != name || !stored.finished; });
    return found.size() == 1 ? std::optional(found.front()) : std::nullopt;
  }

  ArtifactService service;
  FakeClock clock;
  RefusingClient http;
  actions::ServiceArtifactStore store;
};

}  // namespace crategate::test
