// Whether a build could read its cache.
// Belongs here: BuildKit's lines → the reason.  Not here: what is said about it (stages/build).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace crategate::docker {

/// Takes a build's lines of plain progress, in order. BuildKit shows a cache that it cannot read as a failed step of
/// its own and builds on without it.
class CacheImport {
 public:
  /// The reason, when this line says that the cache could not be read; once a build.
  std::optional<std::string> add(std::string_view line);

 private:
  std::string step_;  ///< `#4` of the step that reads the cache
  bool failed_ = false;
};

}  // namespace crategate::docker
