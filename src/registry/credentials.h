// What a person or a credential helper gives us for one registry.
// Belongs here: the values.  Not here: where they are kept (docker_config, credential_helper), what is made of them
// (authorization, token).
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/secret.h"

namespace crategate::registry {

struct Credentials {
  std::string username;
  Secret password;
  Secret identity_token{};  ///< exchanged for tokens at the realm, instead of user name and password
  Secret registry_token{};  ///< a token for the registry itself, used as it is
  bool empty() const { return username.empty() && identity_token.empty() && registry_token.empty(); }
};

/// The login for a registry in normal form (`docker.io`); nullopt = anonymous.
/// Errors: bad_input for a configuration that cannot be read; unauthenticated where a credential helper fails.
using CredentialSource = std::function<Result<std::optional<Credentials>>(const std::string& registry)>;

/// True when both stand for the same login.
bool same_login(const std::optional<Credentials>& one, const std::optional<Credentials>& other);

}  // namespace crategate::registry
