// What `verify` leaves of an image that it built once more (gate.mode: rebuild): which one it is, and what it holds.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "oci/digest.h"
#include "pipeline/plan.h"
#include "pipeline/record.h"

namespace crategate::pipeline {

struct Rebuilt {
  std::string plan_id, cell;
  oci::Digest manifest_digest, config_digest;
  std::vector<oci::Digest> contents;  ///< as Record::contents
  std::int64_t duration_ms = 0;
  bool operator==(const Rebuilt&) const = default;
};

/// Cell → its image of this plan.
using Rebuilds = std::map<std::string, Rebuilt>;

/// Canonical JSON, schema 1; a line feed ends it.
std::string to_json(const Rebuilt& rebuilt);
/// Errors: bad_input.
Result<Rebuilt> parse_rebuilt(std::string_view text, std::string_view file_name);

/// The cache through which the layers of the tested image reach its rebuild: of this plan and workflow run alone, so that
/// nothing that another run writes can come between. Empty where the cell has no cache, or nothing is published.
std::string rebuild_cache(const Plan& plan, const Cell& cell, const std::string& run);

/// The image of a cell that is to be published: the tested one, or the rebuilt one.
struct Candidate {
  oci::Digest manifest_digest, config_digest;
};
/// nullopt = the cell was not rebuilt.
std::optional<Candidate> candidate_of(const Plan& plan, const Record& record, const Rebuilds& rebuilds);

}  // namespace crategate::pipeline
