#include "pipeline/release_protocol.h"

#include <algorithm>
#include <utility>

#include "base/strings.h"
#include "pipeline/release_report.h"

namespace crategate::pipeline::protocol {
namespace {

std::vector<std::size_t> all_moves(const State& state) {
  std::vector<std::size_t> moves(state.tags.size());
  for (std::size_t i = 0; i < moves.size(); ++i) moves[i] = i;
  return moves;
}

template <class Predicate>
std::vector<std::size_t> moves_where(const State& state, Predicate predicate) {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < state.tags.size(); ++i) {
    if (predicate(state.tags[i], state.journal.moves[i])) found.push_back(i);
  }
  return found;
}

std::vector<std::size_t> at(const State& state, Place place) {
  return moves_where(state, [place](const Tracked& tag, const TagMove&) { return tag.place == place; });
}

TagRank lowest_rank(const State& state, const std::vector<std::size_t>& moves) {
  TagRank lowest = TagRank::set;
  for (const auto move : moves) lowest = std::min(lowest, state.journal.moves[move].rank);
  return lowest;
}

void adopt(State& state, Journal journal) {
  state.tags.assign(journal.moves.size(), {});
  state.journal = std::move(journal);
  state.checked = false;
  state.floor = TagRank::version;
  state.trouble.reset();
  state.lagged = {};
}

void turn_back(State& state, TagRank floor, std::optional<Error> cause) {
  state.direction = Direction::back;
  state.floor = floor;
  state.cause = std::move(cause);
  state.trouble.reset();
  state.lagged = {};
  for (auto& tag : state.tags) tag.written = false;
}

Step ask(State state, Effect effect) { return {std::move(state), std::move(effect)}; }
Step look(State state) {
  auto moves = all_moves(state);
  return ask(std::move(state), Look{std::move(moves)});
}
/// Without closing the journal: whoever comes next goes on from here.
Step leave_open(State state, Error error) {
  Ending ending = report_open(state, std::move(error));
  return {std::move(state), std::move(ending)};
}
Step close(State state, JournalState as) {
  if (as == JournalState::done) state.journal.newest = newest_after(state.journal);
  state.journal.state = as;
  Journal journal = state.journal;
  return ask(std::move(state), Keep{std::move(journal)});
}
/// A write that was on its way may have changed what is there.
Step settle_first(State state) {
  state.settle = false;
  return ask(std::move(state), Wait{kSettle});
}

/// Acknowledged, yet the registry still serves what was there before: true while that is worth waiting for.
bool may_lag(State& state, const std::vector<std::size_t>& moves) {
  const bool waits = std::ranges::any_of(moves, [&](std::size_t move) { return state.tags[move].written; });
  if (!waits || state.lagged >= kLag) return false;
  state.lagged += kLagStep;
  return true;
}

Step write(State state, const std::vector<std::size_t>& moves) {
  state.lagged = {};
  Write write;
  for (const auto move : moves) {
    const auto& wanted = state.journal.moves[move];
    write.orders.push_back({move, state.direction == Direction::forward ? Seen(wanted.to) : wanted.from});
  }
  return ask(std::move(state), std::move(write));
}

/// Somebody else has written. What is theirs stays, and so does what is whole.
Step meet_foreign(State state) {
  Error error = foreign_error(state);
  if (state.recovering) return leave_open(std::move(state), std::move(error));
  state.cause = std::move(error);
  return close(std::move(state), JournalState::stopped);
}

/// Some writes of `rank` failed, and it is not in place.
Step meet_trouble(State state, TagRank rank) {
  const Error trouble = *std::exchange(state.trouble, std::nullopt);
  const bool visible = !moves_where(state, [rank](const Tracked& tag, const TagMove& move) {
                          return tag.place == Place::after && move.rank == rank;
                        }).empty();
  const bool passes = is_transient(trouble.code);
  // A new version that is there in part harms nobody who asks for another one: the next run completes it.
  if (passes && (!visible || rank < TagRank::moving)) return leave_open(std::move(state), trouble);
  if (visible) {
    turn_back(state, rank, trouble);
    return look(std::move(state));
  }
  state.cause = trouble;
  return close(std::move(state), JournalState::stopped);
}

/// Where nothing of the lowest rank that is not in place was written, an earlier release need not go on: it ended
/// between two ranks, and that is a state that anybody can live with.
bool may_drop(const State& state, TagRank rank) {
  if (!state.recovering || state.goal != Goal::publish) return false;
  return moves_where(state, [rank](const Tracked& tag,
                                   const TagMove& move) { return move.rank >= rank && tag.place == Place::after; })
      .empty();
}

Step go_forward(State state) {
  const auto foreign = at(state, Place::foreign);
  if (!foreign.empty() && state.goal != Goal::forward) return meet_foreign(std::move(state));
  const auto to_do = at(state, Place::before);
  if (to_do.empty()) {
    if (state.settle) return settle_first(std::move(state));
    if (foreign.empty()) return close(std::move(state), JournalState::done);
    state.cause = foreign_error(state);
    return close(std::move(state), JournalState::stopped);
  }
  const TagRank rank = lowest_rank(state, to_do);
  if (state.trouble) return meet_trouble(std::move(state), rank);
  if (may_drop(state, rank)) {
    if (state.settle) return settle_first(std::move(state));
    return close(std::move(state), JournalState::stopped);
  }
  if (state.recovering && !state.checked) return ask(std::move(state), Check{to_do});
  const auto now = moves_where(state, [rank](const Tracked& tag, const TagMove& move) {
    return tag.place == Place::before && move.rank == rank;
  });
  if (may_lag(state, now)) return ask(std::move(state), Wait{kLagStep});
  if (state.lagged >= kLag) {
    Error error = lag_error(state, now);
    return leave_open(std::move(state), std::move(error));
  }
  return write(std::move(state), now);
}

Step go_back(State state) {
  const auto to_undo = moves_where(state, [&](const Tracked& tag, const TagMove& move) {
    return tag.place == Place::after && move.rank >= state.floor && !tag.orphaned;
  });
  if (to_undo.empty()) {
    if (state.settle) return settle_first(std::move(state));
    return close(std::move(state), JournalState::rolled_back);
  }
  if (!state.trouble && may_lag(state, to_undo)) return ask(std::move(state), Wait{kLagStep});
  if (state.trouble || state.lagged >= kLag) {
    Error error = stuck_error(state);
    return leave_open(std::move(state), std::move(error));
  }
  return write(std::move(state), to_undo);
}

Step go_on(State state) {
  return state.direction == Direction::forward ? go_forward(std::move(state)) : go_back(std::move(state));
}

Step on(State state, const Opened& opened) {
  state.settle = opened.taken_over;
  if (opened.journal) {
    state.journal.epoch = opened.journal->epoch;
    state.journal.newest = opened.journal->newest;
  }
  if (opened.journal && opened.journal->state == JournalState::open) {
    state.recovering = true;
    adopt(state, *opened.journal);
    if (state.goal == Goal::back) turn_back(state, TagRank::version, std::nullopt);
    return look(std::move(state));
  }
  if (state.goal != Goal::publish) return {std::move(state), Ending{}};
  auto newest = state.journal.newest;
  return ask(std::move(state), Survey{std::move(newest)});
}

Step on(State state, const Surveyed& surveyed) {
  if (surveyed.journal.moves.empty()) return {std::move(state), Ending{}};
  Journal journal = surveyed.journal;
  journal.state = JournalState::open;
  journal.epoch = state.journal.epoch + 1;
  journal.newest = state.journal.newest;
  std::ranges::stable_sort(journal.moves, {}, &TagMove::rank);
  adopt(state, journal);
  return ask(std::move(state), Keep{std::move(journal)});
}

Step on(State state, const Kept& /*kept*/) {
  if (state.journal.state == JournalState::open) return look(std::move(state));
  const bool settled = state.recovering && state.direction == Direction::forward && !state.cause;
  if (settled && state.goal == Goal::publish) {
    state.recovering = false;
    auto newest = state.journal.newest;
    return ask(std::move(state), Survey{std::move(newest)});
  }
  Ending ending = report_closed(state);
  return {std::move(state), std::move(ending)};
}

Step on(State state, const Looked& looked) {
  for (std::size_t i = 0; i < state.tags.size() && i < looked.tags.size(); ++i) {
    state.tags[i].seen = looked.tags[i];
    state.tags[i].place = place_of(state.journal.moves[i], looked.tags[i]);
  }
  return go_on(std::move(state));
}

Step on(State state, const Checked& checked) {
  for (const auto& problem : checked.problems) {
    if (!problem) continue;
    if (is_transient(problem->code)) return leave_open(std::move(state), *problem);
    turn_back(state, lowest_rank(state, at(state, Place::before)), *problem);
    return go_on(std::move(state));
  }
  state.checked = true;
  return go_on(std::move(state));
}

bool is_cancelled(const Error& error) {
  return error.code == ErrorCode::interrupted || error.code == ErrorCode::terminated;
}

/// What no repetition mends comes first: it decides the direction.
const Error* worst(const std::vector<std::optional<Error>>& problems) {
  const Error* found = nullptr;
  for (const auto& problem : problems) {
    if (!problem) continue;
    if (is_cancelled(*problem)) return &*problem;
    if (found == nullptr || (is_transient(found->code) && !is_transient(problem->code))) found = &*problem;
  }
  return found;
}

Step on(State state, const Wrote& wrote, const Write& asked) {
  std::vector<std::optional<Error>> problems = wrote.problems;
  for (std::size_t i = 0; i < asked.orders.size() && i < problems.size(); ++i) {
    auto& tag = state.tags[asked.orders[i].move];
    if (!problems[i]) tag.written = true;
    const bool keeps = !asked.orders[i].digest && problems[i] && problems[i]->code == ErrorCode::conflict;
    if (!keeps) continue;
    tag.orphaned = true;  // no harm: nothing but this name knows it
    problems[i].reset();
  }
  if (const Error* problem = worst(problems)) {
    if (is_cancelled(*problem)) return leave_open(std::move(state), *problem);
    state.trouble = *problem;
    state.settle = true;
  }
  return look(std::move(state));
}

}  // namespace

Place place_of(const TagMove& move, const Seen& seen) {
  if (seen && *seen == move.to) return Place::after;
  return seen == move.from ? Place::before : Place::foreign;
}

Step begin(Goal goal) {
  State state;
  state.goal = goal;
  return ask(std::move(state), Open{});
}

Step step(Step last, const Event& event) {
  const Effect asked = std::get<Effect>(std::move(last.next));
  State state = std::move(last.state);
  if (const auto* failed = std::get_if<Failed>(&event)) return leave_open(std::move(state), failed->error);
  if (const auto* wrote = std::get_if<Wrote>(&event)) return on(std::move(state), *wrote, std::get<Write>(asked));
  if (std::holds_alternative<Waited>(event)) return look(std::move(state));
  if (const auto* opened = std::get_if<Opened>(&event)) return on(std::move(state), *opened);
  if (const auto* surveyed = std::get_if<Surveyed>(&event)) return on(std::move(state), *surveyed);
  if (const auto* kept = std::get_if<Kept>(&event)) return on(std::move(state), *kept);
  if (const auto* looked = std::get_if<Looked>(&event)) return on(std::move(state), *looked);
  return on(std::move(state), std::get<Checked>(event));
}

}  // namespace crategate::pipeline::protocol
