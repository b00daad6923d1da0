// Plans, verdicts, scans and change sets for people.
// Belongs here: pure decisions as text and Markdown.  Not here: what a run did (report).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pipeline/gate.h"
#include "pipeline/plan.h"
#include "pipeline/policy.h"
#include "pipeline/release_protocol.h"
#include "pipeline/scan.h"
#include "pipeline/tags.h"

namespace crategate::render {

/// The row of the policy table in force, its reasons and warnings; lines of text.
std::string policy_table(const pipeline::Policy& policy);
/// That row as an object with the names of the outputs of `plan`.
std::string policy_json(const pipeline::Policy& policy);
/// The same under the plan's facts, with its cells below.
std::string policy_table(const pipeline::Plan& plan);
/// The plan for the job summary.
std::string plan_summary_markdown(const pipeline::Plan& plan);

/// A line for each cell; under a refused one what was expected, what was found and the remedy.
std::string gate_table(const pipeline::Verdict& verdict);
std::string gate_markdown(const pipeline::Verdict& verdict);
/// `{"admitted", "cells": [{"cell", "admitted", "findings": [{"reason", "expected", "found", "remedy"}]}]}`
std::string gate_json(const pipeline::Verdict& verdict);

/// The worst findings, a line each, and what they come to. `more`: where the rest is to be read.
std::string scan_table(const pipeline::ScanResult& result, const std::vector<pipeline::ScanFinding>& findings,
                       const std::string& more);
std::string scan_markdown(const pipeline::ScanResult& result, const std::vector<pipeline::ScanFinding>& findings,
                          const std::string& more);

/// A line for each tag, in order: `PUT host/repo:tag sha256:… (was sha256:…)`, `(was absent)`, or
/// `KEEP host/repo:tag sha256:… (why)`.
std::string change_set_text(const pipeline::ChangeSet& change_set);
/// How long tags were unprotected and mixed, one line; empty where no tag was written.
std::string windows_text(const pipeline::Windows& windows);

/// What a release has done so far; `where`: its journal, for people.
struct ReleaseStatus {
  std::optional<pipeline::Journal> journal;
  std::vector<pipeline::protocol::Seen> seen;  ///< of each of its moves
  std::string where;
};
std::string status_text(const ReleaseStatus& status);
/// `{"journal", "state", "version", …, "tags": [{"name", "place", "before", "now", "after"}]}`
std::string status_json(const ReleaseStatus& status);
/// What `recover` would write, a line for each tag as change_set_text; `DELETE` for a tag that was not there before.
std::string recovery_text(const ReleaseStatus& status, bool back);

/// `[{"name", "from", "to", "needed", "note"}]`, in order.
std::string change_set_json(const pipeline::ChangeSet& change_set);

}  // namespace crategate::render
