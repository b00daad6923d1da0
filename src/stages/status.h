// status: the journal of the last release, and what each of its tags names now.
#pragma once

#include "base/result.h"
#include "registry/client.h"
#include "render/decisions.h"
#include "stages/journal_store.h"

namespace crategate::stages {

/// Read-only; takes no lease.
/// Errors: of the journal and the registry.
Result<render::ReleaseStatus> read_status(JournalStore& journal, registry::RegistryReader& reader);

}  // namespace crategate::stages
