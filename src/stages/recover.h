// recover: what a release left open is finished, or undone.
#pragma once

#include <optional>

#include "base/result.h"
#include "render/decisions.h"
#include "stages/publication.h"

namespace crategate::stages {

/// Tags that somebody else has moved since are left as they are and named. Returns: nullopt when nothing was left open.
/// Effects and errors: those of `publish`, and rolled_back when it cannot be finished.
Result<std::optional<render::ReleaseStatus>> recover(const PublishInputs& in, const PublishServices& svc, bool back);

}  // namespace crategate::stages
