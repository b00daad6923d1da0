// Bind mounts as the engine's machine knows them.
// Belongs here: a path of this process → a mount of the engine.  Not here: which container this is (own_container).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "docker/engine.h"

namespace crategate::docker {

class EngineApi;

inline constexpr std::string_view kBind = "bind", kVolume = "volume";

/// A mount in the engine's words.
struct HostMount {
  std::string type = std::string(kBind);
  std::string source;   ///< path on the engine's machine, or name of a volume
  std::string subpath;  ///< in the volume
  std::string target;
  bool read_only = false;
  bool operator==(const HostMount&) const = default;
};

/// `/host:/container[:ro|:rw]`.
/// Errors: bad_input.
Result<HostMount> parse_bind(const std::string& bind);

/// The same mount from outside of the container `own`, whose longest mount around it counts; what is mounted read-only
/// there is read-only here. Without `own` nothing changes.
///
/// Errors: bad_input for a path that only `own` itself has, with what is mounted in it
Result<HostMount> to_host(HostMount mount, const std::optional<OwnContainer>& own);

/// The version of the API that `mounts` need; empty = any.
/// Errors: engine when it is too old for a folder of a volume.
Result<std::string> api_version_for(const std::vector<HostMount>& mounts, EngineApi& api);

}  // namespace crategate::docker
