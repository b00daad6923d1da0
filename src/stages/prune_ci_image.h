// ci-image prune: the tags `pr-N` of pull requests that were closed.
// Belongs here: which tags go, and in which order.  Not here: asking GitHub, how a place loses a tag (tag_place).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "github/values.h"
#include "stages/tag_place.h"

namespace crategate::stages {

/// The repository on GitHub that a clone's `origin` is: a number of another one's pull request would remove a tag of this one.
/// `server`: GITHUB_SERVER_URL; empty = https://github.com.
/// Errors: bad_input for an address on another host, a path, or one that is not OWNER/NAME.
Result<github::RepositoryName> repository_of_origin(std::string_view origin, std::string_view server);

/// Whether a pull request was closed, merged or not.
using AskClosed = std::function<Result<bool>(std::int64_t number)>;

struct KeptTag {
  std::string tag, reason;
};

struct Pruned {
  std::vector<std::string> removed;  ///< of closed pull requests, by number; without `remove` those that would be
  std::vector<KeptTag> kept;         ///< of closed ones, too, that the place cannot give up
  std::vector<std::string> open;     ///< kept
  std::vector<std::string> unknown;  ///< of no pull request that can be found: kept
  std::string hint;                  ///< GitHub's, where it knows not one of them: the token may not see them
};

/// Every pull request is asked about before the first tag is removed; without `remove` none is.
///
/// Effects: network(the place), network(github)
/// Errors:  of the place, with the tags that were removed until then; of GitHub, other than not_found: then nothing is removed
Result<Pruned> prune_ci_image(TagPlace& place, bool remove, const AskClosed& is_closed);

}  // namespace crategate::stages
