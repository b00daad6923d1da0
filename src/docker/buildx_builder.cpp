// Builds through buildx.
// Belongs here: finding buildx, choosing the builder, running it, finding the image it loaded.
// Not here: the command line (build_arguments) and the meaning of its output (build_failure).
#include <memory>
#include <mutex>

#include "base/log.h"
#include "base/strings.h"
#include "docker/build.h"
#include "docker/build_failure.h"
#include "json/value.h"
#include "sys/cancel.h"

namespace crategate::docker {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kShortCommand{120'000};
constexpr milliseconds kBuilderStart{300'000};  ///< its image is pulled
constexpr milliseconds kLookUp{20'000};
constexpr std::string_view kEngineDriver = "docker";
constexpr std::string_view kDefaultHost = "unix:///var/run/docker.sock";

// `--secret=id=x,env=NAME` and `--build-arg=NAME` read the variable NAME of buildx itself.
std::vector<std::string> needed_variables(const BuildRequest& request) {
  std::vector<std::string> names{"DOCKER_HOST", "DOCKER_CONFIG", "BUILDX_CONFIG"};
  for (const std::string& secret : request.secrets) {
    for (const std::string& option : split(secret, ',')) {
      if (option.starts_with("env=")) names.push_back(option.substr(4));
    }
  }
  for (const std::string& argument : request.build_args) {
    if (argument.find('=') == std::string::npos) names.push_back(argument);
  }
  return names;
}

Error classic_store_cannot_export() {
  return {ErrorCode::engine,
          "the build writes a cache, an archive or a layout, which the engine's default builder cannot do on the "
          "classic image "
          "store, and no builder image is configured",
          "set build.builder-image to an image of BuildKit, or switch the engine to the containerd image store, or do "
          "without the cache and gate.mode: rebuild (docker/setup-buildx-action, too, makes a builder that can do it)",
          {},
          std::nullopt,
          std::nullopt};
}

std::string driver_of(const std::string& inspection) {
  for (const std::string& line : split(inspection, '\n')) {
    if (line.starts_with("Driver:")) return std::string(trim(std::string_view(line).substr(7)));
  }
  return {};
}

// Digests by which the engine may name the image that buildx says it made.
std::vector<std::string> digests_in_metadata(const sys::Path& file) {
  const auto text = sys::PosixFileSystem{}.read(file, sys::kTextLimit);
  if (!text || !*text) return {};
  const auto document = json::Document::parse(**text, file.filename().string());
  if (!document) return {};
  std::vector<std::string> digests;
  for (const char* key : {"containerimage.digest", "containerimage.config.digest"}) {
    const auto digest = document->root().string_or(key, "");
    if (digest && oci::Digest::parse(*digest)) digests.push_back(*digest);
  }
  return digests;
}

}  // namespace

struct BuildxBuilder::State {
  sys::ProcessRunner& processes;
  const sys::Environment& environment;
  Engine& engine;
  sys::Path workspace;
  std::string builder_image;
  ClientConfig config;
  std::map<std::string, std::string> variables;  ///< of the configuration in force
  std::string own_builder = concat("crategate-", sys::random_hex(12));
  std::mutex mutex;
  std::vector<std::string> program;
  std::optional<std::string> selected_driver;  ///< of the builder that is used when none is named; empty = unknown
  std::optional<bool> default_builder_exports;
  bool created = false;
  BaseImages base_images{engine, [this](const std::vector<std::string>& arguments) {
                           return processes.run(command(arguments), {.timeout = kLookUp, .merge_streams = true});
                         }};

  sys::Command command(const std::vector<std::string>& arguments, const BuildRequest& request = {}) const {
    const auto words = program.empty() ? std::vector<std::string>{"docker", "buildx"} : program;
    sys::Command made;
    made.program = words.front();
    made.arguments.assign(words.begin() + 1, words.end());
    made.arguments.insert(made.arguments.end(), arguments.begin(), arguments.end());
    made.directory = workspace;
    made.environment = sys::tool_environment(environment, workspace, needed_variables(request));
    for (const auto& [name, value] : variables) made.environment[name] = value;
    // The engine is the one that the rest of this process talks to, whatever context the docker command line selects.
    auto& host = made.environment["DOCKER_HOST"];
    if (host.empty()) host = kDefaultHost;
    return made;
  }

  sys::Command create_command() const {
    // Started at once: builds that start it side by side get in each other's way.
    return command({"create", concat("--name=", own_builder), "--driver=docker-container",
                    concat("--driver-opt=image=", builder_image, ",network=host"), "--bootstrap"});
  }
  sys::Command remove_command() const { return command({"rm", "--force", own_builder}); }
  sys::Command build_command(BuildRequest request, bool with_own_builder) const {
    if (with_own_builder) request.builder = own_builder;
    return command(build_arguments(request), request);
  }

  Result<void> prepare(const BuildRequest& request);
  Result<void> find_program();
  Result<std::string> driver();
  Result<bool> needs_own_builder(const BuildRequest& request);
  bool sees_engine(const BuildRequest& request);
  Result<void> make_own_builder();
  Result<sys::ProcessOutcome> run_build(const sys::Command& build, milliseconds timeout, const ProgressLine& progress,
                                        OutputTail& tail);
  Result<std::string> loaded_image(const BuildRequest& request);
};

Result<void> BuildxBuilder::State::prepare(const BuildRequest& request) {
  CG_TRY(variables, config.variables(request.log_in));
  return find_program();
}

Result<void> BuildxBuilder::State::find_program() {
  if (!program.empty()) return {};
  for (const std::vector<std::string>& words : {std::vector<std::string>{"docker", "buildx"}, {"buildx"}}) {
    program = words;
    const auto outcome = processes.run(command({"version"}), {.timeout = kShortCommand});
    if (outcome && outcome->exit_code == 0) return {};
    program.clear();
    CG_CHECK(sys::check_cancelled());
    if (!outcome && outcome.error().code != ErrorCode::not_found) return fail(outcome.error());
  }
  return fail(ErrorCode::engine, "neither `docker buildx` nor `buildx` can be run from PATH",
              "install the buildx plugin (docker-buildx, docker-buildx-plugin), version 0.13 or newer");
}

Result<std::string> BuildxBuilder::State::driver() {
  if (!selected_driver) {
    CG_TRY(const auto selected, processes.run(command({"inspect"}), {.timeout = kShortCommand}));
    selected_driver = selected.exit_code == 0 ? driver_of(selected.out) : "";
  }
  return *selected_driver;
}

/// Whether this build can use the images that the engine has: only the engine's own builder can, and only unless they
/// are to be pulled anew.
bool BuildxBuilder::State::sees_engine(const BuildRequest& request) {
  if (request.fresh || !request.builder.empty() || needs_own_builder(request).value_or(true)) return false;
  return driver().value_or("") == kEngineDriver;
}

Result<bool> BuildxBuilder::State::needs_own_builder(const BuildRequest& request) {
  if (!request.builder.empty()) return false;
  if (request.isolated && !builder_image.empty()) return true;
  if (request.cache_to.empty() && request.archive.empty() && request.layout.empty()) return false;
  if (!default_builder_exports) {
    CG_TRY(const EngineInfo info, engine.info());
    if (info.containerd_store) {
      default_builder_exports = true;
    } else {
      CG_TRY(const std::string name, driver());
      default_builder_exports = !name.empty() && name != kEngineDriver;
    }
  }
  return !*default_builder_exports;
}

Result<void> BuildxBuilder::State::make_own_builder() {
  if (created) return {};
  if (builder_image.empty()) return fail(classic_store_cannot_export());
  created = true;  // also when creating is interrupted: removing what is not there does no harm
  CG_TRY(const auto outcome, processes.run(create_command(), {.timeout = kBuilderStart, .merge_streams = true}));
  CG_CHECK(sys::check_cancelled());
  if (outcome.exit_code == 0) return {};
  return fail(ErrorCode::engine,
              concat("cannot make a builder from ", builder_image, ": exit code ", outcome.exit_code, ": ",
                     neutralise(trim(outcome.out))),
              "check the setting build.builder-image");
}

Result<sys::ProcessOutcome> BuildxBuilder::State::run_build(const sys::Command& build, milliseconds timeout,
                                                            const ProgressLine& progress, OutputTail& tail) {
  sys::LineSplitter lines([&](std::string_view line) {
    tail.add(line);
    if (progress) progress(line);
  });
  sys::RunOptions options{.capture_limit = 0, .merge_streams = true};
  if (timeout.count() > 0) options.timeout = timeout;
  options.on_output = [&lines](sys::Stream, std::string_view bytes) { lines.feed(bytes); };
  CG_TRY(auto outcome, processes.run(build, options));
  lines.finish();
  return outcome;
}

Result<std::string> BuildxBuilder::State::loaded_image(const BuildRequest& request) {
  std::vector<std::string> names;
  if (!request.metadata_file.empty()) names = digests_in_metadata(workspace / request.metadata_file);
  if (!request.tags.empty()) names.push_back(request.tags.front());
  for (const std::string& name : names) {
    CG_TRY(const auto image, engine.find_image(name));
    if (image) return image->id;
  }
  return fail(ErrorCode::engine,
              concat("the build of ", request.dockerfile, " succeeded, but the engine does not know its image ",
                     names.empty() ? std::string("(no tag, no metadata file)") : names.back()),
              "check that buildx and crategate use the same engine (DOCKER_HOST)");
}

BuildxBuilder::BuildxBuilder(sys::ProcessRunner& processes, const sys::Environment& environment, Engine& engine,
                             sys::Path workspace, std::string builder_image, RegistryLogin login)
    : state_(new State{processes,
                       environment,
                       engine,
                       workspace,
                       std::move(builder_image),
                       {environment, workspace, std::move(login)}}) {}

BuildxBuilder::~BuildxBuilder() {
  if (!state_->created) return;
  const auto outcome = state_->processes.run(
      state_->remove_command(), {.timeout = kShortCommand, .merge_streams = true, .ignore_cancellation = true});
  if (outcome && outcome->exit_code == 0) return;
  log::warning(concat("the temporary builder ", state_->own_builder,
                      " may still be there; remove it with: ", state_->remove_command().text()));
}

std::optional<BaseImage> BuildxBuilder::find_base(const std::string& name, const BuildRequest& request) {
  const std::lock_guard lock(state_->mutex);
  if (!state_->prepare(request)) return std::nullopt;
  return state_->base_images.find(name, [&] { return state_->sees_engine(request); });
}

Result<std::vector<sys::Command>> BuildxBuilder::commands(const BuildRequest& request) {
  const std::lock_guard lock(state_->mutex);
  // A listing must not need an engine: without one, the plain build is what would be tried.
  const bool own = state_->needs_own_builder(request).value_or(false);
  if (!own) return std::vector{state_->build_command(request, false)};
  if (state_->builder_image.empty()) return fail(classic_store_cannot_export());
  return std::vector{state_->create_command(), state_->build_command(request, true), state_->remove_command()};
}

Result<BuildOutcome> BuildxBuilder::build(const BuildRequest& request, milliseconds timeout,
                                          const ProgressLine& progress) {
  sys::Command command;
  {
    const std::lock_guard lock(state_->mutex);
    CG_CHECK(sys::check_cancelled());
    CG_CHECK(state_->prepare(request));
    CG_TRY(const bool own, state_->needs_own_builder(request));
    if (own) CG_CHECK(state_->make_own_builder());
    command = state_->build_command(request, own);
  }
  OutputTail tail;
  CG_TRY(auto outcome, state_->run_build(command, timeout, progress, tail));
  if (outcome.exit_code != 0 && !outcome.cancelled && !outcome.timed_out && lost_its_cache(tail)) {
    log::warning(concat("the build of ", request.dockerfile, " could not write its cache and runs once more"));
    tail = {};
    CG_TRY(outcome, state_->run_build(command, timeout, progress, tail));
  }
  if (outcome.cancelled) {
    CG_CHECK(sys::check_cancelled());
    return fail(ErrorCode::interrupted, concat("the build of ", request.dockerfile, " was cancelled"));
  }
  if (outcome.timed_out) {
    return fail(ErrorCode::engine,
                concat("building ", request.dockerfile, " took longer than its time limit of ",
                       format_duration(timeout.count()), " (last output: ", tail.condensed(), ")"),
                "raise the time limit of the build, or find out what hangs");
  }
  if (outcome.exit_code != 0) return fail(build_failure(request.dockerfile, outcome.exit_code, tail));
  if (!request.archive.empty() || !request.layout.empty()) return BuildOutcome{{}, outcome.elapsed};
  CG_TRY(std::string id, state_->loaded_image(request));
  return BuildOutcome{std::move(id), outcome.elapsed};
}

}  // namespace crategate::docker
