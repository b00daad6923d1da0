// verify: the gate over all cells of the plan, read-only by type.
#pragma once

#include "base/result.h"
#include "base/secret.h"
#include "config/configuration.h"
#include "pipeline/gate.h"
#include "registry/client.h"
#include "stages/evidence.h"
#include "stages/workspace.h"

namespace crategate::stages {

struct VerifyInputs {
  const config::Configuration& configuration;
  const pipeline::Plan& plan;
  std::vector<pipeline::Cell> cells;  ///< all of the plan, or the one asked for
  Workspace workspace;
  std::string run;        ///< of the workflow; empty outside one
  std::string attempt{};  ///< of that run
  Secret key{};           ///< that records must be signed with; empty = they need not be
};

struct VerifyServices {
  const sys::FileSystem& files;
  registry::RegistryReader& reader;  ///< of candidates
};

/// A verdict, whatever it is; `require_admitted` makes a refusal an error.
/// Errors: registry errors.
Result<Evidence> run_verify(const VerifyInputs& in, const VerifyServices& svc);

}  // namespace crategate::stages
