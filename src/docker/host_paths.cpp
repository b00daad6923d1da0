#include "docker/host_paths.h"

#include <algorithm>

#include "base/strings.h"
#include "base/version.h"
#include "docker/engine_api.h"

namespace crategate::docker {
namespace {

/// https://docs.docker.com/reference/api/engine/version-history/#v145-api-changes
constexpr std::string_view kApiOfSubpaths = "1.45";

bool is_below(std::string_view path, std::string_view directory) {
  return path.starts_with(directory) && (path.size() == directory.size() || path[directory.size()] == '/');
}

const OwnMount* mount_around(const std::string& path, const OwnContainer& own) {
  const OwnMount* found = nullptr;
  for (const OwnMount& mount : own.mounts) {
    if (!is_below(path, mount.destination)) continue;
    if (found == nullptr || mount.destination.size() > found->destination.size()) found = &mount;
  }
  return found;
}

Failure only_here(const std::string& path, const OwnContainer& own) {
  std::vector<std::string> mounted;
  for (const OwnMount& mount : own.mounts) {
    if (mount.type == kBind || mount.type == kVolume) mounted.push_back(mount.destination);
  }
  return fail(ErrorCode::bad_input,
              concat("mount: expected a path that is mounted into this container, so that the engine can mount it too; "
                     "found ",
                     quoted(path, 200), "; mounted are: ", mounted.empty() ? "none" : join(mounted, ", ")),
              "work in a directory that is mounted (in a workflow GITHUB_WORKSPACE), or mount this one into the "
              "container of crategate");
}

}  // namespace

Result<HostMount> parse_bind(const std::string& bind) {
  const auto parts = split(bind, ':');
  const bool has_mode = parts.size() == 3;
  const bool complete = (parts.size() == 2 || has_mode) && parts[0].starts_with('/') && parts[1].starts_with('/');
  if (!complete || (has_mode && parts[2] != "ro" && parts[2] != "rw")) {
    return fail(ErrorCode::bad_input,
                concat("mount: expected /host/path:/container/path[:ro|:rw], found ", quoted(bind)),
                "give both paths from the root; a path cannot contain a colon");
  }
  return HostMount{.source = parts[0], .target = parts[1], .read_only = has_mode && parts[2] == "ro"};
}

Result<HostMount> to_host(HostMount mount, const std::optional<OwnContainer>& own) {
  if (!own) return mount;
  const OwnMount* const around = mount_around(mount.source, *own);
  if (around == nullptr || (around->type != kBind && around->type != kVolume)) return only_here(mount.source, *own);
  const std::string rest = mount.source.substr(around->destination.size());  // empty, or begins with '/'
  mount.type = around->type;
  mount.read_only = mount.read_only || !around->writable;
  if (around->type == kVolume) {
    mount.source = around->name;
    mount.subpath = rest.empty() ? rest : rest.substr(1);
  } else {
    mount.source = around->source == "/" && !rest.empty() ? rest : around->source + rest;
  }
  return mount;
}

Result<std::string> api_version_for(const std::vector<HostMount>& mounts, EngineApi& api) {
  const auto subpath = std::ranges::find_if(mounts, [](const HostMount& mount) { return !mount.subpath.empty(); });
  if (subpath == mounts.end()) return std::string();
  CG_TRY(const EngineInfo info, api.info());
  const auto enough = compare_dotted(info.api_version, kApiOfSubpaths);
  if (enough && *enough >= 0) return std::string(kApiOfSubpaths);
  return fail(ErrorCode::engine,
              concat("the Docker engine speaks API ", quoted(info.api_version), ", expected at least ", kApiOfSubpaths,
                     " to mount ", quoted(subpath->subpath, 200), " of the volume ", quoted(subpath->source)),
              "update the Docker engine to 26.0 or newer, mount the whole workspace, or give the workspace to this "
              "container as a bind mount");
}

}  // namespace crategate::docker
