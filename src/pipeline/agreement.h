// A plan beside the settings of a later stage: what was decided once is not decided anew.
#pragma once

#include "base/result.h"
#include "config/settings.h"
#include "pipeline/plan.h"

namespace crategate::pipeline {

/// `fresh`, `cache-write`, `publish` and `version.value`, where they are given, must say what `plan` says. Under pull
/// request rules the first two decide nothing (P-EV-4) and are not compared.
/// Errors: bad_input naming the setting, what the plan says and what was given.
Result<void> require_agreement(const Plan& plan, const config::Configuration& configuration,
                               const config::Invocation& invocation);

}  // namespace crategate::pipeline
