// ci-image prune: the tags `pr-N` of pull requests that were closed.
// Belongs here: which tags, and their removal.  Not here: asking GitHub.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "oci/reference.h"
#include "registry/client.h"

namespace crategate::stages {

/// Whether a pull request was closed, merged or not.
using AskClosed = std::function<Result<bool>(std::int64_t number)>;

struct PruneServices {
  registry::RegistryReader& reader;
  registry::RegistryWriter& writer;
  AskClosed is_closed;
};

struct Pruned {
  std::vector<std::string> closed;   ///< tags of closed pull requests, by number
  std::vector<std::string> open;     ///< kept
  std::vector<std::string> unknown;  ///< of no pull request that can be found: kept
  std::size_t removed = 0;
};

/// Every pull request is asked about before the first tag is removed; without `remove` none is. Images stay until the
/// registry collects them.
///
/// Effects: network(registry), network(github)
/// Errors:  of the registry; of GitHub, other than not_found: then nothing is removed
Result<Pruned> prune_ci_image(const oci::Repository& repository, bool remove, const PruneServices& svc);

}  // namespace crategate::stages
