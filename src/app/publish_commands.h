// verify, push, release and report: what works on all cells of a plan; status and recover: what a release left open.
#pragma once

#include <functional>
#include <optional>

#include "app/application.h"
#include "base/result.h"
#include "stages/publication.h"

namespace crategate::app {

Result<void> verify(Application& app);
Result<void> push(Application& app);
Result<void> release(Application& app);
Result<void> status(Application& app);
Result<void> recover(Application& app);
Result<void> report(Application& app);

/// For a dry run: says who has the lease, and when the journal is open and would be settled first. Takes nothing.
/// Errors: of the journal.
Result<std::optional<pipeline::Journal>> last_journal(Application& app, const pipeline::Plan& plan);
/// The gate's verdict; a rebuild that it refuses is forgotten.
/// Errors: those of run_verify.
Result<stages::Evidence> judge_cells(Application& app, const pipeline::Plan& plan, std::vector<pipeline::Cell> cells,
                                     const Secret& key);
/// Refers to the application and to `plan`.
stages::PublishInputs publish_inputs(Application& app, const pipeline::Plan& plan);
/// Errors: of the store and the journal.
Result<stages::PublishServices> publish_services(Application& app, const pipeline::Plan& plan,
                                                 std::function<void(const pipeline::ChangeSet&)> announce);

}  // namespace crategate::app
