// Which program reads a Dockerfile: `# syntax=IMAGE` makes BuildKit run that image, with all that the build may see.
// Belongs here: finding the name, and which names are trusted.  Not here: which Dockerfile (stages/build_sources).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace crategate::dockerfile {

/// The image that a Dockerfile names in its leading directives (https://docs.docker.com/build/buildkit/frontend/); in
/// all the forms that BuildKit obeys: `# syntax=`, `// syntax=`, a JSON document. nullopt = BuildKit's own.
std::optional<std::string> find_frontend(std::string_view text);

/// `docker/dockerfile` of Docker Hub in any version, or exactly one of `allowed`.
bool is_trusted_frontend(const std::string& frontend, const std::vector<std::string>& allowed);

}  // namespace crategate::dockerfile
