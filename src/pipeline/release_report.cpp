#include "pipeline/release_report.h"

#include <algorithm>
#include <utility>

#include "base/strings.h"
#include "oci/reference.h"

namespace crategate::pipeline::protocol {
namespace {

constexpr std::size_t kNamed = 3;             ///< tags in one line of an error
constexpr std::string_view kLayout = "oci:";  ///< begins `Plan::image_set` of a layout

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

std::vector<std::size_t> foreign(const State& state) {
  return moves_where(state, [](const Tracked& tag, const TagMove&) { return tag.place == Place::foreign; });
}

bool is_layout(const State& state) { return state.journal.images.starts_with(kLayout); }

/// As a layout names it: without the default registry.
std::string name_in_layout(const TagMove& move) {
  const auto repository = oci::parse_repository(move.repository);
  return concat(repository ? repository->familiar() : move.repository, ":", move.tag);
}

/// The command that points the move's tag at `digest`, or removes it. The journal does not know where a layout lies.
std::string command_for(const State& state, const TagMove& move, const Seen& digest) {
  const std::string layout_tag = concat("oci:DIR:", name_in_layout(move));
  if (!digest) return concat("crategate registry untag ", is_layout(state) ? layout_tag : name_of(move));
  if (is_layout(state)) return concat("crategate registry copy oci:DIR:", digest->text(), " ", layout_tag);
  return concat("crategate registry tag ", move.repository, "@", digest->text(), " ", move.tag);
}

/// What the last look showed, unless a write came after it.
std::string now(const Tracked& tag) {
  if (tag.stale) return concat(tag.written ? "was" : "may have been", " written, not looked at since");
  return tag.place == Place::unknown ? std::string("not looked at") : concat("names ", text_of(tag.seen));
}

std::string detail(const State& state, std::size_t number) {
  const TagMove& move = state.journal.moves[number];
  const Tracked& tag = state.tags[number];
  std::string line =
      concat(name_of(move), ": ", now(tag), "; before: ", text_of(move.from), "; the release: ", move.to.text());
  // What is as it is to be needs no command.
  if (tag.stale || tag.place != Place::after) line += concat("; to finish: ", command_for(state, move, move.to));
  if (tag.stale || tag.place != Place::before) line += concat("; to undo: ", command_for(state, move, move.from));
  return line;
}

/// Some moving tags are of this release, and some may not be.
bool may_be_mixed(const State& state) {
  const auto moving =
      moves_where(state, [](const Tracked&, const TagMove& move) { return move.rank >= TagRank::moving; });
  const auto is_new = [&](std::size_t move) {
    return state.tags[move].place == Place::after || state.tags[move].written || state.tags[move].stale;
  };
  const auto is_surely_new = [&](std::size_t move) {
    return state.tags[move].place == Place::after && !state.tags[move].stale;
  };
  return std::ranges::any_of(moving, is_new) && !std::ranges::all_of(moving, is_surely_new);
}

/// By the last look at each tag alone.
std::string progress(const State& state) {
  const auto stale = moves_where(state, [](const Tracked& tag, const TagMove&) { return tag.stale; }).size();
  const auto there = moves_where(state, [](const Tracked& tag, const TagMove&) {
                       return tag.place == Place::after && !tag.stale;
                     }).size();
  std::string text = concat(there, " of ", state.tags.size(), " tags name the images of ", state.journal.version);
  if (stale > 0) text += concat(", and ", stale, " may have been written since they were looked at");
  return text;
}

}  // namespace

std::vector<std::string> tag_details(const State& state) {
  const auto from = state.journal.undone_from;
  const Place wanted = from ? Place::before : Place::after;
  const auto astray = moves_where(state, [&](const Tracked& tag, const TagMove& move) {
    return (tag.stale || tag.place != wanted) && (!from || move.rank >= *from);
  });
  std::vector<std::string> lines;
  for (const auto move : astray) lines.push_back(detail(state, move));
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
            state.goal == Goal::publish && state.journal.state == JournalState::open
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
    return tag.place == Place::after && move.rank >= state.journal.undone_from && !tag.orphaned;
  });
  const std::string why = state.cause ? concat(" The release stopped because: ", describe(*state.cause), ".") : "";
  const std::string undo = state.trouble ? concat(" (", describe(*state.trouble), ")") : "";
  return {ErrorCode::needs_person,
          concat(names(state, left), ": the release of ", state.journal.version, " can neither go on nor be undone",
                 undo, ".", why),
          "Mend what the registry says and run it again: it goes on undoing; `crategate recover --forward` finishes "
          "the release instead. The lines above have the command for each tag.",
          {},
          std::nullopt,
          std::nullopt};
}

Ending report_open(const State& state, Error error) {
  Ending ending{std::move(error), {}};
  const bool begun = std::ranges::any_of(
      state.tags, [](const Tracked& tag) { return tag.written || tag.stale || tag.place == Place::after; });
  Error& shown = *ending.error;
  const bool for_a_person = shown.code == ErrorCode::needs_person;
  if (!begun && !for_a_person) return ending;
  ending.details = tag_details(state);
  if (for_a_person) return ending;
  const bool passes = is_transient(shown.code);
  // Who was told to stop, or has lost the lease, leaves the rest to whoever comes next.
  const bool cancelled = shown.code == ErrorCode::interrupted || shown.code == ErrorCode::terminated;
  shown.message += concat("; ", cancelled ? concat("the release is open: ", progress(state)) : progress(state));
  if (cancelled) {
    shown.hint = concat("Run the same command again: it ", state.journal.undone_from ? "undoes" : "settles",
                        " this release first. `crategate status` shows every tag; `crategate recover` finishes the "
                        "release, with --back undoes it.");
    return ending;
  }
  if (may_be_mixed(state) && shown.code != ErrorCode::conflict) shown.code = ErrorCode::needs_person;
  if (!passes) return ending;
  shown.hint = "Run it again: it goes on from here. `crategate status` shows every tag.";
  return ending;
}

Ending report_closed(const State& state) {
  Ending ending{state.cause, {}};
  if (!state.journal.undone_from) {
    if (ending.error) ending.details = tag_details(state);
    return ending;
  }
  std::vector<std::size_t> left = foreign(state);
  const auto orphans =
      moves_where(state, [](const Tracked& tag, const TagMove&) { return tag.orphaned && tag.place == Place::after; });
  left.insert(left.end(), orphans.begin(), orphans.end());
  for (const auto move : left) ending.details.push_back(detail(state, move));
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
            concat("the release of ", state.journal.version, " was undone: ",
                   state.journal.undone_from > TagRank::version ? "the tags of the rank that failed" : "its tags",
                   " name what they named before", kept, ": ", why),
            state.cause ? state.cause->hint : std::string(),
            {},
            std::nullopt,
            std::nullopt};
  return ending;
}

}  // namespace crategate::pipeline::protocol
