// A combination of axis values → a cell with all its names, checked.
// Belongs here: patterns, the reference grammar, the registry of a destination.  Not here: which cells there are
// (matrix).
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "config/configuration.h"
#include "pipeline/plan.h"

namespace crategate::pipeline {

struct Naming {
  std::string version;
  Destination destination;
  bool dated = false;  ///< leave room for `-YYYYMMDD` behind each tag
};

/// Errors: bad_input naming the setting for an unknown placeholder, a name outside the reference grammar, a tag above
/// 128 characters, a path that leaves the workspace, a variable with two values.
Result<Cell> name_cell(const config::Combination& axes, const Naming& naming,
                       const config::Configuration& configuration);

/// Errors: bad_input for two cells with one key, image:tag, Dockerfile, log or cache, and for a tag that is also a
/// moving tag.
Result<void> check_unique(const std::vector<Cell>& cells, const std::vector<std::string>& moving);

}  // namespace crategate::pipeline
