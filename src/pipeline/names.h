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

/// The reference of the release set at the destination; without a tag `latest`. Empty for no pattern.
/// Errors: bad_input naming the setting, as above.
Result<std::string> name_set(const std::string& pattern, const Naming& naming);

/// Errors: bad_input for two cells with one key, Dockerfile, log or cache.
Result<void> check_unique(const std::vector<Cell>& cells);

}  // namespace crategate::pipeline
