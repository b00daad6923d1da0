// A project's own command (check, generate, test): on the host or in a container, with its log and its last lines.
// Belongs here: how it is run.  Not here: what its result means (the stages).
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/configuration.h"
#include "docker/engine.h"
#include "stages/workspace.h"
#include "sys/environment.h"
#include "sys/process.h"

namespace crategate::stages {

inline constexpr std::uint64_t kLogLimit = 64u << 20;  ///< bytes of one log file; what exceeds it is counted, not kept

/// One harmless line of a tool's output, as it happens.
using Progress = std::function<void(std::string_view line)>;

/// `setup` (may be empty) then `run` as the argv of one container: a fixed POSIX shell script that takes both commands
/// as positional parameters, so no text of the project is ever parsed by a shell.
std::vector<std::string> container_command(const config::Argv& setup, const config::Argv& run);

/// `command` in the place of the image's entrypoint, which is for the image's own users.
void set_command(docker::ContainerSpec& spec, const config::Argv& command);

/// `host:container[:ro]` with the host path made absolute below `root`.
/// Errors: bad_input for another shape, or a host path that leaves the workspace.
Result<std::vector<std::string>> resolve_mounts(const std::vector<std::string>& mounts, const sys::Path& root);

struct CommandResult {
  std::int64_t exit_code = 0;
  bool timed_out = false, cancelled = false, out_of_memory = false;
  std::string image_id;  ///< of the container; empty on the host
  std::chrono::milliseconds elapsed{0};
  std::vector<std::string> last_lines;  ///< for messages
};

/// Collects a command's output: log file, progress lines, the last lines. Stays where it was made.
class OutputCollector {
 public:
  /// `bytes` gets the output as it is.
  OutputCollector(sys::LogFile log, const Progress& progress, std::function<void(std::string_view)> bytes = {});
  OutputCollector(const OutputCollector&) = delete;
  OutputCollector& operator=(const OutputCollector&) = delete;
  /// Errors: no_space from the log; the command is stopped then.
  Result<void> add(std::string_view bytes);
  /// Closes the log and moves what was collected into `result`.
  Result<void> finish(CommandResult& result);

 private:
  sys::LogFile log_;
  std::function<void(std::string_view)> bytes_;
  std::deque<std::string> last_lines_;
  sys::LineSplitter lines_;
};

struct HostServices {
  sys::ProcessRunner& processes;
  const sys::Environment& environment;
};

/// Yields the engine when a container is needed, so that host-only checks need none.
using EngineSource = std::function<Result<docker::Engine*>()>;

struct CommandServices {
  sys::FileSystem& files;
  HostServices host;
  EngineSource engine;
  const Progress& progress;
};

/// Runs one command; its output goes to `output`, how it ended into `result`, whose time it adds to.
/// Errors: those of ProcessRunner::run, and of `output`.
Result<void> run_collecting(const sys::Command& command, std::chrono::milliseconds timeout, OutputCollector& output,
                            sys::ProcessRunner& processes, CommandResult& result);

/// Runs `setup` and then `run` on the host, in `directory`. The time limit covers both.
Result<CommandResult> run_on_host(const config::Argv& setup, const config::Argv& run, const sys::Path& directory,
                                  std::chrono::milliseconds timeout, OutputCollector& output, const HostServices& svc);

/// The engine has the image afterwards: what it lacks is pulled.
/// Errors: those of Engine::pull_image.
Result<void> provide_image(const std::string& name, docker::Engine& engine);

/// Runs `spec` (its command already set) and collects its output. `watch`: see docker::ContainerRun.
Result<CommandResult> run_in_container(const docker::ContainerSpec& spec, std::chrono::milliseconds timeout,
                                       OutputCollector& output, docker::Engine& engine,
                                       const std::function<Result<void>()>& watch = {});

/// The command as a person would type it: `docker run --rm …`. For dry runs and messages.
std::string describe_container(const docker::ContainerSpec& spec);
/// argv quoted for a POSIX shell.
std::string describe_command(const config::Argv& argv);

/// The failure of a project command that is not allowed to fail (check, generate, setup): code, last lines, remedy.
Error command_failure(std::string_view what, const CommandResult& result, std::chrono::milliseconds timeout,
                      const std::string& log, std::string hint);

}  // namespace crategate::stages
