// The one place where tags are written: the effects of pipeline/release_protocol, performed.
// Belongs here: effects.  Not here: the protocol's rules; what is written where (survey).
#pragma once

#include <chrono>
#include <functional>

#include "base/result.h"
#include "pipeline/release_protocol.h"
#include "registry/client.h"
#include "stages/journal_store.h"
#include "stages/survey.h"
#include "sys/clock.h"
#include "sys/file_system.h"

namespace crategate::stages {

struct PublishServices {
  sys::FileSystem& files;
  sys::Clock& clock;
  registry::RegistryReader& reader;
  registry::RegistryWriter& writer;
  JournalStore& journal;
  std::function<void(const pipeline::ChangeSet&)> announce;  ///< before the first write
};

struct Published {
  pipeline::ChangeSet changes;
  pipeline::Windows windows;
};

/// All of `scope`, or none: settles what an earlier release left open, then publishes this plan's.
///
/// Effects: registry writes, the journal, moves.json in the state directory.
/// Errors: those of `survey`; conflict (50), rolled_back (51), needs_person (52) as release_protocol says; each tag that
/// is not where it should be is a warning in the log.
Result<Published> publish(const PublishInputs& in, const PublishServices& svc, Scope scope);

/// Finishes (`forward`) or undoes (`back`) the release that the journal left open; false = none was.
/// Errors: as `publish`.
Result<bool> settle(const PublishInputs& in, const PublishServices& svc, pipeline::protocol::Goal goal);

}  // namespace crategate::stages
