// What a publication that did not go well says to a person: which tag names what, and the commands that mend it.
// Belongs here: words.  Not here: transitions (release_protocol).
#pragma once

#include "pipeline/release_protocol.h"

namespace crategate::pipeline::protocol {

/// conflict (50), or needs_person (52) in a recovery: somebody else's tags are never overwritten.
Error foreign_error(const State& state);
/// unavailable (24): acknowledged writes that are not served.
Error lag_error(const State& state, const std::vector<std::size_t>& moves);
/// needs_person (52): neither forward nor back.
Error stuck_error(const State& state);

/// The journal stays open: the next run goes on.
Ending report_open(const State& state, Error error);
/// The journal is closed.
Ending report_closed(const State& state);

/// The numbers of the moves for which `predicate(tag, move)` holds.
template <class Predicate>
std::vector<std::size_t> moves_where(const State& state, Predicate predicate) {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < state.tags.size(); ++i) {
    if (predicate(state.tags[i], state.journal.moves[i])) found.push_back(i);
  }
  return found;
}

/// Each tag of the journal that is not where the release, or its undoing, leads, with what it names and the command that moves it there.
std::vector<std::string> tag_details(const State& state);

}  // namespace crategate::pipeline::protocol
