#include "stages/project_command.h"

#include <utility>

#include "base/log.h"
#include "base/strings.h"
#include "sys/cancel.h"

namespace crategate::stages {
namespace {

constexpr std::size_t kLastLines = 15;

// $1 = number of words of the setup command; then its words, then the words of the command itself.
constexpr std::string_view kTwoCommands =
    "n=$1; shift; k=$#; "
    "(i=0; while [ \"$i\" -lt \"$n\" ]; do set -- \"$@\" \"$1\"; shift; i=$((i+1)); done; "
    "shift $((k-n)); exec \"$@\") || exit $?; "
    "shift \"$n\"; exec \"$@\"";

bool is_below(const sys::Path& path, const sys::Path& directory) {
  return std::mismatch(directory.begin(), directory.end(), path.begin(), path.end()).first == directory.end();
}

/// Limits as options of `docker run`; none where the engine's defaults hold.
void describe_limits(const docker::ContainerLimits& limits, config::Argv& argv) {
  const docker::ContainerLimits usual;
  if (limits.memory > 0)
    argv.insert(argv.end(), {concat("--memory=", limits.memory), concat("--memory-swap=", limits.memory)});
  if (limits.cpus > 0) argv.push_back(concat("--cpus=", limits.cpus));
  if (limits.processes != usual.processes) argv.push_back(concat("--pids-limit=", limits.processes));
  if (limits.file_size > 0) argv.push_back(concat("--ulimit=fsize=", limits.file_size));
  if (limits.drop_capabilities) argv.emplace_back("--cap-drop=ALL");
  if (limits.read_only_root) argv.emplace_back("--read-only");
  for (const auto& [place, options] : limits.tmpfs) argv.push_back(concat("--tmpfs=", place, ":", options));
}

}  // namespace

std::vector<std::string> container_command(const config::Argv& setup, const config::Argv& run) {
  if (setup.empty()) return run;
  std::vector<std::string> command = {"/bin/sh", "-c", std::string(kTwoCommands), "crategate",
                                      std::to_string(setup.size())};
  command.insert(command.end(), setup.begin(), setup.end());
  command.insert(command.end(), run.begin(), run.end());
  return command;
}

void set_command(docker::ContainerSpec& spec, const config::Argv& command) {
  spec.override_entrypoint = true;
  spec.entrypoint = {command.front()};
  spec.command = {command.begin() + 1, command.end()};
}

Result<std::vector<std::string>> resolve_mounts(const std::vector<std::string>& mounts, const sys::Path& root) {
  std::vector<std::string> binds;
  for (const auto& mount : mounts) {
    const auto parts = split(mount, ':');
    const bool shaped = (parts.size() == 2 || (parts.size() == 3 && (parts[2] == "ro" || parts[2] == "rw"))) &&
                        !parts[0].empty() && parts[1].starts_with('/');
    const sys::Path host = shaped ? (root / parts[0]).lexically_normal() : sys::Path();
    if (!shaped || !is_below(host, root)) {
      return fail(
          ErrorCode::bad_input,
          concat("test.mounts: expected HOST:/CONTAINER[:ro] with a host path in the workspace, found ", quote(mount)),
          "Write e.g. `tests:/work/tests:ro`.");
    }
    // The engine would follow a link as root on its own machine: to its socket, say (A74).
    std::error_code ignored;
    const sys::Path real = std::filesystem::weakly_canonical(host, ignored);
    if (!is_below(real, std::filesystem::weakly_canonical(root, ignored))) {
      return fail(ErrorCode::bad_input,
                  concat("test.mounts: expected a path in the workspace, found a link out of it: ", quote(parts[0]),
                         " leads to ", quote(real.string())),
                  "Mount what is in the project itself.");
    }
    std::string host_path = real == host || host == root ? host.string() : real.string();
    if (host_path.size() > 1 && host_path.ends_with('/')) host_path.pop_back();
    binds.push_back(concat(host_path, ":", parts[1], parts.size() == 3 ? concat(":", parts[2]) : ""));
  }
  return binds;
}

OutputCollector::OutputCollector(sys::LogFile log, const Progress& progress,
                                 std::function<void(std::string_view)> bytes)
    : log_(std::move(log)), bytes_(std::move(bytes)), lines_([this, progress](std::string_view line) {
        const std::string safe = neutralise(line);
        if (progress) progress(safe);
        if (trim(safe).empty()) return;
        last_lines_.push_back(safe);
        if (last_lines_.size() > kLastLines) last_lines_.pop_front();
      }) {}

Result<void> OutputCollector::add(std::string_view bytes) {
  if (bytes_) bytes_(bytes);
  lines_.feed(bytes);
  return log_.write(bytes);
}

Result<void> OutputCollector::finish(CommandResult& result) {
  lines_.finish();
  result.last_lines.assign(last_lines_.begin(), last_lines_.end());
  return log_.close();
}

Result<void> run_collecting(const sys::Command& command, std::chrono::milliseconds timeout, OutputCollector& output,
                            sys::ProcessRunner& processes, CommandResult& result) {
  std::optional<Error> collecting;
  const sys::RunOptions options{.timeout = timeout,
                                .capture_limit = 0,
                                .merge_streams = true,
                                .on_output = [&](sys::Stream, std::string_view bytes) {
                                  if (collecting) return;
                                  if (auto added = output.add(bytes); !added) collecting = std::move(added).error();
                                }};
  CG_TRY(const auto outcome, processes.run(command, options));
  result.exit_code = outcome.exit_code;
  result.timed_out = outcome.timed_out;
  result.cancelled = outcome.cancelled;
  result.elapsed += outcome.elapsed;
  if (collecting) return fail(std::move(*collecting));
  return {};
}

Result<CommandResult> run_on_host(const config::Argv& setup, const config::Argv& run, const sys::Path& directory,
                                  std::chrono::milliseconds timeout, OutputCollector& output, const HostServices& svc) {
  CommandResult result;
  for (const config::Argv* argv : {&setup, &run}) {
    if (argv->empty()) continue;
    const sys::Command command{.program = argv->front(),
                               .arguments = {argv->begin() + 1, argv->end()},
                               .directory = directory,
                               .environment = sys::child_environment(svc.environment)};
    CG_CHECK(run_collecting(command, timeout - result.elapsed, output, svc.processes, result));
    if (result.exit_code != 0 || result.timed_out || result.cancelled) break;
  }
  CG_CHECK(output.finish(result));
  return result;
}

Result<void> provide_image(const std::string& name, docker::Engine& engine) {
  CG_TRY(const auto present, engine.find_image(name));
  if (present) return {};
  log::info(concat("pulling ", name));
  return engine.pull_image(name);
}

Result<CommandResult> run_in_container(const docker::ContainerSpec& spec, std::chrono::milliseconds timeout,
                                       OutputCollector& output, docker::Engine& engine,
                                       const std::function<Result<void>()>& watch) {
  CG_TRY(const auto outcome,
         engine.run_container(spec, {.timeout = timeout,
                                     .on_output = [&output](std::string_view bytes) { return output.add(bytes); },
                                     .watch = watch}));
  CommandResult result{.exit_code = outcome.exit_code,
                       .timed_out = outcome.timed_out,
                       .cancelled = outcome.cancelled,
                       .out_of_memory = outcome.out_of_memory,
                       .image_id = outcome.image_id,
                       .elapsed = outcome.elapsed};
  CG_CHECK(output.finish(result));
  return result;
}

std::string describe_command(const config::Argv& argv) {
  if (argv.empty()) return {};
  return sys::Command{.program = argv.front(), .arguments = {argv.begin() + 1, argv.end()}}.text();
}

std::string describe_container(const docker::ContainerSpec& spec) {
  config::Argv argv = {"docker", "run", "--rm", "--init"};
  for (const auto& bind : spec.binds) argv.push_back(concat("--volume=", bind));
  for (const auto& variable : spec.env) argv.push_back(concat("--env=", variable));
  if (!spec.workdir.empty()) argv.push_back(concat("--workdir=", spec.workdir));
  if (!spec.user.empty()) argv.push_back(concat("--user=", spec.user));
  if (!spec.network.empty()) argv.push_back(concat("--network=", spec.network));
  describe_limits(spec.limits, argv);
  if (spec.override_entrypoint) argv.push_back(concat("--entrypoint=", join(spec.entrypoint, " ")));
  argv.push_back(spec.image);
  argv.insert(argv.end(), spec.command.begin(), spec.command.end());
  return describe_command(argv);
}

Error command_failure(std::string_view what, const CommandResult& result, std::chrono::milliseconds timeout,
                      const std::string& log, std::string hint) {
  if (result.cancelled) {
    return Error{sys::cancellation().value_or(ErrorCode::interrupted),
                 concat(what, ": cancelled"),
                 "Run it again; what is already proven is kept.",
                 {},
                 {},
                 {}};
  }
  std::string found = concat("exit ", result.exit_code);
  if (result.timed_out) found = concat("no end within its time limit of ", format_duration(timeout.count()));
  if (result.out_of_memory) found += " (killed: out of memory)";
  const std::string last = result.last_lines.empty() ? "no output" : quote(result.last_lines.back(), 160);
  return Error{ErrorCode::tests_failed,
               concat(what, ": expected exit 0, found ", found, "; last line: ", last, "; log: ", log),
               std::move(hint),
               {},
               {},
               {}};
}

}  // namespace crategate::stages
