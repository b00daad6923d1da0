// Plans, verdicts, scans and change sets for people.
// Belongs here: pure decisions as text and Markdown.  Not here: what a run did (report).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pipeline/change_set.h"
#include "pipeline/gate.h"
#include "pipeline/lease.h"
#include "pipeline/plan.h"
#include "pipeline/policy.h"
#include "pipeline/release_protocol.h"
#include "pipeline/scan.h"

namespace crategate::render {

/// The row of the policy table in force, its reasons and warnings; lines of text.
std::string policy_table(const pipeline::Policy& policy);
/// That row as an object with the names of the outputs of `plan`.
std::string policy_json(const pipeline::Policy& policy);
/// The same under the plan's facts, with its cells below.
std::string policy_table(const pipeline::Plan& plan);
/// The plan for the job summary.
std::string plan_summary_markdown(const pipeline::Plan& plan);

/// A line for each cell; under a refused one what was expected, what was found, the remedy and where to read more.
std::string gate_table(const pipeline::Verdict& verdict);
std::string gate_markdown(const pipeline::Verdict& verdict);
/// `{"admitted", "cells": [{"cell", "admitted", "findings": [{"reason", "expected", "found", "details",
/// "remedy", "help"}]}]}`
std::string gate_json(const pipeline::Verdict& verdict);

/// The worst findings, a line each, and what they come to. `more`: where the rest is to be read.
std::string scan_table(const pipeline::ScanResult& result, const std::vector<pipeline::ScanFinding>& findings,
                       const std::string& more);
std::string scan_markdown(const pipeline::ScanResult& result, const std::vector<pipeline::ScanFinding>& findings,
                          const std::string& more);

/// A line for each write, in order: `COPY host/repo@sha256:… (from host/repo)`, `JOURNAL place`, and for each tag
/// `PUT host/repo:tag sha256:… (was sha256:…)`, `(was absent)`, or `KEEP host/repo:tag sha256:… (why)`.
/// `journal`: where it lies, for people.
std::string change_set_text(const pipeline::ChangeSet& change_set, const std::string& journal);
/// How long tags were unprotected and mixed, one line; empty where no tag was written.
std::string windows_text(const pipeline::Windows& windows);

/// What a release has done so far; `where`: its journal, for people.
struct ReleaseStatus {
  std::optional<pipeline::Journal> journal;
  std::vector<pipeline::protocol::Seen> seen;  ///< of each of its moves
  std::string where;
  std::optional<pipeline::SeenLease> lease;  ///< nullopt: none is kept
};
std::string status_text(const ReleaseStatus& status);
/// `{"journal", "lease": {"state", "holder", "until"}, "state", "version", …, "tags": [{"name", "place", "before", "now",
/// "after"}]}`
std::string status_json(const ReleaseStatus& status);
/// What `recover` would write, a line for each tag as change_set_text; `DELETE` for a tag that was not there before.
std::string recovery_text(const ReleaseStatus& status, bool back);
/// As status_json, with `outcome` (`planned` or `nothing`), `direction`, and for each tag its `action`.
std::string recovery_json(const ReleaseStatus& status, bool back);
/// What `recover` has done, with a line for each tag that stays though it is undone. nullopt = nothing was left open.
std::string recovered_text(const std::optional<ReleaseStatus>& status, bool back);
/// As recovery_json, with `outcome` (`finished`, `undone` or `nothing`) and no actions.
std::string recovered_json(const std::optional<ReleaseStatus>& status, const std::string& where, bool back);

/// `[{"name", "from", "to", "needed", "note"}]`, in order; a copy's name is `repository@digest`.
std::string change_set_json(const pipeline::ChangeSet& change_set);

}  // namespace crategate::render
