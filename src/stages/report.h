// report: everything a plan's stages left behind → one table, the job summary, release.json.
#pragma once

#include <string>

#include "actions/workflow.h"
#include "base/result.h"
#include "config/configuration.h"
#include "registry/client.h"
#include "render/report.h"
#include "stages/journal_store.h"
#include "stages/workspace.h"

namespace crategate::stages {

struct ReportInputs {
  const config::Configuration& configuration;
  const pipeline::Plan& plan;
  Workspace workspace;
  std::string today;  ///< YYYYMMDD, for dated tags
  /// Asked, with the reader, only where a tag names something else than what was tested; null = never.
  JournalStore* journal = nullptr;
};

/// What is known of the plan: results, records, and what its tags name now. Without a reader nothing is asked, and a
/// tag names what this plan last moved it to. Read-only.
/// A tag that names something else was kept there on purpose, was undone, was moved since, or is not written.
/// A record of another plan is not shown; an unreadable one is the cell's failure.
/// Errors: registry errors.
Result<render::Report> collect_report(const ReportInputs& in, const sys::FileSystem& files,
                                      registry::RegistryReader* reader);

/// Effects: writes release.json into the state directory and the job summary.
Result<void> publish_report(const render::Report& report, const Workspace& workspace, sys::FileSystem& files,
                            actions::Workflow& workflow);

}  // namespace crategate::stages
