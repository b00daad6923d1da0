#include "git/invocation.h"

#include "base/strings.h"

namespace crategate::git {

std::map<std::string, std::string> local_environment(const sys::Environment& environment, const sys::Path& directory,
                                                     const std::vector<std::string>& keep) {
  auto variables = sys::tool_environment(environment, directory, keep);
  variables["GIT_CONFIG_NOSYSTEM"] = "1";
  variables["GIT_CONFIG_GLOBAL"] = "/dev/null";
  variables["GIT_TERMINAL_PROMPT"] = "0";
  variables["GIT_OPTIONAL_LOCKS"] = "0";
  variables["GIT_NO_LAZY_FETCH"] = "1";
  variables["GIT_ALLOW_PROTOCOL"] = "none";
  variables["GIT_NO_REPLACE_OBJECTS"] = "1";
  variables["LC_ALL"] = "C";
  return variables;
}

std::vector<std::string> safe_options(const sys::Path& directory) {
  return {"--no-pager",
          "-c",
          "core.hooksPath=/dev/null",
          "-c",
          "core.fsmonitor=false",
          "-c",
          "protocol.ext.allow=never",
          "-c",
          concat("safe.directory=", directory.string())};
}

}  // namespace crategate::git
