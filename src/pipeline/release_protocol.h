// The protocol of an all-or-nothing publication, as one pure function: state × event → state and the next effect.
// Belongs here: what follows from what.  Not here: performing effects (stages/publication), which tag moves (tags).
//
// push, release, run and recover are this protocol with other goals; the simulation of the tests drives the same code.
// Every round is the same: look at all tags, write the lowest rank that is not in place, look again. A run that finds
// an open journal begins in the middle of it, so recovery has no path of its own.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "oci/digest.h"
#include "pipeline/journal.h"

namespace crategate::pipeline::protocol {

enum class Goal : unsigned char {
  publish,  ///< a release left open is settled first, then the own one
  forward,  ///< the open one is finished
  back,     ///< the open one is undone
};

/// What a tag named when it was looked at; nullopt = there is no such tag.
using Seen = std::optional<oci::Digest>;

// Effects. One at a time; what is in one effect may be done side by side.

/// Takes the lease, where there is one, and reads the journal.  Answered by Opened.
struct Open {};
/// Judges every cell, stages its content by digest and decides what happens to each tag.  Answered by Surveyed.
struct Survey {
  Journal before;  ///< the last one, closed; its version is empty where there was none
};
/// Makes the journal durable: when it is answered, a machine that dies has it.  Answered by Kept.
struct Keep {
  Journal journal;
};
/// Reads what each tag names.  Answered by Looked.
struct Look {
  std::vector<std::size_t> moves;  ///< of the journal
};
/// Whether what each move would write is whole in its repository.  Answered by Checked.
struct Check {
  std::vector<std::size_t> moves;
};
/// Points each tag at `digest`, or removes it.  Answered by Wrote.
struct Order {
  std::size_t move;
  Seen digest;
  bool operator==(const Order&) const = default;
};
struct Write {
  std::vector<Order> orders;
};
/// Answered by Waited.
struct Wait {
  std::chrono::milliseconds duration;
};
using Effect = std::variant<Open, Survey, Keep, Look, Check, Write, Wait>;

// Events.

struct Opened {
  std::optional<Journal> journal;
  bool taken_over = false;  ///< from a holder that let its lease expire, and may still be writing
};
struct Surveyed {
  Journal journal;  ///< with the moves that are needed; `epoch` and `last` are set here
};
struct Kept {};
struct Looked {
  std::vector<Seen> tags;  ///< in the order that was asked for
};
struct Checked {
  std::vector<std::optional<Error>> problems;
};
struct Wrote {
  std::vector<std::optional<Error>> problems;  ///< in the order of the orders
  std::optional<Error> stopped;                ///< no more may be written: the lease is lost, or the run was cancelled
};
struct Waited {};
/// The effect as a whole had no answer, or the run was cancelled.
struct Failed {
  Error error;
};
using Event = std::variant<Opened, Surveyed, Kept, Looked, Checked, Wrote, Waited, Failed>;

/// Where a tag is on its way.
enum class Place : unsigned char {
  unknown,  ///< not looked at
  before,   ///< names what it named before
  after,    ///< names what the release wants
  foreign,  ///< names something else: somebody else wrote
};

/// One tag of the journal, as far as this run knows.
struct Tracked {
  Place place = Place::unknown;
  Seen seen;
  bool written = false;   ///< by this run, in this direction, and acknowledged
  bool stale = false;     ///< written, or perhaps, since it was looked at
  bool owed = false;      ///< written forward, or perhaps: to be undone, even if the old is still served
  bool orphaned = false;  ///< new, to be undone, and its registry removes no tags
};

struct State {
  Goal goal = Goal::publish;
  bool recovering = false;       ///< `journal` is what an earlier run left open
  bool checked = false;          ///< what a recovery would write is whole
  bool settle = false;           ///< a write may still be on its way: look once more before the journal is closed
  bool stray = false;            ///< so may one of a run that died; what is written forward it cannot harm
  Journal journal;               ///< its `undone_from` is the direction
  std::vector<Tracked> tags;     ///< of each move
  std::optional<Error> trouble;  ///< of the last writes, until their rank is in place
  TagRank troubled = TagRank::version;
  std::optional<Error> cause;  ///< why it ends as it ends
  std::chrono::milliseconds lagged{0};
};

/// What came of it.
struct Ending {
  std::optional<Error> error;
  std::vector<std::string> details;  ///< for a person: tags that are not where they should be, and commands
};

struct Step {
  State state;
  std::variant<Effect, Ending> next;
};

/// For how long a tag may still name the old after an acknowledged write, and a late write is waited for.
inline constexpr std::chrono::seconds kLag{60};
inline constexpr std::chrono::milliseconds kLagStep{500};
inline constexpr std::chrono::seconds kSettle{10};

Step begin(Goal goal);
/// Errors are values of Ending: conflict (50) when somebody else wrote, rolled_back (51), needs_person (52) with each
/// tag and the commands, else what the effect failed with.
/// `event` answers the effect in `last`; a step with an Ending takes none.
Step step(Step last, const Event& event);

/// What became of an order that was not begun, for another one was refused.
Error not_tried();

/// With what the tag named before the release, and what the release wants.
Place place_of(const TagMove& move, const Seen& seen);

}  // namespace crategate::pipeline::protocol
