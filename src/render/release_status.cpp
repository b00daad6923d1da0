// What `status` and a dry run of `recover` print.
#include <utility>
#include <vector>

#include "base/strings.h"
#include "json/value.h"
#include "oci/reference.h"
#include "render/decisions.h"
#include "render/line.h"

namespace crategate::render {
namespace {

using pipeline::protocol::Place;

std::string_view word(Place place) {
  switch (place) {
    case Place::before:
      return "to do";
    case Place::after:
      return "done";
    case Place::foreign:
      return "foreign";
    case Place::unknown:
      break;
  }
  return "unknown";
}

std::string digest_or_absent(const pipeline::protocol::Seen& digest) {
  return digest ? digest->text() : std::string("absent");
}

std::string name_of(const pipeline::TagMove& move) {
  const auto repository = oci::parse_repository(move.repository);
  return concat(repository ? repository->familiar() : move.repository, ":", move.tag);
}

std::string line_of(const pipeline::TagMove& move, const pipeline::protocol::Seen& seen) {
  const Place place = pipeline::protocol::place_of(move, seen);
  const std::string text =
      concat(word(place), std::string(8 - word(place).size(), ' '), name_of(move), " names ", digest_or_absent(seen));
  if (place == Place::after) return concat(text, " (before: ", digest_or_absent(move.from), ")");
  if (place == Place::before) return concat(text, " (the release: ", move.to.text(), ")");
  return concat(text, " (before: ", digest_or_absent(move.from), ", the release: ", move.to.text(), ")");
}

std::string milliseconds(std::chrono::microseconds time) {
  return concat(time.count() / 1000, ".", time.count() / 100 % 10, " ms");
}

}  // namespace

std::string windows_text(const pipeline::Windows& windows) {
  if (windows.unprotected.count() == 0) return {};
  std::string text = concat("unprotected for ", milliseconds(windows.unprotected),
                            " at most (from the last look at a tag to its acknowledged write)");
  if (windows.mixed.count() == 0) return text;
  return concat(text, "; moving tags mixed for ", milliseconds(windows.mixed), " (from the first to the last)");
}

std::string status_text(const ReleaseStatus& status) {
  if (!status.journal) return concat("no release is known: there is no journal at ", status.where, "\n");
  const auto& journal = *status.journal;
  std::string text =
      concat("release of ", journal.version, ": ", to_string(journal.state), ", begun ", journal.started_at,
             journal.run.empty() ? "" : concat(" by run ", journal.run), "; journal ", status.where, "\n");
  std::size_t done = 0;
  bool foreign = false;
  for (std::size_t i = 0; i < journal.moves.size(); ++i) {
    const Place place = pipeline::protocol::place_of(journal.moves[i], status.seen[i]);
    done += place == Place::after ? 1 : 0;
    foreign = foreign || place == Place::foreign;
    text += concat(one_line(line_of(journal.moves[i], status.seen[i])), "\n");
  }
  text += concat(done, " of ", journal.moves.size(), " tags name the images of ", journal.version, "\n");
  if (journal.state != pipeline::JournalState::open) return text;
  text +=
      "The next push, release or run settles it; `crategate recover` finishes it, `crategate recover --back` "
      "undoes it.\n";
  if (foreign) text += "What is foreign was written by somebody else, and is never overwritten.\n";
  return text;
}

std::string status_json(const ReleaseStatus& status) {
  auto value = json::Value::object({{"journal", status.where}});
  if (!status.journal) return value.set("state", json::Value()).pretty();
  const auto& journal = *status.journal;
  auto tags = json::Value::array();
  for (std::size_t i = 0; i < journal.moves.size(); ++i) {
    const auto& move = journal.moves[i];
    const auto& seen = status.seen[i];
    tags.push(json::Value::object({{"name", concat(move.repository, ":", move.tag)},
                                   {"rank", to_string(move.rank)},
                                   {"place", word(pipeline::protocol::place_of(move, seen))},
                                   {"before", move.from ? json::Value(move.from->text()) : json::Value()},
                                   {"now", seen ? json::Value(seen->text()) : json::Value()},
                                   {"after", move.to.text()}}));
  }
  value.set("state", to_string(journal.state));
  value.set("version", journal.version);
  value.set("plan_id", journal.plan_id);
  value.set("commit", journal.commit);
  value.set("run", journal.run);
  value.set("attempt", journal.attempt);
  value.set("started_at", journal.started_at);
  value.set("tags", std::move(tags));
  return value.pretty();
}

std::string recovery_text(const ReleaseStatus& status, bool back) {
  if (!status.journal || status.journal->state != pipeline::JournalState::open) return "nothing to recover\n";
  std::string text;
  for (std::size_t i = 0; i < status.journal->moves.size(); ++i) {
    const auto& move = status.journal->moves[i];
    const Place place = pipeline::protocol::place_of(move, status.seen[i]);
    if (place != (back ? Place::after : Place::before)) {
      text += concat("KEEP ", name_of(move), " ", digest_or_absent(status.seen[i]), "\n");
    } else if (back && !move.from) {
      text += concat("DELETE ", name_of(move), " (was ", digest_or_absent(status.seen[i]), ")\n");
    } else {
      text += concat("PUT ", name_of(move), " ", back ? move.from->text() : move.to.text(), " (was ",
                     digest_or_absent(status.seen[i]), ")\n");
    }
  }
  return text;
}

}  // namespace crategate::render
