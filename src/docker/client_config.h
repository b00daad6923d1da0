// The configuration that docker and buildx get from us: DOCKER_CONFIG and BUILDX_CONFIG.
// Belongs here: a login that only our children see.  Not here: our own requests to registries (registry/client).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "sys/environment.h"
#include "sys/private_directory.h"
#include "sys/process.h"

namespace crategate::docker {

/// Of the invocation; an empty user name is none.
struct RegistryLogin {
  std::string registry;
  std::string username;
  Secret password;
};

/// `existing` (config.json; empty = none) with the login in it, past any credential helper. `name` is for messages.
/// Errors: bad_input.
Result<std::string> config_with_login(std::string_view existing, const RegistryLogin& login,
                                      std::string name = "config.json");

/// A directory of our own, made when a build first needs it and gone with this object (A82): it holds the login, and
/// links to plugins and contexts of the user's own configuration; and what buildx remembers, where that has no place.
class ClientConfig {
 public:
  /// `workspace`: where the directory may not be; nor is it where other steps of a workflow look.
  ClientConfig(const sys::Environment& environment, sys::Path workspace, RegistryLogin login)
      : environment_(environment), workspace_(std::move(workspace)), login_(std::move(login)) {}
  /// What a child's environment gets besides. Without `with_login` no login is written, and the user's own
  /// configuration counts.
  /// Errors: bad_input (the user's config.json), no_space, internal.
  Result<std::map<std::string, std::string>> variables(bool with_login);

 private:
  Result<const sys::PrivateDirectory*> directory();
  Result<void> write_login(const sys::PrivateDirectory& made);
  sys::Path users_own() const;
  std::string buildx_state() const;
  const sys::Environment& environment_;
  sys::Path workspace_;
  RegistryLogin login_;
  std::optional<sys::PrivateDirectory> made_;
  bool written_ = false;
};

}  // namespace crategate::docker
