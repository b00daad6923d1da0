// The protocol of an all-or-nothing publication, as one pure function: state × event → state and the next effect.
// Belongs here: what follows from what.  Not here: performing effects (stages/publication), which tag moves (tags).
//
// push, release, run and recover are this protocol with other goals; the simulation of the tests drives the same code.
// Every round is the same: look at all tags, write the lowest rank that is not in place, look again. A run that finds
// an open journal begins in the middle of it, so recovery has no path of its own.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
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
  std::map<std::string, std::string> newest;  ///< Journal::newest of the journal before
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
  Journal journal;  ///< with the moves that are needed; `epoch` and `newest` are set here
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

enum class Direction : unsigned char { forward, back };

struct State {
  Goal goal = Goal::publish;
  Direction direction = Direction::forward;
  bool recovering = false;  ///< `journal` is what an earlier run left open
  bool settle = false;      ///< a write of somebody, or of ours, may still be on its way
  bool checked = false;     ///< what a recovery would write is whole
  Journal journal;
  std::vector<Place> places;         ///< of each move
  std::vector<Seen> seen;            ///< what each names
  std::vector<bool> written;         ///< by this run, in this direction
  std::vector<bool> orphaned;        ///< new, and its registry does not remove it
  TagRank floor = TagRank::version;  ///< lower ranks are not undone: they are whole
  std::optional<Error> cause;        ///< why the direction changed, or what stopped the release
  std::chrono::milliseconds lagged{0};
  std::map<std::string, std::string> newest;
  std::int64_t epoch = 0;
  std::optional<Effect> awaited;  ///< what was asked for last
};

/// What came of it; `error` says everything to a person.
struct Ending {
  std::optional<Error> error;
};

struct Step {
  State state;
  std::variant<Effect, Ending> next;
};

/// For how long a tag may still name the old after an acknowledged write, and a late write is waited for.
inline constexpr std::chrono::seconds kLag{60};
inline constexpr std::chrono::seconds kSettle{10};

Step begin(Goal goal);
/// Errors are values of Ending: conflict (50) when somebody else wrote, rolled_back (51), needs_person (52) with each
/// tag and the commands, else what the effect failed with.
Step step(State state, const Event& event);

/// "done", "to do", "changed by somebody else"; for `status`.
std::string_view to_string(Place place);
Place place_of(const TagMove& move, const Seen& seen);

}  // namespace crategate::pipeline::protocol
