// Says which invariants of an all-or-nothing release a history breaks.
// Belongs here: what must never be seen in a registry.  Not here: the protocol; the judge knows nothing of it.
//
// I1 no tag ever names what was not verified.  I2 a version tag of a release that is done never changes.  I3 no tag is
// written that a durable open journal does not name.  I4 who ends with 0 leaves every tag new.  I5 who closes the
// journal leaves all moving tags new or all old, and never a rank above one that is not in place.  I6 no moving tag
// goes to a lower version.
#pragma once

#include <string>
#include <vector>

#include "simulation/history.h"

namespace crategate::simulation {

struct Circumstances {
  bool alone = true;       ///< one run after the other; I4 to I6 promise nothing to runs that share no lease
  bool no_delete = false;  ///< a new tag may stay behind
};

/// `I3: run 1 wrote …`, in the order of the history; empty = none is broken. What a person wrote is not judged.
std::vector<std::string> judge(const Scene& scene, const History& history, const Circumstances& circumstances = {});

}  // namespace crategate::simulation
