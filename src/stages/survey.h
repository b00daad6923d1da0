// The facts and the decisions of a publication: every cell judged again, every tag read, each tag's way decided.
// Belongs here: what push, release and run know before they write.  Not here: the rules (pipeline/gate, pipeline/tags),
// writing (publication).
#pragma once

#include <map>
#include <string>

#include "base/result.h"
#include "config/configuration.h"
#include "pipeline/change_set.h"
#include "pipeline/journal.h"
#include "registry/client.h"
#include "stages/evidence.h"
#include "stages/workspace.h"

namespace crategate::stages {

/// Tags that are read or written side by side; the registry's client limits the connections to one host.
inline constexpr std::size_t kTagsAtATime = 64;

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
  Secret key{};  ///< that records must be signed with; empty = they need not be
};

/// A change set and the admitted images it points at.
struct Publication {
  pipeline::ChangeSet changes;
  Evidence evidence;
  std::string release_set;                  ///< bytes of the index; empty = none is asked for
  std::vector<pipeline::TagMove> in_place;  ///< tags of this plan that name their images already, lower ranks' included
};

/// Facts and decisions: judges every cell again and reads every tag. Writes nothing.
/// `reader`: of tags, and of candidates by their digest. `before`: the last journal, empty where there was none.
/// Errors: gate_refused, conflict, registry errors.
Result<Publication> survey(const PublishInputs& in, const sys::FileSystem& files, registry::RegistryReader& reader,
                           Scope scope, const pipeline::Journal& before);

/// Cell → image, as the records say, or its rebuild: what its tags will name, if the gate admits it. A cell without a
/// record that can be read is left out.
/// Errors: interrupted, terminated.
Result<std::map<std::string, oci::Digest>> recorded_images(const PublishInputs& in, const sys::FileSystem& files);

/// `repository:tag`, both checked.
Result<oci::Reference> tag_reference(const std::string& repository, const std::string& tag);

}  // namespace crategate::stages
