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
#include "pipeline/rebuilt.h"
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

/// What a cell has left in the state directory; nullopt = no such file.
struct LeftByCell {
  Result<std::optional<pipeline::Record>> record;
  Result<std::optional<std::string>> digest_text;  ///< whole
  /// nullptr = none that can be read.
  const pipeline::Record* readable() const { return record && *record ? &**record : nullptr; }
};
using Records = std::vector<LeftByCell>;
/// Errors: interrupted, terminated.
Result<Records> load_records(const sys::FileSystem& files, const Workspace& workspace,
                             const std::vector<pipeline::Cell>& cells);

/// Where the candidate must be: the plan's repository, its digest. A record cannot point elsewhere.
/// Errors: bad_input.
Result<oci::Reference> candidate_reference(const pipeline::Cell& cell, const pipeline::Candidate& candidate);

/// `records`, `rebuilds`: of `cells`; the candidates of those that exist are read, each manifest and configuration at
/// once. Read-only.
/// Errors: registry errors ("could not find out"); a bad record is a finding, never an error.
Result<Evidence> gather_evidence(const pipeline::Plan& plan, const std::vector<pipeline::Cell>& cells,
                                 const Records& records, const pipeline::Rebuilds& rebuilds,
                                 const pipeline::Demands& demands, registry::RegistryReader& reader);

/// Success, or gate_refused with the first finding (and how many more there are).
Result<void> require_admitted(const pipeline::Verdict& verdict);

}  // namespace crategate::stages
