// The docker command line's config.json
// (https://docs.docker.com/reference/cli/docker/login/#credential-stores).
// Belongs here: text → logins and names of credential helpers.  Not here: where the file is, running the helpers.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "registry/credentials.h"

namespace crategate::registry {

/// Registries are named as references name them: Docker Hub is `docker.io`, whatever its key in the file is.
struct DockerConfig {
  std::map<std::string, Credentials> logins;   ///< `auths`
  std::map<std::string, std::string> helpers;  ///< `credHelpers`; an empty one = the login is in the file
  std::string store;                           ///< `credsStore`
  /// The helper that keeps the login for `registry`: its own, else the one for all; empty = the file itself.
  std::string helper_for(const std::string& registry) const;
  /// What the file itself holds.
  std::optional<Credentials> login_for(const std::string& registry) const;
};

/// Errors: bad_input, quoting no value.
Result<DockerConfig> parse_docker_config(std::string_view text, std::string_view file_name);

}  // namespace crategate::registry
