// release: moving tags (`latest`), all or none, only after every version tag is in place.
#pragma once

#include "base/result.h"
#include "pipeline/tags.h"
#include "stages/publication.h"

namespace crategate::stages {

/// Facts and decision of release: every version tag must name its verified digest. Writes nothing.
/// Errors: bad_input when the policy moves no tag, conflict when push has not finished, gate_refused, registry errors.
Result<Publication> plan_release(const PublishInputs& in, const sys::FileSystem& files,
                                 registry::RegistryReader& reader);

/// Effects: registry writes in the order of the change set, each read back; moves.json in the state directory.
Result<pipeline::ChangeSet> run_release(const PublishInputs& in, const PublishServices& svc);

}  // namespace crategate::stages
