// Everything that a publication is about to write, in the order of its effects: one value, printed, then applied.
// Belongs here: what is written, and which content has to be brought first.  Not here: which tag moves (tags), writing
// (stages/publication).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "pipeline/tags.h"

namespace crategate::pipeline {

/// Content that must be whole in a repository before a tag there can name it. It arrives by digest: no tag shows it.
struct Copy {
  std::string cell, from, to;  ///< repositories; no cell and no `from`: the index of the release, which is made here
  oci::Digest digest;
  bool operator==(const Copy&) const = default;
};

struct ChangeSet {
  std::vector<Copy> copies;
  std::vector<TagMove> moves;
  bool empty() const;  ///< nothing needed
};

/// What `moves` need: a tested image that lies in another repository, unless a tag that is `in_place` names it; for the
/// release set every image and the index, the index last. `tested`: cell → image, of every cell.
std::vector<Copy> needed_copies(const Plan& plan, const std::map<std::string, oci::Digest>& tested,
                                const std::vector<TagMove>& moves, const std::vector<TagMove>& in_place);

}  // namespace crategate::pipeline
