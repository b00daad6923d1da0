#include "pipeline/release_report.h"

#include <algorithm>
#include <utility>

#include "base/strings.h"

namespace crategate::pipeline::protocol {
namespace {

constexpr std::size_t kNamed = 3;  ///< tags in one line of an error

std::string name_of(const TagMove& move) { return concat(move.repository, ":", move.tag); }

std::string text_of(const Seen& digest) { return digest ? digest->text() : std::string("no such tag"); }

std::string names(const State& state, const std::vector<std::size_t>& moves) {
  std::vector<std::string> shown;
  for (const auto move : moves) {
    if (shown.size() == kNamed) break;
    shown.push_back(name_of(state.journal.moves[move]));
  }
  const std::string more = moves.size() > kNamed ? concat(" and ", moves.size() - kNamed, " more") : std::string();
  return concat(join(shown, ", "), more);
}

template <class Predicate>
std::vector<std::size_t> moves_where(const State& state, Predicate predicate) {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < state.tags.size(); ++i) {
    if (predicate(state.tags[i], state.journal.moves[i])) found.push_back(i);
  }
  return found;
}

std::vector<std::size_t> foreign(const State& state) {
  return moves_where(state, [](const Tracked& tag, const TagMove&) { return tag.place == Place::foreign; });
}

/// The command that points the move's tag at `digest`; where it is to be no tag, the registry's own tools must do it.
std::string command_for(const TagMove& move, const Seen& digest) {
  if (digest) return concat("crategate registry tag ", move.repository, "@", digest->text(), " ", move.tag);
  return concat("remove ", name_of(move), " with the registry's own tools");
}

std::string detail(const TagMove& move, const Tracked& tag) {
  const std::string seen = tag.place == Place::unknown ? std::string("not looked at") : text_of(tag.seen);
  return concat(name_of(move), ": names ", seen, "; before: ", text_of(move.from), "; the release: ", move.to.text(),
                "; to finish: ", command_for(move, move.to), "; to undo: ", command_for(move, move.from));
}

/// Some moving tags are of this release, and some may not be.
bool may_be_mixed(const State& state) {
  const auto moving =
      moves_where(state, [](const Tracked&, const TagMove& move) { return move.rank >= TagRank::moving; });
  const auto is_new = [&](std::size_t move) {
    return state.tags[move].place == Place::after || state.tags[move].written;
  };
  const auto is_surely_new = [&](std::size_t move) { return state.tags[move].place == Place::after; };
  return std::ranges::any_of(moving, is_new) && !std::ranges::all_of(moving, is_surely_new);
}

std::string progress(const State& state) {
  const auto there = moves_where(state, [](const Tracked& tag, const TagMove&) {
                       return tag.place == Place::after || (tag.written && tag.place != Place::foreign);
                     }).size();
  return concat(there, " of ", state.tags.size(), " tags name the images of ", state.journal.version);
}

}  // namespace

std::vector<std::string> tag_details(const State& state) {
  const Place wanted = state.direction == Direction::forward ? Place::after : Place::before;
  const auto astray = moves_where(state, [&](const Tracked& tag, const TagMove& move) {
    return tag.place != wanted && (state.direction == Direction::forward || move.rank >= state.floor);
  });
  std::vector<std::string> lines;
  for (const auto move : astray) lines.push_back(detail(state.journal.moves[move], state.tags[move]));
  return lines;
}

Error foreign_error(const State& state) {
  const auto moves = foreign(state);
  const auto& first = state.journal.moves[moves.front()];
  std::string found = concat(first.repository, ":", first.tag, ": expected ", text_of(first.from), " or ",
                             first.to.text(), ", found ", text_of(state.tags[moves.front()].seen));
  if (moves.size() > 1) found += concat(" (and so for ", names(state, {moves.begin() + 1, moves.end()}), ")");
  if (state.recovering) {
    return {ErrorCode::needs_person,
            concat(found, ": somebody else moved it while the release of ", state.journal.version, " was open"),
            state.goal == Goal::publish
                ? "Point each tag named above where it belongs, or let `crategate recover --forward` (or --back) take "
                  "every other tag there and leave these."
                : "Every other tag is where it belongs, and this release is closed. Move the tags above, or publish "
                  "again: that starts from what they name now.",
            {},
            std::nullopt,
            std::nullopt};
  }
  return {ErrorCode::conflict,
          concat(found, ": somebody else moved it during this release; what they wrote stays"),
          "Look at who writes these tags, then run it again: it starts from what they name now.",
          {},
          std::nullopt,
          std::nullopt};
}

Error lag_error(const State& state, const std::vector<std::size_t>& moves) {
  return {ErrorCode::unavailable,
          concat(names(state, moves), ": the registry acknowledged the write, but after ", kLag.count(),
                 " s it still serves what was there before"),
          "Either it is that slow, or somebody moved the tag back; run it again.",
          {},
          std::nullopt,
          std::nullopt};
}

Error stuck_error(const State& state) {
  const auto left = moves_where(state, [&](const Tracked& tag, const TagMove& move) {
    return tag.place == Place::after && move.rank >= state.floor && !tag.orphaned;
  });
  const std::string why = state.cause ? concat(" The release stopped because: ", describe(*state.cause), ".") : "";
  const std::string undo = state.trouble ? concat(" (", describe(*state.trouble), ")") : "";
  return {ErrorCode::needs_person,
          concat(names(state, left), ": the release of ", state.journal.version, " can neither go on nor be undone",
                 undo, ".", why),
          "Mend what the registry says and run it again: it goes on from here. The lines above have the command for "
          "each tag.",
          {},
          std::nullopt,
          std::nullopt};
}

Ending report_open(const State& state, Error error) {
  Ending ending{std::move(error), {}};
  const bool begun =
      std::ranges::any_of(state.tags, [](const Tracked& tag) { return tag.written || tag.place == Place::after; });
  Error& shown = *ending.error;
  const bool for_a_person = shown.code == ErrorCode::needs_person;
  if (!begun && !for_a_person) return ending;
  ending.details = tag_details(state);
  if (for_a_person) return ending;
  const bool passes = is_transient(shown.code);
  shown.message += concat("; ", progress(state));
  // Who was told to stop, or has lost the lease, leaves the rest to whoever comes next.
  const bool stops =
      shown.code == ErrorCode::interrupted || shown.code == ErrorCode::terminated || shown.code == ErrorCode::conflict;
  if (may_be_mixed(state) && !stops) shown.code = ErrorCode::needs_person;
  if (!passes) return ending;
  shown.hint = "Run it again: it goes on from here. `crategate status` shows every tag.";
  return ending;
}

Ending report_closed(const State& state) {
  Ending ending{state.cause, {}};
  if (state.direction == Direction::forward) {
    if (ending.error) ending.details = tag_details(state);
    return ending;
  }
  std::vector<std::size_t> left = foreign(state);
  const auto orphans =
      moves_where(state, [](const Tracked& tag, const TagMove&) { return tag.orphaned && tag.place == Place::after; });
  left.insert(left.end(), orphans.begin(), orphans.end());
  for (const auto move : left) ending.details.push_back(detail(state.journal.moves[move], state.tags[move]));
  if (!foreign(state).empty()) {
    ending.error = foreign_error(state);
    ending.error->code = ErrorCode::needs_person;
    return ending;
  }
  if (state.goal == Goal::back) return ending;
  const std::string kept =
      orphans.empty() ? std::string() : concat("; the registry removes no tags, so ", names(state, orphans), " stayed");
  const std::string why = state.cause ? describe(*state.cause) : std::string("it could not go on");
  ending.error =
      Error{ErrorCode::rolled_back,
            concat("the release of ", state.journal.version,
                   " was undone: ", state.floor > TagRank::version ? "the tags of the rank that failed" : "its tags",
                   " name what they named before", kept, ": ", why),
            state.cause ? state.cause->hint : std::string(),
            {},
            std::nullopt,
            std::nullopt};
  return ending;
}

}  // namespace crategate::pipeline::protocol
