// What a registry's error answers mean
// (https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#error-codes).
// Belongs here: answer → Error.  Not here: retrying.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "net/http.h"
#include "oci/reference.h"

namespace crategate::registry {

/// The first error of an answer's `errors` list; empty code = there is none.
struct RegistryMessage {
  std::string code, text;
};
RegistryMessage registry_message(const net::Response& response);

/// Who asked for what; stands in every error.
struct Asked {
  std::string method;
  net::Url url;
  oci::Repository repository;
  std::string scope;  ///< "pull" or "pull,push"
  std::string user;   ///< empty = anonymous
};

/// The error for an answer that is no success.
///
/// Returns:  unauthenticated 401 · forbidden 403, 405 · not_found 404 · conflict 409 and immutable tags · bad_input 413 and
///           other 4xx · rate_limited 429 · integrity where the registry finds content wrong or missing ·
///           unavailable 5xx, 408 and answers that are not a registry's
Error registry_failure(const Asked& asked, const net::Response& response);

/// The error when nobody answered, with the same frame.
Error no_answer(const Asked& asked, Error error);

/// What to do where a login is missing, or was refused. `scope`: what it was wanted for, "pull" or "repository:a/b:pull,push".
std::string login_hint(const std::string& registry, std::string_view scope, bool has_login);

/// True for a 404 that a registry itself gave: anything else (a proxy's page) proves nothing about the content.
bool is_registry_404(const net::Response& response);

}  // namespace crategate::registry
