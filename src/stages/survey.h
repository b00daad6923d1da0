// The facts and the decisions of a publication: every cell judged again, every tag read, each tag's way decided.
// Belongs here: what push, release and run know before they write.  Not here: the rules (pipeline/gate, pipeline/tags),
// writing (publication).
#pragma once

#include <map>
#include <string>

#include "base/result.h"
#include "config/configuration.h"
#include "pipeline/tags.h"
#include "registry/client.h"
#include "stages/evidence.h"
#include "stages/workspace.h"

namespace crategate::stages {

/// The ranks of tags that a command writes.
struct Scope {
  pipeline::TagRank first, last;
};
inline constexpr Scope kVersionTags{pipeline::TagRank::version, pipeline::TagRank::extra};
inline constexpr Scope kMovingTags{pipeline::TagRank::moving, pipeline::TagRank::set};
inline constexpr Scope kAllTags{pipeline::TagRank::version, pipeline::TagRank::set};

struct PublishInputs {
  const config::Configuration& configuration;
  const pipeline::Plan& plan;
  Workspace workspace;
  std::string today;  ///< YYYYMMDD, for dated tags
  std::string run;    ///< of the workflow; empty outside one
  std::string attempt;
};

/// A change set and the admitted images it points at.
struct Publication {
  pipeline::ChangeSet changes;
  Evidence evidence;
  std::string release_set;                  ///< bytes of the index; empty = none is asked for
  std::vector<pipeline::TagMove> in_place;  ///< tags of this plan that name their images already, lower ranks' included
};

/// Facts and decisions: judges every cell again and reads every tag. Writes nothing.
/// `newest`: of the journal (Journal::newest).
/// Errors: gate_refused, conflict, registry errors.
Result<Publication> survey(const PublishInputs& in, const sys::FileSystem& files, registry::RegistryReader& reader,
                           Scope scope, const std::map<std::string, std::string>& newest);

/// `repository:tag`, both checked.
Result<oci::Reference> tag_reference(const std::string& repository, const std::string& tag);

}  // namespace crategate::stages
