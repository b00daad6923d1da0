// status: the journal of the last release, and what each of its tags names now.
#pragma once

#include "base/result.h"
#include "registry/client.h"
#include "render/decisions.h"
#include "stages/journal_store.h"

namespace crategate::stages {

/// Read-only; takes no lease.
/// Errors: gate_refused before a registry is asked; of the journal and the registry.
Result<render::ReleaseStatus> read_status(const pipeline::Plan& plan, JournalStore& journal,
                                          registry::RegistryReader& reader);

/// What was changed by hand may name any host. `place`: of the journal, for people.
/// Errors: gate_refused for an open journal with another repository than the plan's, and for a closed one, whose cells
/// may be gone by now, with one of another registry.
Result<void> require_own_tags(const pipeline::Journal& journal, const pipeline::Plan& plan, const std::string& place);

}  // namespace crategate::stages
