// The login of each registry, asked for once: a credential helper is a process.
// Belongs here: what was found and when.  Not here: where logins come from (a CredentialSource).
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "registry/credentials.h"
#include "sys/clock.h"

namespace crategate::registry {

/// Thread-safe; whoever asks at the same time waits for the one answer.
class Logins {
 public:
  Logins(CredentialSource source, sys::Clock& clock) : source_(std::move(source)), clock_(clock) {}
  /// Errors: as the source, the same for everybody.
  Result<std::optional<Credentials>> get(const std::string& registry);
  /// After a refusal: asked anew unless that was done within the last minute. A helper's password may have ended.
  Result<std::optional<Credentials>> again(const std::string& registry);
  /// Of what has been found so far; nothing is asked. Empty = anonymous.
  std::string user(const std::string& registry) const;

 private:
  struct Found {
    Result<std::optional<Credentials>> login;
    sys::Instant at;
  };
  const Found& ask(const std::string& registry);
  CredentialSource source_;
  sys::Clock& clock_;
  std::mutex asking_;         ///< held while the source is asked
  mutable std::mutex mutex_;  ///< of `found_`, held for moments
  std::map<std::string, Found> found_;
};

}  // namespace crategate::registry
