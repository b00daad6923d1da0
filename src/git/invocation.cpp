#include "git/invocation.h"

#include <filesystem>

#include "base/strings.h"

namespace crategate::git {
namespace {

/// What a runner has checked out belongs to its user, and git looks at the folder that has `.git`.
std::vector<sys::Path> folders_of_checkout(const sys::Environment& environment, const sys::Path& directory) {
  std::vector<sys::Path> folders = {directory};
  std::error_code none;
  const sys::Path top = std::filesystem::canonical(environment.get("GITHUB_WORKSPACE").value_or(""), none);
  if (top.empty()) return folders;
  for (const sys::Path* folder = &directory; *folder != top; folder = &folders.back()) {
    if (folder->parent_path() == *folder || !folder->has_parent_path()) return {directory};
    folders.push_back(folder->parent_path());
  }
  return folders;
}

}  // namespace

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

std::vector<std::string> safe_options(const sys::Environment& environment, const sys::Path& directory) {
  std::vector<std::string> options = {"--no-pager",           "-c", "core.hooksPath=/dev/null", "-c",
                                      "core.fsmonitor=false", "-c", "protocol.ext.allow=never"};
  for (const sys::Path& folder : folders_of_checkout(environment, directory))
    options.insert(options.end(), {"-c", concat("safe.directory=", folder.string())});
  return options;
}

}  // namespace crategate::git
