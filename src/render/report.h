// What a run did, as a value, and its three faces: terminal, job summary, release.json.
// Belongs here: the report's shape.  Not here: collecting it (stages/report).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/journal.h"
#include "pipeline/plan.h"
#include "pipeline/record.h"
#include "pipeline/tags.h"
#include "render/decisions.h"
#include "render/failure.h"

namespace crategate::render {

enum class StageState : unsigned char { pending, running, passed, failed, skipped, cached };
std::string_view to_string(StageState state);
std::optional<StageState> parse_stage_state(std::string_view text);

struct StageReport {
  StageState state = StageState::pending;
  std::int64_t duration_ms = 0;  ///< 0 = not measured
  bool operator==(const StageReport&) const = default;
};

/// One cell; `cached` = proven by an earlier run of the same plan.
struct CellReport {
  std::string key, image;
  std::vector<std::string> tags;
  StageReport build, scan, test, digest, gate, push;
  std::optional<pipeline::ScanResult> scanned;  ///< also of a cell that has no record
  std::optional<pipeline::TestResult> tests;    ///< also of a cell that has no record because they failed
  std::optional<pipeline::Record> record;       ///< the evidence
  std::optional<oci::Digest> candidate;         ///< what its tags are to name: the tested image, or the rebuilt one
  std::string failure;                          ///< why the cell failed; empty = it did not
};

struct Report {
  pipeline::Plan plan;
  StageReport check, generate;               ///< pending = nothing is known: not shown
  std::vector<CellReport> cells;             ///< in plan order
  std::vector<pipeline::TagMove> published;  ///< version tags, as decided and applied
  std::vector<pipeline::TagMove> moved;      ///< moving tags and the set's, likewise
  pipeline::Windows windows;
  std::string verdict;                  ///< the outcome in a few words: "published 4 images"
  std::string failure;                  ///< of the whole, where no cell is to blame; empty = none
  std::string started_at, finished_at;  ///< RFC 3339, UTC
  std::int64_t duration_ms = 0;
  std::vector<std::string> written;  ///< files and registry names, for "what to look at"
};

/// A report of nothing done yet: a pending cell for each of the plan.
Report begin_report(const pipeline::Plan& plan);

/// One table. `color` adds SGR sequences; columns that do not fit into `width` are left out, then lines are cut;
/// 0 = unlimited.
std::string terminal_table(const Report& report, bool color, std::size_t width);

/// For GITHUB_STEP_SUMMARY; user text cannot form markup, links or mentions.
std::string markdown_summary(const Report& report);

/// release.json, schema 1: version, commit, plan_id, cells with their evidence, `moved` and the windows, and `published`
/// (`image:tag` → the manifest digest that it names at the end).
std::string release_json(const Report& report);

}  // namespace crategate::render
