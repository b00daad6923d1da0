#include "sys/terminal_program.h"

#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <vector>

#include "base/strings.h"
#include "sys/child.h"

namespace crategate::sys {

bool has_terminal() { return ::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1; }

Result<void> become(const Command& command) {
  CG_TRY(const Path program, find_program(command));
  std::vector<std::string> words{command.program}, variables;
  words.insert(words.end(), command.arguments.begin(), command.arguments.end());
  for (const auto& [name, value] : command.environment) variables.push_back(concat(name, "=", value));
  std::vector<char*> argv, envp;
  for (auto& word : words) argv.push_back(word.data());
  for (auto& variable : variables) envp.push_back(variable.data());
  argv.push_back(nullptr);
  envp.push_back(nullptr);
  if (!command.directory.empty() && ::chdir(command.directory.c_str()) != 0)
    return fail(system_error(concat("cannot work in ", command.directory.string()), errno));
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execve(program.c_str(), argv.data(), envp.data());
  return fail(system_error(concat("cannot run ", program.string()), errno));
}

}  // namespace crategate::sys
