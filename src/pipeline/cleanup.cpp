#include "pipeline/cleanup.h"

#include <algorithm>

#include "base/strings.h"

namespace crategate::pipeline {
namespace {

constexpr std::string_view kApt[] = {"/var/cache/apt/archives", "/var/lib/apt/lists"};

/// Programs need all of these; a directory in some of them may be large and of no use.
constexpr std::string_view kRoots[] = {
    "/usr/bin",        "/usr/sbin",       "/usr/lib",         "/usr/lib32", "/usr/lib64", "/usr/libexec",
    "/usr/include",    "/usr/share",      "/usr/local",       "/usr/src",   "/usr/games", "/usr/local/bin",
    "/usr/local/sbin", "/usr/local/lib",  "/usr/local/share", "/var/lib",   "/var/cache", "/var/log",
    "/var/run",        "/var/tmp",        "/var/spool",       "/var/mail",  "/var/opt",   "/var/lib/dpkg",
    "/var/lib/apt",    "/var/lib/systemd"};
/// Nothing in these is ever emptied.
constexpr std::string_view kTrees[] = {"/bin",     "/boot",     "/dev",          "/etc",    "/lib",  "/lib32",
                                       "/lib64",   "/libx32",   "/proc",         "/run",    "/sbin", "/sys",
                                       "/usr/bin", "/usr/sbin", "/var/lib/dpkg", "/var/run"};

bool holds(std::string_view directory, std::string_view path) {
  if (directory == "/" || directory == path) return true;
  return path.starts_with(directory) && path.substr(directory.size()).starts_with('/');
}

Failure refuse(std::string_view path, std::string_view what) {
  return fail(ErrorCode::bad_input,
              concat("cleanup.paths: expected a directory that can be spared, found ", quoted(path), ", ", what),
              "Name the directory of one tool that is not needed, such as /usr/share/dotnet or /opt/ghc.");
}

}  // namespace

std::vector<std::string> cleanup_directories(const config::Cleanup& cleanup) {
  std::vector<std::string> directories;
  if (cleanup.apt) directories.assign(std::begin(kApt), std::end(kApt));
  for (const auto& path : cleanup.paths) {
    if (std::ranges::find(directories, path) == directories.end()) directories.push_back(path);
  }
  return directories;
}

const std::vector<Protected>& engine_directories() {
  static const std::vector<Protected> directories = {{"/var/lib/docker", "the Docker engine's state"},
                                                     {"/var/lib/containerd", "containerd's state"},
                                                     {"/var/lib/buildkit", "BuildKit's state"},
                                                     {"/var/lib/buildkitd", "BuildKit's state"},
                                                     {"/var/lib/containers", "the images of other tools"},
                                                     {"/var/lib/kubelet", "the state of a cluster's node"}};
  return directories;
}

Result<void> check_cleanup_path(std::string_view path, const std::vector<Protected>& others) {
  const auto parts = split(path, '/');  // the first is empty
  if (parts.size() < 3) return refuse(path, "a root of the system");
  if (parts.size() == 3 && parts[1] == "home") return refuse(path, "somebody's home");
  if (std::ranges::find(kRoots, path) != std::end(kRoots)) return refuse(path, "a root of the system");
  for (const auto tree : kTrees) {
    if (holds(tree, path)) return refuse(path, concat("in ", tree, ", which the system needs"));
  }
  for (const auto* list : {&engine_directories(), &others}) {
    for (const auto& each : *list) {
      if (each.path.empty()) continue;
      if (path == each.path || holds(path, each.path)) return refuse(path, concat("which is or holds ", each.what));
      if (each.content_too && holds(each.path, path)) return refuse(path, concat("in ", each.what));
    }
  }
  return {};
}

bool is_engine_state(const std::vector<std::string>& names) {
  constexpr std::string_view kSigns[] = {"engine-id", "buildkitd.lock",    "buildkit",
                                         "overlay2",  "containerdmeta.db", "metadata_v2.db"};
  return std::ranges::any_of(names, [&](const std::string& name) {
    return name.starts_with("io.containerd.") || std::ranges::find(kSigns, name) != std::end(kSigns);
  });
}

}  // namespace crategate::pipeline
