// Child processes: argv vectors only, never a shell.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sys/environment.h"
#include "sys/file_system.h"

namespace crategate::sys {

/// A command as a value; what is run, printed and tested is this.
struct Command {
  std::string program;  ///< absolute, or found on the PATH of `environment`
  std::vector<std::string> arguments;
  Path directory;                                  ///< empty = current
  std::map<std::string, std::string> environment;  ///< complete; nothing is inherited
  std::string input;                               ///< standard input; empty = /dev/null
  /// `docker buildx build …`, quoted for a POSIX shell so that a person can paste it.
  std::string text() const;
};

enum class Stream : unsigned char { out, err };

struct RunOptions {
  std::optional<std::chrono::milliseconds> timeout;
  std::size_t capture_limit = 8u << 20;  ///< bytes kept of each stream; the rest is dropped and counted
  bool merge_streams = false;            ///< stderr goes where stdout goes
  std::function<void(Stream, std::string_view bytes)> on_output;  ///< as it arrives, raw
  /// SIGTERM to the process group, then SIGKILL after this.
  std::chrono::milliseconds grace{2000};
  /// For cleaning up: the command runs although the invocation was cancelled.
  bool ignore_cancellation = false;
};

struct ProcessOutcome {
  int exit_code = 0;  ///< 128+n when killed by signal n
  bool timed_out = false;
  bool cancelled = false;
  std::string out, err;
  std::uint64_t dropped = 0;
  std::chrono::milliseconds elapsed{0};
};

class ProcessRunner {
 public:
  virtual ~ProcessRunner() = default;
  /// Effects: process. The child gets descriptors 0, 1, 2 only and its own process group, which is killed whole at the
  /// end of a time limit, on cancellation, and when the child ends and leaves something behind. A cancelled invocation
  /// starts nothing and answers `cancelled`.
  /// Errors: not_found when the program does not exist, bad_input for a missing directory, internal. A non-zero exit is
  /// an outcome, not an error.
  virtual Result<ProcessOutcome> run(const Command& command, const RunOptions& options) = 0;
};

class PosixProcessRunner final : public ProcessRunner {
 public:
  Result<ProcessOutcome> run(const Command& command, const RunOptions& options) override;
};

/// The allow-listed environment for children (A71): PATH, HOME, LANG, LC_*, TZ, TMPDIR, SSL_CERT_FILE, SSL_CERT_DIR,
/// SOURCE_DATE_EPOCH, proxies in both spellings, and `keep`.
std::map<std::string, std::string> child_environment(const Environment& environment,
                                                     const std::vector<std::string>& keep = {});

/// Where a runner mounts what the steps of a job share into an action's container.
inline constexpr std::string_view kSharedBySteps = "/github";

/// The same for tools of our own (docker, git). In a job of a workflow their PATH has no entry that the project or
/// another step can write (A72): none that is relative, or below `workspace`, RUNNER_TEMP or /github.
std::map<std::string, std::string> tool_environment(const Environment& environment, const Path& workspace,
                                                    const std::vector<std::string>& keep = {});

/// Splits a byte stream into lines at LF, CR and CRLF; holds back what is unfinished. A line longer than `limit` bytes
/// comes in pieces.
class LineSplitter {
 public:
  explicit LineSplitter(std::function<void(std::string_view)> line, std::size_t limit = 64u << 10);
  void feed(std::string_view bytes);
  void finish();

 private:
  std::function<void(std::string_view)> line_;
  std::size_t limit_;
  std::string pending_;
  bool after_cr_ = false;
};

}  // namespace crategate::sys
