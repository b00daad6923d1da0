// The evidence of a whole plan: every cell's record and candidate, judged. Shared by verify, push and release.
// Belongs here: gathering facts.  Not here: what "the same image" means (pipeline/gate).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "pipeline/gate.h"
#include "pipeline/plan.h"
#include "registry/client.h"
#include "stages/workspace.h"

namespace crategate::stages {

/// A candidate that passed the gate, with the bytes to publish.
struct Admitted {
  oci::Reference candidate;
  std::string manifest_bytes;
  oci::Manifest manifest;
  oci::Digest digest = oci::Digest::of("");
};

struct Evidence {
  pipeline::Verdict verdict;
  std::map<std::string, Admitted> admitted;  ///< cell → candidate
};

/// `run`: of the workflow, empty outside one. Records first (all of them), then the candidates of those that exist.
/// Read-only.
/// Errors: registry errors ("could not find out"); a bad record is a finding, never an error.
Result<Evidence> gather_evidence(const pipeline::Plan& plan, const std::vector<pipeline::Cell>& cells,
                                 const Workspace& workspace, const std::vector<std::string>& ignore_labels,
                                 const sys::FileSystem& files, registry::RegistryReader& reader,
                                 const std::string& run);

/// Success, or gate_refused with the first finding (and how many more there are).
Result<void> require_admitted(const pipeline::Verdict& verdict);

}  // namespace crategate::stages
