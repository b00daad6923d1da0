// What a dry run prints: a line for each write, in their order.
#include <utility>
#include <vector>

#include "base/strings.h"
#include "json/value.h"
#include "render/decisions.h"
#include "render/line.h"
#include "render/tag_text.h"

namespace crategate::render {
namespace {

std::string line_of(const pipeline::Copy& copy) {
  const std::string name = concat(repository_name(copy.to), "@", copy.digest.text());
  if (copy.from.empty()) return concat("PUT ", name, " (the index of the release)");
  return concat("COPY ", name, " (from ", repository_name(copy.from), ")");
}

std::string line_of(const pipeline::TagMove& move) {
  const std::string where = tag_name(move);
  const std::string was = digest_or_absent(move.from);
  if (!move.needed) {
    const std::string why = move.note.empty() ? std::string() : concat(" (", move.note, ")");
    return concat("KEEP ", where, " ", was, why);
  }
  const std::string note = move.note.empty() ? std::string() : concat("; ", move.note);
  return concat("PUT ", where, " ", move.to.text(), " (was ", was, note, ")");
}

}  // namespace

std::string change_set_text(const pipeline::ChangeSet& change_set, const std::string& journal) {
  std::string text;
  for (const auto& copy : change_set.copies) text += concat(one_line(line_of(copy)), "\n");
  if (!change_set.empty()) text += concat(one_line(concat("JOURNAL ", journal)), "\n");
  for (const auto& move : change_set.moves) text += concat(one_line(line_of(move)), "\n");
  return text;
}

std::string change_set_json(const pipeline::ChangeSet& change_set) {
  std::vector<json::Value> writes;
  for (const auto& copy : change_set.copies) {
    writes.push_back(json::Value::object({{"name", concat(copy.to, "@", copy.digest.text())},
                                          {"from", json::Value()},
                                          {"to", copy.digest.text()},
                                          {"needed", true},
                                          {"note", copy.from.empty() ? "made here" : concat("from ", copy.from)}}));
  }
  for (const auto& move : change_set.moves) {
    writes.push_back(json::Value::object({{"name", concat(move.repository, ":", move.tag)},
                                          {"from", move.from ? json::Value(move.from->text()) : json::Value()},
                                          {"to", move.to.text()},
                                          {"needed", move.needed},
                                          {"note", move.note}}));
  }
  return json::Value::array(std::move(writes)).pretty();
}

}  // namespace crategate::render
