// Trees → typed configuration.
// Belongs here: which keys exist and what their values must be.  Not here: where a tree came from (load).
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/configuration.h"
#include "config/node.h"
#include "config/settings.h"

namespace crategate::config {

/// The tree of a project file. Absent members keep their defaults; unknown ones are refused.
Result<Configuration> decode_configuration(const Node& root);
/// The tree of the settings that are about one invocation.
Result<Invocation> decode_invocation(const Node& root);

/// `axes:`; every form of it.
Result<std::vector<Axis>> decode_axes(const Node& node, std::string_view path);
/// `exclude:` and `include:`: axis → value maps.
Result<std::vector<Combination>> decode_combinations(const Node& node, std::string_view path);
/// Every axis that `combinations` name exists; with `values_too`, so does every value of an axis listed in place.
Result<> check_combinations(const Node& root, std::string_view key, const std::vector<Axis>& axes, bool values_too);
/// `policy:`. A pull request can be given nothing that lets it push or cache.
Result<std::map<std::string, EventPolicy>> decode_policy(const Node& node, std::string_view path);

/// `ci-image:`. Branches are names and no patterns, platforms those that something is built for, and what waits asks again
/// before its time is over.
Result<CiImage> decode_ci_image(const Node& node, std::string_view path);

}  // namespace crategate::config
