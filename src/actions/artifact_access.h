// What a job is told about the artifact service: address, token, and the ids inside the token.
// Belongs here: environment → values.  Not here: requests.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "base/secret.h"
#include "net/http.h"
#include "sys/environment.h"

namespace crategate::actions {

/// Whose artifacts they are, as the service counts; not the run id that people see.
struct BackendIds {
  std::string run, job;
  bool operator==(const BackendIds&) const = default;
};

/// Reads the claims of a token and trusts nothing in it: the ids only go back to the service that issued it.
/// Errors: artifact_service; never with a part of the token.
Result<BackendIds> read_backend_ids(const Secret& token);

struct ArtifactAccess {
  net::Url service;  ///< origin; the path is ours
  Secret token;
  BackendIds ids;
  std::optional<unsigned> retention_limit;  ///< days
  bool is_act = false;                      ///< a local runner whose service keeps other rules (docs/artifacts.md)
};

/// Errors: artifact_service when the runner gave no address or token; bad_input for an address that is neither https
/// nor of this machine.
Result<ArtifactAccess> read_artifact_access(const sys::Environment& environment);

}  // namespace crategate::actions
