// The engine's transport: socket, version, errors.
#include "docker/engine_api.h"

#include <algorithm>
#include <filesystem>
#include <optional>

#include "base/strings.h"
#include "base/version.h"

namespace crategate::docker {
namespace {

constexpr std::string_view kDefaultSocket = "/var/run/docker.sock";
constexpr std::string_view kOldestApi = "1.41";
constexpr std::string_view kContainerdStore = "io.containerd.snapshotter.v1";

/// Only a container has no socket though its engine runs; a runner's has one at the usual place.
std::string hint_without_socket(const std::string& socket, bool in_container) {
  constexpr std::string_view kMount = "start it with --volume /var/run/docker.sock:/var/run/docker.sock";
  const std::string named =
      socket == kDefaultSocket ? std::string() : concat(" at ", socket, ", which DOCKER_HOST names");
  if (in_container && !named.empty())
    return concat("this container needs the engine's socket", named, ": correct it, or ", kMount,
                  " and unset DOCKER_HOST");
  if (in_container) {
    return concat("this container needs the engine's socket at ", socket,
                  ": runners with Docker mount it into a container action; by hand, ", kMount, ", or set DOCKER_HOST");
  }
  if (!named.empty()) return concat("there is no socket", named, ": correct it, or unset it for ", kDefaultSocket);
  return "start the Docker engine, or set DOCKER_HOST to its socket (unix:///path)";
}

std::string hint_for_silence(const std::string& socket, bool in_container, const Error& error) {
  std::error_code ignored;
  if (!std::filesystem::exists(socket, ignored)) return hint_without_socket(socket, in_container);
  if (error.message.find("ermission") != std::string::npos) {
    if (in_container) {
      return concat("run the container as root, as runners do, or as a member of the group that owns ", socket);
    }
    return "add this user to the group that owns the socket (docker), or run as root";
  }
  return concat("check that the Docker engine behind ", socket, " is running (docker info)");
}

Error unreachable(const std::string& socket, bool in_container, Error error) {
  Error made;
  made.code = ErrorCode::engine;
  made.message = concat("the Docker engine at ", socket, " does not answer: ", error.message);
  made.hint = hint_for_silence(socket, in_container, error);
  made.http = std::move(error.http);
  return made;
}

// Failures of the transport are the engine's; cancellation is passed on as it is.
bool is_silence(ErrorCode code) { return code == ErrorCode::unavailable || code == ErrorCode::integrity; }

bool uses_containerd(const json::Reader& info) {
  const auto status = info.find("DriverStatus");
  if (!status || !*status) return false;
  const auto rows = (*status)->items();
  if (!rows) return false;
  for (const json::Reader& row : *rows) {
    const auto cells = row.items();
    if (!cells || cells->size() != 2) continue;
    const auto key = (*cells)[0].as_string(), value = (*cells)[1].as_string();
    if (key && value && *key == "driver-type" && *value == kContainerdStore) return true;
  }
  return false;
}

/// `name=rootless` among the options; their form is older than the API's version that is asked for.
bool is_rootless(const json::Reader& info) {
  const auto options = info.strings("SecurityOptions");
  return options && std::ranges::any_of(*options, [](const std::string& option) {
           return option == "name=rootless" || option.starts_with("name=rootless,");
         });
}

}  // namespace

Result<std::string> parse_docker_host(std::string_view host) {
  if (host.empty()) return std::string(kDefaultSocket);
  constexpr std::string_view kScheme = "unix://";
  if (host.starts_with(kScheme) && host.substr(kScheme.size()).starts_with('/')) {
    return std::string(host.substr(kScheme.size()));
  }
  return fail(ErrorCode::engine, concat("DOCKER_HOST: expected unix:///path, found ", crategate::quoted(host)),
              "crategate talks to the Docker engine of its own machine; unset DOCKER_HOST or name its socket");
}

Result<std::string> choose_api_version(const std::string& newest, const std::string& oldest) {
  const auto enough = compare_dotted(newest, kOldestApi);
  if (!enough || *enough < 0) {
    return fail(ErrorCode::engine,
                concat("the Docker engine speaks API ", crategate::quoted(newest), ", expected at least ", kOldestApi),
                "update the Docker engine to 20.10 or newer");
  }
  const auto raised = compare_dotted(oldest, kOldestApi);
  return raised && *raised > 0 ? oldest : std::string(kOldestApi);
}

Result<std::string> path_of_image(const std::string& name) {
  constexpr std::string_view kMarks = "._-/:@";
  const bool legal = std::all_of(name.begin(), name.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kMarks.find(c) != std::string_view::npos;
  });
  const auto segments = split(name, '/');
  const bool plain = std::none_of(segments.begin(), segments.end(), [](const std::string& segment) {
    return segment.empty() || segment == "." || segment == "..";
  });
  if (!name.empty() && legal && plain) return concat("/images/", name);
  return fail(ErrorCode::bad_input, concat("expected the name or id of an image, found ", crategate::quoted(name)));
}

Result<net::Response> EngineApi::send_to(const std::string& prefix, const Call& call) {
  net::Request request;
  request.method = call.method;
  request.url = {"http", "docker", 80, concat(prefix, call.target)};
  request.unix_socket = socket_;
  if (!call.body.empty()) request.headers.emplace_back("Content-Type", "application/json");
  if (!call.registry_auth.empty()) request.headers.emplace_back("X-Registry-Auth", call.registry_auth.reveal());
  std::optional<Error> ours;  // of what is sent or of who takes the answer, which no engine has said
  const auto note = [&ours](auto result) {
    if (!result) ours = result.error();
    return result;
  };
  if (call.source) {
    request.headers.emplace_back("Content-Type", "application/x-tar");
    request.source = [&call, &note] { return note(call.source()); };
  }
  if (call.sink) request.sink = [&call, &note](std::string_view bytes) { return note(call.sink(bytes)); };
  request.body = call.body;
  request.source_length = call.source_length;
  request.timeout = call.timeout;
  request.body_limit = 16U << 20U;
  request.ignore_cancellation = call.ignore_cancellation;
  auto response = http_.send(request);
  if (!response && ours) return fail(*std::move(ours));
  if (!response && is_silence(response.error().code)) {
    return fail(unreachable(socket_, in_container_, std::move(response).error()));
  }
  return response;
}

// One cheap question, which nearly every engine answers; what it answers instead tells why.
Result<std::string> EngineApi::prefix() {
  const std::lock_guard lock(mutex_);
  if (prefix_) return *prefix_;
  const std::string usual = concat("/v", kOldestApi);
  CG_TRY(const net::Response pong, send_to(usual, {.target = "/_ping"}));
  api_version_ = pong.header("Api-Version");
  if (pong.status == 200 && !api_version_.empty()) {
    prefix_ = usual;
  } else {
    CG_TRY(prefix_, negotiate());
  }
  return *prefix_;
}

Result<std::string> EngineApi::negotiate() {
  const Call call{.target = "/version"};
  CG_TRY(const net::Response response, send_to("", call));
  if (response.status != 200) return fail(engine_failure("tell its version", call, response));
  CG_TRY(const json::Document document, parse_answer(call, response));
  CG_TRY(api_version_, document.root().string_or("ApiVersion", ""));
  CG_TRY(const std::string oldest, document.root().string_or("MinAPIVersion", ""));
  CG_TRY(const std::string chosen, choose_api_version(api_version_, oldest));
  return concat("/v", chosen);
}

Result<net::Response> EngineApi::send(const Call& call) {
  CG_TRY(const std::string version_prefix, prefix());
  return send_to(call.api.empty() ? version_prefix : concat("/v", call.api), call);
}

Result<EngineInfo> EngineApi::ask() {
  const Call call{.target = "/info"};
  CG_TRY(const net::Response response, send(call));
  if (response.status != 200) return fail(engine_failure("describe itself", call, response));
  CG_TRY(const json::Document document, parse_answer(call, response));
  CG_TRY(std::string root, document.root().string_or("DockerRootDir", ""));
  return EngineInfo{api_version_, uses_containerd(document.root()), std::move(root), is_rootless(document.root())};
}

Result<EngineInfo> EngineApi::info() {
  {
    const std::lock_guard lock(mutex_);
    if (info_) return *info_;
  }
  CG_TRY(EngineInfo asked, ask());
  const std::lock_guard lock(mutex_);
  info_ = std::move(asked);
  return *info_;
}

std::string engine_message(const net::Response& response) {
  const auto document = json::Document::parse(response.body, "answer");
  if (document) {
    const auto message = document->root().string("message");
    if (message && !message->empty()) return neutralise(replace_all(std::string(trim(*message)), "\n", " "));
  }
  return concat("status ", response.status);
}

Error engine_failure(std::string_view attempt, const Call& call, const net::Response& response) {
  Error error;
  error.code = ErrorCode::engine;
  error.message = concat("the Docker engine could not ", attempt, ": ", engine_message(response));
  if (error.message.find("no space left on device") != std::string::npos) {
    error.code = ErrorCode::no_space;
    error.hint = "free disk space (e.g. docker system prune)";
  }
  const std::string path = call.target.substr(0, call.target.find('?'));
  error.http = HttpFailure{call.method, path, response.status, "", ""};
  return error;
}

Result<json::Document> parse_answer(const Call& call, const net::Response& response) {
  return json::Document::parse(response.body, concat("answer of the Docker engine to ", call.target), {},
                               ErrorCode::engine);
}

}  // namespace crategate::docker
