// What a command takes from earlier jobs before it works, and gives to later ones after it has.
// Belongs here: when.  Not here: which files (stages/hand_over).
#pragma once

#include <vector>

#include "app/application.h"
#include "base/result.h"
#include "stages/hand_over.h"

namespace crategate::app {

// Where stages share a state directory all of these do nothing: its files are already where they are needed.

/// Errors: artifact_service, integrity. Then nothing may be decided: what is there may be of another attempt.
Result<void> take(Application& app, const std::vector<stages::Bundle>& bundles);
/// Errors: artifact_service: a later job would miss it.
Result<void> give(Application& app, const stages::Bundle& bundle);
/// And its digest as the output `artifact_digest`, which later jobs hold against what they take.
Result<void> give_bound(Application& app, const stages::Bundle& bundle);
/// Also after a failure or a cancellation, then within the runner's grace time: a few seconds, and no more after the
/// first that fails. That it fails is a warning only: it must not hide why the command failed.
void give_always(Application& app, const stages::Bundle& bundle);
/// All that a whole pipeline leaves. After one that succeeded, what cannot be given is an error; after a failure a
/// warning.
Result<void> give_all(Application& app, const pipeline::Plan& plan, bool succeeded);
/// Before evidence is made anew.
Result<void> withdraw(Application& app, const stages::Bundle& bundle);

}  // namespace crategate::app
