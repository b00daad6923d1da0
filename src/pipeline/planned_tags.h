// Which tags a publication may write: the patterns of the settings → names, in the order of their ranks.
// Belongs here: placeholders, and that no two tags have one name.  Not here: what happens to each tag (tags).
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/version.h"
#include "config/configuration.h"
#include "pipeline/plan.h"
#include "pipeline/tags.h"

namespace crategate::pipeline {

/// Those of the ranks `first`…`last`, by rank, then in plan order. `today`: YYYYMMDD, for dated version tags.
///
/// Ranks moving and set are there when the policy moves `latest`, rank extra when it publishes. A pre-release has no
/// tag of a pattern with `{major}`, `{minor}` or `{patch}` but its version tags.
/// Errors: bad_input for a name that is no tag, an unknown placeholder, two tags with one name, an extra tag that is
/// another version.
Result<std::vector<PlannedTag>> planned_tags(const Plan& plan, const config::Release& release, std::string_view today,
                                             TagRank first, TagRank last);

/// That every pattern gives tags with names of their own, whichever of them this event writes.
/// Errors: as above.
Result<void> check_tags(const Plan& plan, const config::Release& release);

/// `version`, `major`, `minor` and `patch`.
std::map<std::string, std::string> version_placeholders(const Version& version);

/// `v{major}`: it names a line of versions, which no pre-release speaks for.
bool names_version_line(std::string_view pattern);

}  // namespace crategate::pipeline
