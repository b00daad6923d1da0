// The gate: is what is about to be published what was tested? A value: admit, or refuse with reasons.
// "Could not find out" is an Error of the caller, never a verdict.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.h"
#include "oci/image_config.h"
#include "oci/manifest.h"
#include "pipeline/gate_reason.h"
#include "pipeline/plan.h"
#include "pipeline/record.h"

namespace crategate::pipeline {

struct Finding {
  Reason reason;
  std::string cell;
  std::string expected, found;
  std::string remedy;
  std::vector<std::string> details;  ///< what differs, a line each, as far as it is known
};

/// The candidate as the registry (or layout) serves it now, every byte checked against its digest.
struct ObservedImage {
  oci::Digest manifest_digest;
  std::uint64_t manifest_size = 0;
  oci::Manifest manifest;
  oci::ImageConfig config;                 ///< bytes hash to manifest.config.digest
  std::optional<oci::ImageConfig> tested;  ///< the record's, where that is another one and still there
  std::vector<oci::Digest> contents;       ///< of a rebuilt image: what each layer holds
};

/// What a cell's evidence has to come up to besides the plan.
struct Demands {
  std::vector<std::string> ignore_labels;
  std::string run, attempt;  ///< of the workflow: of this run, and of no later attempt; empty = not in a workflow
  Secret key;                ///< that records are signed with; empty = a signature counts for nothing
};

struct CellVerdict {
  std::string cell;
  bool admitted = false;
  std::vector<Finding> findings;
};

/// Judges one cell: whether the candidate is the tested image itself or, where the plan rebuilds, one that has in common
/// with it what plan.rebuild asks for. `record` empty = missing; `observed` empty = the registry said it does not know the
/// candidate, or `no_image` says what it has instead. Of a record without the signature that is demanded nothing else is
/// judged.
CellVerdict judge(const Plan& plan, const Cell& cell, const std::optional<Record>& record,
                  const std::optional<ObservedImage>& observed, const Demands& demands, std::string_view no_image = {});

/// What there is to say before any image is looked at; no finding = the record stands.
CellVerdict judge_record(const Plan& plan, const Cell& cell, const Record& record, const Demands& demands);

/// The file beside the record, which shell pipelines read: exactly the record's layer text value and a line feed.
/// `text` empty = there is none.
std::optional<Finding> judge_digest_text(const Record& record, const std::optional<std::string>& text);

struct Verdict {
  std::vector<CellVerdict> cells;  ///< one per planned cell, in plan order
  bool admitted() const;           ///< every planned cell, and at least one
};

}  // namespace crategate::pipeline
