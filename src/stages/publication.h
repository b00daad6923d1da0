// The effects of pipeline/release_protocol, performed: nothing else writes a tag of a plan.
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
  registry::RegistryReader& candidates;  ///< `reader`, or one that has what was rebuilt here besides
  registry::RegistryWriter& writer;
  JournalStore& journal;
  std::function<void(const pipeline::ChangeSet&)> announce;  ///< before the first write
};

struct Published {
  pipeline::ChangeSet changes;
  std::vector<pipeline::TagMove> settled;  ///< written first, of a release that was left open
  pipeline::Windows windows;
};

/// All of `scope`, or none: settles what an earlier release left open, then publishes this plan's.
///
/// Effects: registry writes, the journal, moves.json in the state directory.
/// Errors: those of `survey`; conflict (50), rolled_back (51), needs_person (52) as release_protocol says; each tag that
/// is not where it should be is a warning in the log.
Result<Published> publish(const PublishInputs& in, const PublishServices& svc, Scope scope);

/// A journal that had been left open, as it was closed.
struct Settled {
  pipeline::Journal journal;
  std::vector<pipeline::protocol::Seen> seen;  ///< what each of its tags named in the last look
};

/// Finishes (`forward`) or undoes (`back`) the release that the journal left open; nullopt = none was.
/// Errors: as `publish`.
Result<std::optional<Settled>> settle(const PublishInputs& in, const PublishServices& svc,
                                      pipeline::protocol::Goal goal);

}  // namespace crategate::stages
