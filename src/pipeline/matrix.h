// Axes → combinations: the product, less `exclude`, plus `include`.
// Belongs here: which cells there are.  Not here: how they are called (names).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/configuration.h"

namespace crategate::pipeline {

using AxisValues = std::map<std::string, std::vector<std::string>>;

struct Matrix {
  std::vector<config::Combination> combinations;  ///< the first axis varies slowest; `include` last
  std::vector<std::string> warnings;              ///< `exclude` items that match nothing
};

/// Errors: bad_input for an axis without values, a malformed value, an unknown axis in `exclude` or `include`, an
/// `include` item that leaves an axis out, no combination at all, more than 256 (kMatrixLimit) without `shards`.
Result<Matrix> compute_matrix(const AxisValues& values, const config::Configuration& configuration);

/// The combinations that `only` (`axis=value`; values of one axis are alternatives) selects.
/// Errors: bad_input for an item of another form, an unknown axis, or a value that no combination has.
Result<std::vector<config::Combination>> select_only(const std::vector<config::Combination>& combinations,
                                                     const std::vector<std::string>& only);

}  // namespace crategate::pipeline
