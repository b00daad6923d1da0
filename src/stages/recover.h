// recover: what a release left open is finished, or undone.
#pragma once

#include <string>

#include "base/result.h"
#include "stages/publication.h"

namespace crategate::stages {

/// Tags that somebody else has moved since are left as they are and named. Returns: the version of the release; empty =
/// none was left open.
/// Effects and errors: those of `publish`, and rolled_back when it cannot be finished.
Result<std::string> recover(const PublishInputs& in, const PublishServices& svc, bool back);

}  // namespace crategate::stages
