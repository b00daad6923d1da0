// Container packages (https://docs.github.com/rest/packages/packages): what GitHub keeps behind the tags of ghcr.io, which
// its registry itself does not delete.
// Belongs here: a role of its own, so that a command that removes versions can do nothing else.  Not here: which of them go
// (stages/prune_ci_image), requests (session).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "oci/reference.h"

namespace crategate::github {

struct ContainerPackage {
  std::string owner;
  std::string name;  ///< may have slashes
  bool of_organisation = false;
  std::string text() const { return owner + "/" + name; }
};

/// A manifest, with all tags that name it.
struct PackageVersion {
  std::int64_t id = 0;
  std::string digest;
  std::vector<std::string> tags;
};

class PackageClient {
 public:
  virtual ~PackageClient() = default;
  /// The package that holds `images`. nullopt = their registry is not that of the GitHub that is asked; then nothing is.
  /// Errors: not_found for an owner that GitHub does not know.
  virtual Result<std::optional<ContainerPackage>> container_package(const oci::Repository& images) = 0;
  virtual Result<std::vector<PackageVersion>> package_versions(const ContainerPackage& package) = 0;
  /// nullopt = it is not there, or not any more.
  virtual Result<std::optional<PackageVersion>> package_version(const ContainerPackage& package, std::int64_t id) = 0;
  /// With all its tags. GitHub keeps the last tagged version of a package, and one of a public package with many downloads.
  virtual Result<void> delete_package_version(const ContainerPackage& package, std::int64_t id) = 0;
};

}  // namespace crategate::github
