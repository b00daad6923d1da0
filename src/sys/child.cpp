// posix_spawn, and what belongs to it.
#include "sys/child.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "base/strings.h"

namespace crategate::sys {
namespace {

constexpr int kFirstFree = 3;

/// Moves a descriptor out of 0, 1, 2: a runner starts its steps with standard input closed.
Descriptor above_standard(Descriptor given) {
  if (given.get() >= kFirstFree || !given.valid()) return given;
  return Descriptor(::fcntl(given.get(), F_DUPFD_CLOEXEC, kFirstFree));
}

struct Pipe {
  Descriptor read_end, write_end;
};

Result<Pipe> open_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail(system_error("cannot make a pipe", errno));
  Pipe pipe{above_standard(Descriptor(ends[0])), above_standard(Descriptor(ends[1]))};
  if (!pipe.read_end.valid() || !pipe.write_end.valid()) return fail(system_error("cannot make a pipe", errno));
  ::fcntl(pipe.read_end.get(), F_SETFL, O_NONBLOCK);
  return pipe;
}

/// Standard input as a file in memory: a child that never reads it cannot block us.
Result<Descriptor> open_input(const std::string& input) {
  if (input.empty()) {
    Descriptor null = above_standard(Descriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC)));
    if (!null.valid()) return fail(system_error("cannot open /dev/null", errno));
    return null;
  }
  Descriptor memory = above_standard(Descriptor(::memfd_create("crategate-input", MFD_CLOEXEC)));
  if (!memory.valid()) return fail(system_error("cannot hold the standard input of a command", errno));
  if (const int number = write_all(memory.get(), input); number != 0)
    return fail(system_error("cannot hold the standard input of a command", number));
  ::lseek(memory.get(), 0, SEEK_SET);
  return memory;
}

bool is_executable(const Path& path) {
  struct stat status = {};
  return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) && ::access(path.c_str(), X_OK) == 0;
}

/// What the child gets; the destructor frees what posix_spawn wants freed.
class SpawnPlan {
 public:
  SpawnPlan() {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawnattr_init(&attributes_);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;
  ~SpawnPlan() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }
  void connect(int descriptor, int as) { note(::posix_spawn_file_actions_adddup2(&actions_, descriptor, as)); }
  void enter(const Path& directory) {
    if (!directory.empty()) note(::posix_spawn_file_actions_addchdir_np(&actions_, directory.c_str()));
  }
  /// Own group, default signals, nothing blocked, no descriptor beyond the standard three.
  void isolate() {
    sigset_t all, none;
    sigfillset(&all);
    sigemptyset(&none);
    note(::posix_spawn_file_actions_addclosefrom_np(&actions_, kFirstFree));
    note(::posix_spawnattr_setpgroup(&attributes_, 0));
    note(::posix_spawnattr_setsigdefault(&attributes_, &all));
    note(::posix_spawnattr_setsigmask(&attributes_, &none));
    constexpr int kFlags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK;
    note(::posix_spawnattr_setflags(&attributes_, static_cast<short>(kFlags)));
  }
  int start(pid_t& id, const Path& program, std::vector<char*>& argv, std::vector<char*>& envp) {
    if (failure_ != 0) return failure_;
    return ::posix_spawn(&id, program.c_str(), &actions_, &attributes_, argv.data(), envp.data());
  }

 private:
  void note(int number) {
    if (number != 0) failure_ = number;
  }
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
  int failure_ = 0;
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

int spawn(pid_t& id, const Path& program, const Command& command, SpawnPlan& plan) {
  std::vector<std::string> arguments{command.program}, environment;
  arguments.insert(arguments.end(), command.arguments.begin(), command.arguments.end());
  for (const auto& [name, value] : command.environment) environment.push_back(concat(name, "=", value));
  std::vector<char*> argv = pointers(arguments), envp = pointers(environment);
  return plan.start(id, program, argv, envp);
}

Result<void> check(const Command& command) {
  struct stat status = {};
  if (!command.directory.empty() && (::stat(command.directory.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)))
    return fail(ErrorCode::bad_input, concat("the directory ", quoted(command.directory.string()), " does not exist"),
                "name an existing directory for the command");
  const auto has_nul = [](const std::string& text) { return text.find('\0') != std::string::npos; };
  bool nul = has_nul(command.program);
  for (const std::string& argument : command.arguments) nul = nul || has_nul(argument);
  for (const auto& [name, value] : command.environment) nul = nul || has_nul(name) || has_nul(value);
  if (nul)
    return fail(ErrorCode::bad_input, concat("a part of the command ", quoted(command.program), " contains a NUL byte"),
                "remove the NUL byte");
  return {};
}

}  // namespace

Result<Path> find_program(const Command& command) {
  const auto missing = [&command](std::string_view where) {
    return fail(ErrorCode::not_found, concat("cannot find the program ", quoted(command.program), " ", where),
                concat("install ", quoted(command.program), ", or correct its name"));
  };
  if (command.program.find('/') != std::string::npos) {
    const Path path = std::filesystem::absolute(command.directory / command.program);
    if (!is_executable(path)) return missing("as an executable file");
    return path;
  }
  const auto path = command.environment.find("PATH");
  for (const std::string& directory :
       split(path == command.environment.end() ? "/usr/local/bin:/usr/bin:/bin" : path->second, ':'))
    if (directory.starts_with('/') && !command.program.empty() && is_executable(Path(directory) / command.program))
      return Path(directory) / command.program;
  return missing("on the PATH");
}

Result<Child> start_child(const Command& command, bool merge_streams) {
  CG_CHECK(check(command));
  CG_TRY(const Path program, find_program(command));
  CG_TRY(const Descriptor input, open_input(command.input));
  CG_TRY(Pipe out, open_pipe());
  CG_TRY(Pipe err, open_pipe());
  SpawnPlan plan;
  plan.connect(input.get(), STDIN_FILENO);
  plan.connect(out.write_end.get(), STDOUT_FILENO);
  plan.connect(merge_streams ? out.write_end.get() : err.write_end.get(), STDERR_FILENO);
  plan.enter(command.directory);
  plan.isolate();
  Child child;
  if (const int number = spawn(child.id, program, command, plan); number != 0) {
    Error error = system_error(concat("cannot start ", quoted(program.string())), number);
    error.code = ErrorCode::internal;
    return fail(std::move(error));
  }
  child.ended = Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, child.id, 0)));
  child.out = std::move(out.read_end);
  if (!merge_streams) child.err = std::move(err.read_end);
  return child;
}

bool has_ended(const Child& child) {
  siginfo_t info{};
  const int answer = ::waitid(P_PID, static_cast<id_t>(child.id), &info, WEXITED | WNOHANG | WNOWAIT);
  return answer != 0 || info.si_pid == child.id;
}

void signal_group(const Child& child, int signal_number) { ::kill(-child.id, signal_number); }

int reap(const Child& child) {
  int status = 0;
  while (::waitpid(child.id, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace crategate::sys
