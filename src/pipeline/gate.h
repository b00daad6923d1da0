// The gate: is what is about to be published what was tested? A value: admit, or refuse with reasons.
// "Could not find out" is an Error of the caller, never a verdict.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "oci/image_config.h"
#include "oci/manifest.h"
#include "pipeline/plan.h"
#include "pipeline/record.h"

namespace crategate::pipeline {

/// Stable ids (docs/stages/verify.md).
enum class Reason : unsigned char {
  record_missing,
  record_unreadable,
  record_foreign,
  tests_not_passed,
  scan_not_passed,
  candidate_missing,
  candidate_swapped,
  config_differs,
  layer_differs,
  platform_differs,
  empty_evidence,
};
std::string_view to_string(Reason reason);  ///< `record-missing`

struct Finding {
  Reason reason;
  std::string cell;
  std::string expected, found;
  std::string remedy;
};

/// The candidate as the registry (or layout) serves it now, every byte checked against its digest.
struct ObservedImage {
  oci::Digest manifest_digest;
  oci::Manifest manifest;
  oci::ImageConfig config;  ///< bytes hash to manifest.config.digest
};

struct CellVerdict {
  std::string cell;
  bool admitted = false;
  std::vector<Finding> findings;
};

/// Judges one cell. `run`: the workflow run that records must come from (any attempt of it); empty = not in a workflow.
/// `record` empty = missing; `observed` empty = the registry said it does not know the candidate.
CellVerdict judge(const Plan& plan, const Cell& cell, const std::optional<Record>& record,
                  const std::optional<ObservedImage>& observed, const std::vector<std::string>& ignore_labels,
                  std::string_view run = {});

struct Verdict {
  std::vector<CellVerdict> cells;  ///< one per planned cell, in plan order
  bool admitted() const;           ///< every planned cell, and at least one
};

}  // namespace crategate::pipeline
