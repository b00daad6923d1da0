// Credential helpers of the docker command line, as processes
// (https://github.com/docker/docker-credential-helpers#development).
// Belongs here: asking one for a login, and the order of everything that config.json names.  Not here: the file's
// grammar (docker_config).
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "registry/docker_config.h"
#include "sys/environment.h"
#include "sys/file_system.h"
#include "sys/process.h"

namespace crategate::registry {

class CredentialHelpers {
 public:
  /// `workspace`: helpers below it are not run in a job of a workflow (A72).
  CredentialHelpers(sys::ProcessRunner& processes, const sys::Environment& environment, sys::Path workspace)
      : processes_(processes), environment_(environment), workspace_(std::move(workspace)) {}
  /// Runs `docker-credential-NAME get`, at most 30 s. nullopt = it knows no login for `registry`.
  ///
  /// Effects:  process
  /// Errors:   unauthenticated, naming helper and registry; not_found when PATH has no such helper; bad_input for a
  ///           name that is none
  Result<std::optional<Credentials>> ask(const std::string& name, const std::string& registry) const;

 private:
  sys::ProcessRunner& processes_;
  const sys::Environment& environment_;
  sys::Path workspace_;
};

/// As docker does: the helper for this registry, the helper for all, the file itself. A helper that says it knows no
/// login has the last word; one that is not installed leaves it to the file, if there is a login in it.
/// Errors: as CredentialHelpers::ask, but a missing helper is unauthenticated.
Result<std::optional<Credentials>> find_login(const DockerConfig& config, const CredentialHelpers& helpers,
                                              const std::string& registry);

}  // namespace crategate::registry
