// Calls to the Docker engine's API over its unix socket, and what their failures mean.
// Belongs here: versions, URLs, error answers.  Not here: what a call is good for (engine, container).
#pragma once

#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "docker/engine.h"
#include "json/value.h"
#include "net/http.h"

namespace crategate::docker {

/// Path of a DOCKER_HOST that is a unix socket; empty = the default socket.
/// Errors: engine for every other transport.
Result<std::string> parse_docker_host(std::string_view host);

/// The API version to speak: the oldest of the engine's that is at least 1.41.
/// Errors: engine, naming both versions, when the engine is older.
Result<std::string> choose_api_version(const std::string& newest, const std::string& oldest);

/// `name` as a path segment of the API.
/// Errors: bad_input for what can be neither a reference nor an id.
Result<std::string> path_of_image(const std::string& name);

struct Call {
  std::string method = "GET";
  std::string target;           ///< below the version: "/images/json"
  std::string body;             ///< JSON
  net::BodySource source = {};  ///< instead of `body`: a tar of `source_length` bytes
  std::uint64_t source_length = 0;
  Secret registry_auth = {};  ///< header X-Registry-Auth; empty = none
  std::string api;            ///< version that it needs; empty = the one spoken
  net::BodySink sink;
  std::chrono::milliseconds timeout{60'000};
  bool ignore_cancellation = false;
};

class EngineApi {
 public:
  EngineApi(net::HttpClient& http, std::string socket, bool in_container = false)
      : http_(http), socket_(std::move(socket)), in_container_(in_container) {}
  /// Any answer of the engine.
  /// Errors: engine when there is none; interrupted; whatever the sink answers.
  Result<net::Response> send(const Call& call);
  /// Newest version and image store, asked once.
  /// Errors: engine.
  Result<EngineInfo> info();
  const std::string& socket() const { return socket_; }

 private:
  Result<net::Response> send_to(const std::string& prefix, const Call& call);
  Result<std::string> prefix();
  Result<std::string> negotiate();
  Result<EngineInfo> ask();
  net::HttpClient& http_;
  std::string socket_;
  bool in_container_;  ///< for hints
  std::mutex mutex_;
  std::optional<std::string> prefix_;
  std::optional<EngineInfo> info_;
  std::string api_version_;
};

/// What the engine says in an error answer (`{"message": …}`), else its status.
std::string engine_message(const net::Response& response);
/// `attempt` ("create a container from …") was answered with a failure.
Error engine_failure(std::string_view attempt, const Call& call, const net::Response& response);
/// An answer's JSON.
/// Errors: engine.
Result<json::Document> parse_answer(const Call& call, const net::Response& response);

}  // namespace crategate::docker
