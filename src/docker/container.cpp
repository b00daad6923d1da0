// A container's life: create, attach, start, watch, kill if need be, remove.
#include "docker/container.h"

#include <algorithm>
#include <memory>

#include "base/log.h"
#include "base/strings.h"
#include "docker/attachment.h"
#include "docker/engine_api.h"
#include "sys/cancel.h"

namespace crategate::docker {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLook{250};             // between two looks at a running container; its last output wakes us
constexpr milliseconds kLookAfterOutput{20};   // once its output has ended
constexpr milliseconds kWatch{1'000};          // between two questions to ContainerRun::watch
constexpr milliseconds kKillPatience{20'000};  // until a killed container must be gone
constexpr milliseconds kLastOutput{10'000};    // until the stream of a stopped container must have ended
constexpr std::size_t kBeginning = 512;
constexpr int kAttachLooks = 200;
constexpr milliseconds kAttachLook{10};

struct State {
  bool running = false, out_of_memory = false;
  std::int64_t exit_code = 0;
  std::string image_id;
};

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

Error creation_failure(const ContainerSpec& spec, const Call& call, const net::Response& response) {
  Error error = engine_failure(concat("create a container from ", spec.image), call, response);
  if (response.status == 404 && contains(error.message, "image")) {
    error.code = ErrorCode::not_found;
    error.hint = "build or pull the image first";
  } else if (contains(error.message, "bind source path does not exist")) {
    error.code = ErrorCode::bad_input;
    error.hint =
        "a mount's source must exist on the machine of the engine, which is not the file system of this "
        "process when it runs in a container itself";
  } else if (response.status == 400) {
    error.code = ErrorCode::bad_input;
  }
  if (error.hint.empty()) error.hint = "check the container's image, command, mounts, user and working directory";
  return error;
}

Error not_executable(const ContainerSpec& spec, std::string message) {
  const auto& words = spec.entrypoint.empty() ? spec.command : spec.entrypoint;
  Error error;
  error.code = ErrorCode::bad_input;
  error.message = std::move(message);
  error.hint = concat("check that the image has the command ",
                      words.empty() ? std::string("it starts with") : crategate::quoted(words[0]),
                      ", that it can be executed, and that the working directory exists");
  return error;
}

Error start_failure(const ContainerSpec& spec, const Call& call, const net::Response& response) {
  Error error = engine_failure(concat("start a container from ", spec.image), call, response);
  for (const std::string_view sign : {"executable file not found", "no such file or directory", "permission denied"}) {
    if (!contains(error.message, sign)) continue;
    Error made = not_executable(spec, std::move(error.message));
    made.http = std::move(error.http);
    return made;
  }
  if (error.hint.empty()) error.hint = "check the container's network, user and mounts";
  return error;
}

class Session {
 public:
  Session(EngineApi& api, sys::Clock& clock, const ContainerSpec& spec, const std::vector<HostMount>& mounts,
          const ContainerRun& run)
      : api_(api), clock_(clock), spec_(spec), mounts_(mounts), run_(run) {}

  Result<ContainerOutcome> run() {
    CG_CHECK(create());
    auto outcome = attend();
    remove();
    attachment_.reset();
    return outcome;
  }

 private:
  Result<void> create();
  Result<ContainerOutcome> attend();
  void await_attachment();
  Result<void> start();
  Result<State> until_stopped(ContainerOutcome& outcome);
  bool is_to_stop(ContainerOutcome& outcome, sys::Instant now);
  bool is_objected_to(sys::Instant now);
  Result<void> require_all_output(const ContainerOutcome& outcome);
  Result<void> require_command(const ContainerOutcome& outcome) const;
  Result<State> inspect();
  Result<void> kill();
  void remove();

  EngineApi& api_;
  sys::Clock& clock_;
  ContainerSpec spec_;
  const std::vector<HostMount>& mounts_;
  const ContainerRun& run_;
  std::string id_;
  sys::Instant started_, watched_;
  std::optional<Error> objection_;  // of ContainerRun::watch
  std::string beginning_;           // of the output; written by the attachment until it has ended
  std::unique_ptr<Attachment> attachment_;
};

Result<void> Session::create() {
  CG_CHECK(sys::check_cancelled());
  if (spec_.name.empty()) spec_.name = concat("crategate-", sys::random_hex(16));
  spec_.labels.emplace("io.crategate.run", spec_.name);
  Call call{.method = "POST", .target = concat("/containers/create?name=", net::url_encode(spec_.name))};
  CG_TRY(call.api, api_version_for(mounts_, api_));
  call.body = creation_body(spec_, mounts_);
  const auto response = api_.send(call);
  if (!response) {
    id_ = spec_.name;  // it may have been created all the same
    remove();
    return fail(response.error());
  }
  if (response->status != 201) return fail(creation_failure(spec_, call, *response));
  CG_TRY(const json::Document document, parse_answer(call, *response));
  CG_TRY(id_, document.root().string("Id"));
  return {};
}

Result<ContainerOutcome> Session::attend() {
  attachment_ = std::make_unique<Attachment>(api_, id_, [this](std::string_view bytes) -> Result<void> {
    beginning_ += bytes.substr(0, kBeginning - std::min(kBeginning, beginning_.size()));
    return run_.on_output ? run_.on_output(bytes) : Result<void>{};
  });
  await_attachment();
  CG_CHECK(sys::check_cancelled());
  started_ = watched_ = clock_.monotonic();
  CG_CHECK(start());
  ContainerOutcome outcome;
  CG_TRY(const State last, until_stopped(outcome));
  outcome.elapsed = std::chrono::duration_cast<milliseconds>(clock_.monotonic() - started_);
  outcome.exit_code = last.exit_code;
  outcome.out_of_memory = last.out_of_memory;
  outcome.image_id = last.image_id;
  if (objection_) return fail(*std::move(objection_));
  CG_CHECK(require_all_output(outcome));
  CG_CHECK(require_command(outcome));
  return outcome;
}

// The init process starts whatever it is given; that there is nothing to start is only in its first line.
Result<void> Session::require_command(const ContainerOutcome& outcome) const {
  const bool never_ran = (outcome.exit_code == 126 || outcome.exit_code == 127) && attachment_->complete() &&
                         beginning_.starts_with("[FATAL tini") && contains(beginning_, " exec ");
  if (!never_ran) return {};
  const std::string line(trim(std::string_view(beginning_).substr(0, beginning_.find('\n'))));
  return fail(not_executable(spec_, concat("cannot start a command in ", spec_.image, ": ", neutralise(line))));
}

// The engine tells by an event when the stream is connected; starting earlier could lose the first output. The look is
// limited because an engine in a virtual machine may have another time of day.
void Session::await_attachment() {
  const std::string filters =
      json::Value::object({{"container", json::Value::array_of({id_})}, {"event", json::Value::array_of({"attach"})}})
          .canonical();
  for (int look = 0; look < kAttachLooks && !attachment_->finished() && !sys::cancellation(); ++look) {
    const auto now = std::chrono::duration_cast<milliseconds>(clock_.now().time_since_epoch()).count();
    const Call call{.target =
                        concat("/events?since=1&until=", now / 1000, '.', std::to_string(1000 + now % 1000).substr(1),
                               "&filters=", net::url_encode(filters))};
    const auto response = api_.send(call);
    if (!response || response->status != 200 || !response->body.empty()) return;
    clock_.sleep(kAttachLook);
  }
}

Result<void> Session::start() {
  const Call call{.method = "POST", .target = concat("/containers/", id_, "/start")};
  CG_TRY(const net::Response response, api_.send(call));
  if (response.status == 204) return {};
  return fail(start_failure(spec_, call, response));
}

Result<State> Session::until_stopped(ContainerOutcome& outcome) {
  std::optional<sys::Instant> killed;
  while (true) {
    CG_TRY(State state, inspect());
    if (!state.running) return state;
    const auto now = clock_.monotonic();
    if (killed && now - *killed > kKillPatience) {
      return fail(ErrorCode::engine, concat("the container ", spec_.name, " does not end although it was killed"),
                  "restart the Docker engine");
    }
    if (!killed && is_to_stop(outcome, now)) {
      CG_CHECK(kill());
      killed = now;
    }
    if (attachment_->finished()) {
      clock_.sleep(kLookAfterOutput);
    } else {
      attachment_->wait(kLook);
    }
  }
}

bool Session::is_to_stop(ContainerOutcome& outcome, sys::Instant now) {
  outcome.cancelled = sys::cancellation().has_value();
  outcome.timed_out = !outcome.cancelled && run_.timeout.count() > 0 && now - started_ >= run_.timeout;
  const bool broken = attachment_->finished() && !attachment_->outcome();
  return outcome.cancelled || outcome.timed_out || broken || is_objected_to(now);
}

bool Session::is_objected_to(sys::Instant now) {
  if (!run_.watch || now - watched_ < kWatch) return false;
  watched_ = now;
  auto watched = run_.watch();
  if (!watched) objection_ = std::move(watched).error();
  return objection_.has_value();
}

Result<void> Session::require_all_output(const ContainerOutcome& outcome) {
  const bool ended = attachment_->wait(kLastOutput);
  if (ended) CG_CHECK(attachment_->outcome());
  if (outcome.cancelled || outcome.timed_out || attachment_->complete()) return {};
  return fail(ErrorCode::engine, concat("the output of the container ", spec_.name, " is incomplete"),
              "run it again; if it persists, look at the log of the Docker engine");
}

Result<State> Session::inspect() {
  const Call call{.target = concat("/containers/", id_, "/json"), .ignore_cancellation = true};
  CG_TRY(const net::Response response, api_.send(call));
  if (response.status != 200) return fail(engine_failure(concat("watch the container ", spec_.name), call, response));
  CG_TRY(const json::Document document, parse_answer(call, response));
  CG_TRY(const json::Reader reader, document.root().at("State"));
  State state;
  CG_TRY(state.running, reader.boolean("Running"));
  CG_TRY(state.exit_code, reader.integer("ExitCode"));
  CG_TRY(state.image_id, document.root().string("Image"));
  CG_TRY(const auto out_of_memory, reader.find("OOMKilled"));
  if (out_of_memory) {
    CG_TRY(state.out_of_memory, out_of_memory->as_bool());
  }
  return state;
}

Result<void> Session::kill() {
  const Call call{.method = "POST", .target = concat("/containers/", id_, "/kill"), .ignore_cancellation = true};
  CG_TRY(const net::Response response, api_.send(call));
  const bool gone = response.status == 404 || response.status == 409;
  if (response.status == 204 || gone) return {};
  return fail(engine_failure(concat("kill the container ", spec_.name), call, response));
}

void Session::remove() {
  const Call call{
      .method = "DELETE", .target = concat("/containers/", id_, "?force=1&v=1"), .ignore_cancellation = true};
  const auto response = api_.send(call);
  if (response && (response->status == 204 || response->status == 404 || response->status == 409)) return;
  log::warning(concat("the container ", spec_.name, " may still be there; remove it with: docker rm --force --volumes ",
                      spec_.name));
}

}  // namespace

Result<ContainerOutcome> run_in_container(EngineApi& api, sys::Clock& clock, const ContainerSpec& spec,
                                          const std::vector<HostMount>& mounts, const ContainerRun& run) {
  return Session(api, clock, spec, mounts, run).run();
}

}  // namespace crategate::docker
