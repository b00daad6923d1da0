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
  state.trouble.reset();
  state.lagged = {};
}

Step ask(State state, Effect effect) { return {std::move(state), std::move(effect)}; }
Step look(State state) {
  auto moves = all_moves(state);
  return ask(std::move(state), Look{std::move(moves)});
}
Step keep(State state) {
  Journal journal = state.journal;
  return ask(std::move(state), Keep{std::move(journal)});
}
/// The tags of rank `from` and above are undone: known to whoever comes next before the first of them is.
Step turn_back(State state, TagRank from, std::optional<Error> cause) {
  state.journal.undone_from = from;
  state.cause = std::move(cause);
  state.settle = state.settle || state.stray;
  state.trouble.reset();
  state.lagged = {};
  for (auto& tag : state.tags) tag.written = false;
  return keep(std::move(state));
}
/// Without closing the journal: whoever comes next goes on from here.
Step leave_open(State state, Error error) {
  Ending ending = report_open(state, std::move(error));
  return {std::move(state), std::move(ending)};
}
/// A write that was on its way may change what is there: it is waited for, and everything looked at once more.
Step settle_first(State state) {
  state.settle = false;
  state.stray = false;
  return ask(std::move(state), Wait{kSettle});
}
/// The journal with those moves alone that were made and stay.
Journal in_place(const State& state) {
  Journal journal = state.journal;
  journal.moves.clear();
  for (const auto move : at(state, Place::after)) journal.moves.push_back(state.journal.moves[move]);
  return journal;
}
Step close(State state, JournalState as, std::optional<Error> cause = std::nullopt) {
  if (state.settle) return settle_first(std::move(state));
  if (cause) state.cause = std::move(cause);
  if (as != JournalState::rolled_back) state.journal.last = last_after(in_place(state));
  state.journal.state = as;
  return keep(std::move(state));
}
/// Acknowledged, yet the registry still serves what was there before.
bool lags(const State& state, const std::vector<std::size_t>& moves) {
  return std::ranges::any_of(moves, [&](std::size_t move) { return state.tags[move].written; });
}
Step wait_for_lag(State state) {
  state.lagged += kLagStep;
  return ask(std::move(state), Wait{kLagStep});
}

Step write(State state, const std::vector<std::size_t>& moves) {
  state.lagged = {};
  Write write;
  for (const auto move : moves) {
    const auto& wanted = state.journal.moves[move];
    write.orders.push_back({move, state.journal.undone_from ? wanted.from : Seen(wanted.to)});
  }
  return ask(std::move(state), std::move(write));
}

std::vector<std::size_t> of_rank(const State& state, TagRank rank, Place place) {
  return moves_where(state,
                     [&](const Tracked& tag, const TagMove& move) { return tag.place == place && move.rank == rank; });
}

/// Some of a moving rank is in place, and some was not written.
bool is_half_done(const State& state, TagRank rank) {
  const auto left = of_rank(state, rank, Place::before);
  const auto is_old = [&](std::size_t move) { return !state.tags[move].written; };
  const auto is_new = [&](std::size_t move) { return state.tags[move].written || state.tags[move].owed; };
  if (rank < TagRank::moving || std::ranges::none_of(left, is_old)) return false;
  return !of_rank(state, rank, Place::after).empty() || std::ranges::any_of(left, is_new);
}

/// Somebody else has written. What is theirs stays, and so does what is whole.
Step meet_foreign(State state) {
  Error error = foreign_error(state);
  if (state.recovering) return leave_open(std::move(state), std::move(error));
  const TagRank rank = lowest_rank(state, at(state, Place::before));
  if (is_half_done(state, rank)) return turn_back(std::move(state), rank, std::move(error));
  return close(std::move(state), JournalState::stopped, std::move(error));
}

/// Some writes of `rank` failed, and it is not in place.
Step meet_trouble(State state, TagRank rank) {
  const Error trouble = *state.trouble;
  const auto left = of_rank(state, rank, Place::before);
  const bool visible = !of_rank(state, rank, Place::after).empty() || lags(state, left);
  if (is_transient(trouble.code)) {
    // A new version that is there in part harms nobody who asks for another one: the next run completes it.
    if (!visible || rank < TagRank::moving) return leave_open(std::move(state), trouble);
  } else if (!visible && std::ranges::none_of(left, [&](std::size_t move) { return state.tags[move].owed; })) {
    return close(std::move(state), JournalState::stopped, trouble);
  }
  return turn_back(std::move(state), rank, trouble);
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
    if (foreign.empty()) return close(std::move(state), JournalState::done);
    Error error = foreign_error(state);
    return close(std::move(state), JournalState::stopped, std::move(error));
  }
  const TagRank rank = lowest_rank(state, to_do);
  if (rank > state.troubled) state.trouble.reset();  // only an answer was lost
  if (state.trouble) return meet_trouble(std::move(state), rank);
  if (may_drop(state, rank)) {
    state.settle = state.settle || state.stray;
    return close(std::move(state), JournalState::stopped);
  }
  if (state.recovering && !state.checked) return ask(std::move(state), Check{to_do});
  const auto now = of_rank(state, rank, Place::before);
  if (!lags(state, now)) return write(std::move(state), now);
  if (state.lagged < kLag) return wait_for_lag(std::move(state));
  Error error = lag_error(state, now);
  return leave_open(std::move(state), std::move(error));
}

Step go_back(State state) {
  const bool only_goes_on = state.goal == Goal::publish && state.recovering && !state.cause;
  if (only_goes_on && !at(state, Place::foreign).empty()) return meet_foreign(std::move(state));
  const auto to_undo = moves_where(state, [&](const Tracked& tag, const TagMove& move) {
    const bool is_new = tag.place == Place::after || (tag.place == Place::before && tag.owed);
    return is_new && move.rank >= state.journal.undone_from && !tag.orphaned;
  });
  if (to_undo.empty()) return close(std::move(state), JournalState::rolled_back);
  const bool waits = lags(state, to_undo);
  if (!state.trouble && !waits) return write(std::move(state), to_undo);
  if (!state.trouble && state.lagged < kLag) return wait_for_lag(std::move(state));
  if (state.settle) return settle_first(std::move(state));
  Error error = stuck_error(state);
  return leave_open(std::move(state), std::move(error));
}

Step go_on(State state) { return state.journal.undone_from ? go_back(std::move(state)) : go_forward(std::move(state)); }

Step survey(State state) {
  Journal before = state.journal;
  return ask(std::move(state), Survey{std::move(before)});
}

/// As it was begun, unless something else is asked for.
Step recover(State state) {
  if (state.goal == Goal::back && state.journal.undone_from != TagRank::version)
    return turn_back(std::move(state), TagRank::version, std::nullopt);
  state.settle = state.settle || state.journal.undone_from.has_value();  // a late undo would disturb what follows
  if (!state.journal.undone_from || state.goal != Goal::forward) return look(std::move(state));
  state.journal.undone_from.reset();
  return keep(std::move(state));
}

Step on(State state, const Opened& opened) {
  state.settle = opened.taken_over;
  if (opened.journal) state.journal = *opened.journal;
  if (opened.journal && opened.journal->state == JournalState::open) {
    state.recovering = true;
    state.stray = true;
    adopt(state, *opened.journal);
    return recover(std::move(state));
  }
  if (state.goal != Goal::publish) return {std::move(state), Ending{}};
  return survey(std::move(state));
}

Step on(State state, const Surveyed& surveyed) {
  if (surveyed.journal.moves.empty()) return {std::move(state), Ending{}};
  Journal journal = surveyed.journal;
  // Another release: a late write of the one that was settled would be a step back.
  if (state.stray && journal.plan_id != state.journal.plan_id) state.settle = true;
  journal.state = JournalState::open;
  journal.epoch = state.journal.epoch + 1;
  journal.last = state.journal.last;
  std::ranges::stable_sort(journal.moves, {}, &TagMove::rank);
  adopt(state, journal);
  return ask(std::move(state), Keep{std::move(journal)});
}

Step on(State state, const Kept& /*kept*/) {
  if (state.journal.state == JournalState::open) {
    const bool waits = state.settle && !state.journal.undone_from;
    return waits ? settle_first(std::move(state)) : look(std::move(state));
  }
  const bool superseded = state.cause && state.cause->code == ErrorCode::gate_refused;
  const bool settled = state.recovering && (!state.cause || superseded) && at(state, Place::foreign).empty();
  if (settled && state.goal == Goal::publish) {
    state.recovering = false;
    state.cause.reset();
    return survey(std::move(state));
  }
  Ending ending = report_closed(state);
  return {std::move(state), std::move(ending)};
}

Step on(State state, const Looked& looked) {
  for (std::size_t i = 0; i < state.tags.size() && i < looked.tags.size(); ++i) {
    state.tags[i].seen = looked.tags[i];
    state.tags[i].place = place_of(state.journal.moves[i], looked.tags[i]);
    state.tags[i].stale = false;
  }
  return go_on(std::move(state));
}

Step on(State state, const Checked& checked) {
  for (const auto& problem : checked.problems) {
    if (!problem) continue;
    if (is_transient(problem->code)) return leave_open(std::move(state), *problem);
    const TagRank rank = lowest_rank(state, at(state, Place::before));
    return turn_back(std::move(state), rank, *problem);
  }
  state.checked = true;
  return look(std::move(state));  // that took its time
}

/// The registry said no; of anything else nobody knows whether it was done.
bool is_refusal(const Error& error) {
  if (error.unsettled) return false;
  switch (error.code) {
    case ErrorCode::unauthenticated:
    case ErrorCode::forbidden:
    case ErrorCode::not_found:
    case ErrorCode::rate_limited:
    case ErrorCode::conflict:
      return true;
    default:
      return false;
  }
}

/// What no repetition mends comes first: it decides the direction.
const Error* worst(const std::vector<std::optional<Error>>& problems) {
  const Error* found = nullptr;
  for (const auto& problem : problems) {
    if (!problem) continue;
    if (found == nullptr || (is_transient(found->code) && !is_transient(problem->code))) found = &*problem;
  }
  return found;
}

Step on(State state, const Wrote& wrote, const Write& asked) {
  std::vector<std::optional<Error>> problems = wrote.problems;
  const bool forward = !state.journal.undone_from;
  for (std::size_t i = 0; i < asked.orders.size() && i < problems.size(); ++i) {
    auto& tag = state.tags[asked.orders[i].move];
    auto& problem = problems[i];
    if (!problem) tag.written = true;
    tag.stale = tag.stale || !problem || !is_refusal(*problem);
    if (forward) tag.owed = tag.owed || !problem || !is_refusal(*problem);
    if (!forward && !problem) tag.owed = false;
    if (problem && !is_refusal(*problem)) state.settle = true;
    const bool keeps = !asked.orders[i].digest && problem && problem->code == ErrorCode::conflict;
    if (!keeps) continue;
    tag.orphaned = true;  // no harm: nothing but this name knows it
    problem.reset();
  }
  if (wrote.stopped) return leave_open(std::move(state), *wrote.stopped);
  if (const Error* problem = worst(problems)) {
    state.trouble = *problem;
    state.troubled = state.journal.moves[asked.orders.front().move].rank;
  }
  return look(std::move(state));
}

}  // namespace

Place place_of(const TagMove& move, const Seen& seen) {
  if (seen && *seen == move.to) return Place::after;
  return seen == move.from ? Place::before : Place::foreign;
}

Error not_tried() {
  return {ErrorCode::rate_limited, "not tried, for another write was refused", "", {}, std::nullopt, std::nullopt};
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
