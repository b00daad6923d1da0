// push: version tags of every cell, all or none, copied by digest within the registry; nothing is rebuilt.
#pragma once

#include "base/result.h"
#include "pipeline/tags.h"
#include "stages/publication.h"

namespace crategate::stages {

/// Facts and decision of push: judges every cell again, reads every tag. Writes nothing.
/// Errors: gate_refused, conflict, bad_input when the policy does not push, registry errors.
Result<Publication> plan_push(const PublishInputs& in, const sys::FileSystem& files, registry::RegistryReader& reader);

/// Effects: registry writes in the order of the change set, each read back; moves.json in the state directory.
Result<pipeline::ChangeSet> run_push(const PublishInputs& in, const PublishServices& svc);

}  // namespace crategate::stages
