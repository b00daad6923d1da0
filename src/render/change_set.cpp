// What a dry run prints: one line for each tag.
#include <utility>
#include <vector>

#include "base/strings.h"
#include "json/value.h"
#include "oci/reference.h"
#include "render/decisions.h"
#include "render/line.h"

namespace crategate::render {
namespace {

std::string line_of(const pipeline::TagMove& move) {
  const auto repository = oci::parse_repository(move.repository);
  const std::string where = concat(repository ? repository->familiar() : move.repository, ":", move.tag);
  const std::string was = move.from ? move.from->text() : std::string("absent");
  if (!move.needed) {
    const std::string why = move.note.empty() ? std::string() : concat(" (", move.note, ")");
    return concat("KEEP ", where, " ", was, why);
  }
  const std::string note = move.note.empty() ? std::string() : concat("; ", move.note);
  return concat("PUT ", where, " ", move.to.text(), " (was ", was, note, ")");
}

}  // namespace

std::string change_set_text(const pipeline::ChangeSet& change_set) {
  std::string text;
  for (const auto& move : change_set.moves) text += concat(one_line(line_of(move)), "\n");
  return text;
}

std::string change_set_json(const pipeline::ChangeSet& change_set) {
  std::vector<json::Value> moves;
  for (const auto& move : change_set.moves) {
    moves.push_back(json::Value::object({{"name", concat(move.repository, ":", move.tag)},
                                         {"from", move.from ? json::Value(move.from->text()) : json::Value()},
                                         {"to", move.to.text()},
                                         {"needed", move.needed},
                                         {"note", move.note}}));
  }
  return json::Value::array(std::move(moves)).pretty();
}

}  // namespace crategate::render
