// What `status` and `recover` print.
#include <utility>
#include <vector>

#include "base/strings.h"
#include "json/value.h"
#include "render/decisions.h"
#include "render/line.h"
#include "render/tag_text.h"

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

std::string line_of(const pipeline::TagMove& move, const pipeline::protocol::Seen& seen) {
  const Place place = pipeline::protocol::place_of(move, seen);
  const std::string text =
      concat(word(place), std::string(8 - word(place).size(), ' '), tag_name(move), " names ", digest_or_absent(seen));
  if (place == Place::after) return concat(text, " (before: ", digest_or_absent(move.from), ")");
  if (place == Place::before) return concat(text, " (the release: ", move.to.text(), ")");
  return concat(text, " (before: ", digest_or_absent(move.from), ", the release: ", move.to.text(), ")");
}

enum class Action : unsigned char { keep, put, remove };

Action action_of(const pipeline::TagMove& move, Place place, bool back) {
  if (place != (back ? Place::after : Place::before)) return Action::keep;
  return back && !move.from ? Action::remove : Action::put;
}

std::string_view word(Action action) {
  switch (action) {
    case Action::put:
      return "put";
    case Action::remove:
      return "delete";
    case Action::keep:
      break;
  }
  return "keep";
}

std::string recovery_line(const pipeline::TagMove& move, const pipeline::protocol::Seen& seen, bool back) {
  const Place place = pipeline::protocol::place_of(move, seen);
  const std::string now = digest_or_absent(seen);
  switch (action_of(move, place, back)) {
    case Action::put:
      return concat("PUT ", tag_name(move), " ", (back ? *move.from : move.to).text(), " (was ", now, ")");
    case Action::remove:
      return concat("DELETE ", tag_name(move), " (was ", now, "), where the registry removes tags");
    case Action::keep:
      break;
  }
  return concat("KEEP ", tag_name(move), " ", now,
                place == Place::foreign ? " (foreign: somebody else wrote it)" : std::string_view());
}

bool is_open(const ReleaseStatus& status) {
  return status.journal && status.journal->state == pipeline::JournalState::open;
}

/// Empty where no lease is kept.
std::string lease_line(const std::optional<pipeline::SeenLease>& lease) {
  if (!lease) return {};
  const std::string held = concat("lease: held by ", lease->holder, " until ", lease->until);
  switch (lease->claim) {
    case pipeline::Claim::free:
      return "lease: free\n";
    case pipeline::Claim::expired:
      return concat(one_line(concat("lease: free, ", lease->holder, " let it run out at ", lease->until)), "\n");
    case pipeline::Claim::resumed:
      return concat(one_line(concat(held, "; that attempt is over, and this one may take it")), "\n");
    case pipeline::Claim::own:
    case pipeline::Claim::held:
      break;
  }
  return concat(one_line(held), "\n");
}

std::string_view word(pipeline::Claim claim) {
  switch (claim) {
    case pipeline::Claim::free:
      return "free";
    case pipeline::Claim::expired:
      return "expired";
    case pipeline::Claim::resumed:
    case pipeline::Claim::own:
    case pipeline::Claim::held:
      break;
  }
  return "held";
}

json::Value lease_value(const std::optional<pipeline::SeenLease>& lease) {
  if (!lease) return {};
  const auto text = [](const std::string& value) { return value.empty() ? json::Value() : json::Value(value); };
  return json::Value::object(
      {{"state", word(lease->claim)}, {"holder", text(lease->holder)}, {"until", text(lease->until)}});
}

/// `back`: in which direction each tag's action would take it; nullopt = none is planned.
json::Value tags_value(const ReleaseStatus& status, std::optional<bool> back) {
  auto tags = json::Value::array();
  for (std::size_t i = 0; i < status.journal->moves.size(); ++i) {
    const auto& move = status.journal->moves[i];
    const auto& seen = status.seen[i];
    const Place place = pipeline::protocol::place_of(move, seen);
    auto tag = json::Value::object({{"name", concat(move.repository, ":", move.tag)},
                                    {"rank", to_string(move.rank)},
                                    {"place", word(place)},
                                    {"before", move.from ? json::Value(move.from->text()) : json::Value()},
                                    {"now", seen ? json::Value(seen->text()) : json::Value()},
                                    {"after", move.to.text()}});
    if (back) tag.set("action", word(action_of(move, place, *back)));
    tags.push(std::move(tag));
  }
  return tags;
}

/// Of the release itself; `tags` is the last member.
void add_release(json::Value& value, const ReleaseStatus& status, std::optional<bool> back) {
  if (!status.journal) {
    value.set("state", json::Value());
    return;
  }
  const auto& journal = *status.journal;
  value.set("state", to_string(journal.state));
  if (journal.undone_from) value.set("undone_from", to_string(*journal.undone_from));
  value.set("version", journal.version);
  value.set("plan_id", journal.plan_id);
  value.set("commit", journal.commit);
  value.set("run", journal.run);
  value.set("attempt", journal.attempt);
  value.set("started_at", journal.started_at);
  value.set("tags", tags_value(status, back));
}

json::Value recovery_value(const std::string& where, std::string_view outcome, bool back) {
  return json::Value::object({{"journal", where}, {"outcome", outcome}, {"direction", back ? "back" : "forward"}});
}

std::string state_of(const pipeline::Journal& journal) {
  const bool turned = journal.state == pipeline::JournalState::open && journal.undone_from;
  return concat(to_string(journal.state), turned ? ", being undone" : "");
}

/// What ends an open release.
std::string ways_out(const pipeline::Journal& journal, const std::optional<pipeline::SeenLease>& lease) {
  if (lease && lease->claim == pipeline::Claim::held) {
    return one_line(concat("at work: ", lease->holder, ", until it gives the lease back or it runs out at ",
                           lease->until, "; what it leaves open is settled after that")) +
           "\n";
  }
  if (journal.undone_from) {
    return "The next push, release or run undoes the rest, as does `crategate recover --back`; `crategate recover` "
           "finishes it instead.\n";
  }
  return "The next push, release or run settles it; `crategate recover` finishes it, `crategate recover --back` "
         "undoes it.\n";
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
  if (!status.journal) {
    return concat("no release is known: there is no journal at ", one_line(status.where), "\n",
                  lease_line(status.lease));
  }
  const auto& journal = *status.journal;
  std::string text =
      one_line(concat("release of ", journal.version, ": ", state_of(journal), ", begun ", journal.started_at,
                      journal.run.empty() ? "" : concat(" by run ", journal.run), "; journal ", status.where));
  text += concat("\n", lease_line(status.lease));
  std::size_t done = 0;
  bool foreign = false;
  for (std::size_t i = 0; i < journal.moves.size(); ++i) {
    const Place place = pipeline::protocol::place_of(journal.moves[i], status.seen[i]);
    done += place == Place::after ? 1 : 0;
    foreign = foreign || place == Place::foreign;
    text += concat(one_line(line_of(journal.moves[i], status.seen[i])), "\n");
  }
  text += concat(done, " of ", journal.moves.size(), " tags name the images of ", one_line(journal.version), "\n");
  if (journal.state != pipeline::JournalState::open) return text;
  text += ways_out(journal, status.lease);
  if (foreign)
    text += "What is foreign was written by somebody else, and nothing that settles this release overwrites it.\n";
  return text;
}

std::string status_json(const ReleaseStatus& status) {
  auto value = json::Value::object({{"journal", status.where}, {"lease", lease_value(status.lease)}});
  add_release(value, status, std::nullopt);
  return value.pretty();
}

std::string recovery_text(const ReleaseStatus& status, bool back) {
  if (!is_open(status)) return "nothing to recover\n";
  std::string text;
  for (std::size_t i = 0; i < status.journal->moves.size(); ++i) {
    text += concat(one_line(recovery_line(status.journal->moves[i], status.seen[i], back)), "\n");
  }
  return text;
}

std::string recovery_json(const ReleaseStatus& status, bool back) {
  auto value = recovery_value(status.where, is_open(status) ? "planned" : "nothing", back);
  value.set("lease", lease_value(status.lease));
  if (is_open(status)) add_release(value, status, back);
  return value.pretty();
}

std::string recovered_text(const std::optional<ReleaseStatus>& status, bool back) {
  if (!status) return "nothing to recover: no release was left open\n";
  const std::string release = one_line(concat("the release of ", status->journal->version));
  if (!back) return concat(release, " is finished\n");
  std::string stays;
  std::size_t count = 0;
  for (std::size_t i = 0; i < status->journal->moves.size(); ++i) {
    const auto& move = status->journal->moves[i];
    if (pipeline::protocol::place_of(move, status->seen[i]) != Place::after) continue;
    ++count;
    stays += concat(one_line(concat("STAYS ", tag_name(move), " ", move.to.text())), "\n");
  }
  if (count == 0) return concat(release, " is undone\n");
  return concat(stays, release, " is undone but for ", count, count == 1 ? " tag that was" : " tags that were",
                " new: the registry removes no tags\n");
}

std::string recovered_json(const std::optional<ReleaseStatus>& status, const std::string& where, bool back) {
  auto value = recovery_value(where, !status ? "nothing" : back ? "undone" : "finished", back);
  if (status) add_release(value, *status, std::nullopt);
  return value.pretty();
}

}  // namespace crategate::render
