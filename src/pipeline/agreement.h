// A plan beside the settings of a later stage: what was decided once is not decided anew.
#pragma once

#include "base/result.h"
#include "config/settings.h"
#include "pipeline/plan.h"

namespace crategate::pipeline {

/// True for the settings that only `plan` reads: what they say is in the plan.
bool is_decided_by_plan(const config::Setting& setting);

/// `fresh`, `cache-write`, `publish`, `version.value` and `to`, where they are given, must say what `plan` says. Under
/// pull request rules the first two decide nothing (P-EV-4) and are not compared. Other settings that the plan decides
/// are refused on the command line; as inputs they may be the same for all stages of a workflow.
/// Errors: bad_input naming the setting, what the plan says and what was given.
Result<void> require_agreement(const Plan& plan, const config::Loaded& loaded);

}  // namespace crategate::pipeline
