// push: version tags of every cell, all or none, copied by digest within the registry; nothing is rebuilt.
#pragma once

#include "base/result.h"
#include "stages/publication.h"

namespace crategate::stages {

/// Facts and decisions. Writes nothing.
/// Errors: bad_input when the policy does not push; those of `survey`.
Result<Publication> plan_push(const PublishInputs& in, const sys::FileSystem& files, registry::RegistryReader& reader,
                              const pipeline::Journal& before);

/// Effects and errors: those of `publish`.
Result<Published> run_push(const PublishInputs& in, const PublishServices& svc);

}  // namespace crategate::stages
