// What a dry run prints: one line for each tag.
#include "base/strings.h"
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
    return concat("KEEP ", where, " ", move.from ? move.from->text() : move.to.text(), why);
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

}  // namespace crategate::render
