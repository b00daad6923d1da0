// release: moving tags (`latest`), all or none, only after every version tag is in place.
#pragma once

#include "base/result.h"
#include "stages/publication.h"

namespace crategate::stages {

/// Facts and decisions: every version tag must name its verified image. Writes nothing.
/// Errors: bad_input when the policy moves no tag, conflict when push has not finished; those of `survey`.
Result<Publication> plan_release(const PublishInputs& in, const sys::FileSystem& files,
                                 registry::RegistryReader& reader, const pipeline::Journal& before);

/// Effects and errors: those of `publish`.
Result<Published> run_release(const PublishInputs& in, const PublishServices& svc);

}  // namespace crategate::stages
