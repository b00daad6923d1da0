#include "pipeline/journal.h"

#include <array>
#include <utility>

#include "base/strings.h"
#include "pipeline/document.h"

namespace crategate::pipeline {
namespace {

using json::Reader;
using json::Value;

constexpr std::array kRanks = {TagRank::version, TagRank::extra, TagRank::moving, TagRank::set};
constexpr std::array kStates = {JournalState::open, JournalState::done, JournalState::rolled_back,
                                JournalState::stopped};

/// The value of `values` that has the word at `key`.
template <class Words>
auto word_at(const Reader& from, std::string_view key, const Words& values) -> Result<typename Words::value_type> {
  CG_TRY(const auto member, from.at(key));
  CG_TRY(const auto word, member.as_string());
  std::vector<std::string> known;
  for (const auto value : values) {
    if (to_string(value) == word) return value;
    known.emplace_back(to_string(value));
  }
  return member.expected(join(known, ", "));
}

Value journal_value(const Journal& journal) {
  auto moves = Value::array();
  for (const auto& move : journal.moves) moves.push(to_value(move));
  return Value::object({{"schema", kSchema},
                        {"images", journal.images},
                        {"epoch", journal.epoch},
                        {"state", to_string(journal.state)},
                        {"plan_id", journal.plan_id},
                        {"version", journal.version},
                        {"commit", journal.commit},
                        {"run", journal.run},
                        {"attempt", journal.attempt},
                        {"started_at", journal.started_at},
                        {"moves", std::move(moves)},
                        {"newest", Value::object_of(journal.newest)}});
}

Result<Journal> read_journal(const Reader& from) {
  Journal journal;
  CG_TRY(journal.images, from.string("images"));
  CG_TRY(journal.epoch, count_at(from, "epoch"));
  CG_TRY(journal.state, word_at(from, "state", kStates));
  CG_TRY(journal.plan_id, from.string("plan_id"));
  CG_TRY(journal.version, from.string("version"));
  CG_TRY(journal.commit, from.string("commit"));
  CG_TRY(journal.run, from.string("run"));
  CG_TRY(journal.attempt, from.string("attempt"));
  CG_TRY(journal.started_at, from.string("started_at"));
  CG_TRY(const auto moves, from.at("moves"));
  CG_TRY(const auto items, moves.items());
  for (const auto& item : items) {
    CG_TRY(auto move, read_move(item));
    journal.moves.push_back(std::move(move));
  }
  CG_TRY(journal.newest, from.string_map("newest"));
  return journal;
}

}  // namespace

std::string_view to_string(TagRank rank) {
  switch (rank) {
    case TagRank::version:
      return "version";
    case TagRank::extra:
      return "extra";
    case TagRank::moving:
      return "moving";
    case TagRank::set:
      return "set";
  }
  return "";
}

std::string_view to_string(JournalState state) {
  switch (state) {
    case JournalState::open:
      return "open";
    case JournalState::done:
      return "done";
    case JournalState::rolled_back:
      return "rolled-back";
    case JournalState::stopped:
      return "stopped";
  }
  return "";
}

Value to_value(const TagMove& move) {
  return Value::object({{"cell", move.cell},
                        {"repository", move.repository},
                        {"tag", move.tag},
                        {"rank", to_string(move.rank)},
                        {"from", move.from ? Value(move.from->text()) : Value()},
                        {"to", move.to.text()},
                        {"note", move.note}});
}

Result<TagMove> read_move(const Reader& from) {
  CG_TRY(auto to, digest_at(from, "to"));
  TagMove move{.cell = {}, .repository = {}, .tag = {}, .from = std::nullopt, .to = std::move(to), .note = {}};
  CG_TRY(move.cell, from.string("cell"));
  CG_TRY(move.repository, from.string("repository"));
  CG_TRY(move.tag, from.string("tag"));
  CG_TRY(move.rank, word_at(from, "rank", kRanks));
  CG_TRY(move.note, from.string_or("note", ""));
  CG_TRY(const auto was, from.find("from"));
  if (was) {
    CG_TRY(move.from, digest_from(*was));
  }
  return move;
}

std::string to_json(const Journal& journal) { return concat(journal_value(journal).canonical(), "\n"); }

Result<Journal> parse_journal(std::string_view text, std::string_view file_name) {
  return parse_document(
      text, file_name, read_journal, journal_value,
      "Look at the tags (`crategate registry ls`), then move the journal away: the next release starts from what they "
      "name.");
}

std::map<std::string, std::string> newest_after(const Journal& journal) {
  auto newest = journal.newest;
  for (const auto& move : journal.moves) {
    if (move.rank >= TagRank::moving) newest[move.tag] = journal.version;
  }
  return newest;
}

}  // namespace crategate::pipeline
