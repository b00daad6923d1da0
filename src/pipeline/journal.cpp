#include "pipeline/journal.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "base/strings.h"
#include "oci/reference.h"
#include "pipeline/document.h"

namespace crategate::pipeline {
namespace {

using json::Reader;
using json::Value;

constexpr std::array kRanks = {TagRank::version, TagRank::extra, TagRank::moving, TagRank::set};
constexpr std::array kStates = {JournalState::open, JournalState::done, JournalState::rolled_back,
                                JournalState::stopped};

/// The value of `values` that has that word.
template <class Words>
auto word(const Reader& member, const Words& values) -> Result<typename Words::value_type> {
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
  auto value = Value::object({{"schema", kSchema},
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
                              {"newest", Value::object_of(journal.last.versions)}});
  if (!journal.last.images.empty()) {
    auto named = Value::object();
    for (const auto& [tag, image] : journal.last.images) named.set(tag, image.text());
    value.set("named", std::move(named));
  }
  if (journal.undone_from) value.set("undone_from", to_string(*journal.undone_from));
  return value;
}

Result<Journal> read_journal(const Reader& from) {
  Journal journal;
  CG_TRY(journal.images, from.string("images"));
  CG_TRY(journal.epoch, count_at(from, "epoch"));
  CG_TRY(const auto state, from.at("state"));
  CG_TRY(journal.state, word(state, kStates));
  CG_TRY(journal.plan_id, from.string("plan_id"));
  CG_TRY(journal.version, from.string("version"));
  CG_TRY(journal.commit, from.string("commit"));
  CG_TRY(journal.run, from.string("run"));
  CG_TRY(journal.attempt, from.string("attempt"));
  CG_TRY(journal.started_at, time_at(from, "started_at"));
  CG_TRY(const auto moves, from.at("moves"));
  CG_TRY(const auto items, moves.items());
  if (items.empty() && journal.state == JournalState::open) return moves.expected("the moves of an open release");
  std::set<std::string> tags;
  for (const auto& item : items) {
    CG_TRY(auto move, read_move(item));
    if (!tags.insert(concat(move.repository, ":", move.tag)).second) return item.expected("a tag of its own");
    journal.moves.push_back(std::move(move));
  }
  CG_TRY(journal.last.versions, from.string_map("newest"));
  CG_TRY(const auto named, from.find("named"));
  if (named) {
    CG_TRY(const auto images, named->members());
    for (const auto& [tag, image] : images) {
      CG_TRY(auto digest, digest_from(image));
      journal.last.images.insert_or_assign(tag, std::move(digest));
    }
  }
  CG_TRY(const auto undone, from.find("undone_from"));
  if (undone) {
    CG_TRY(journal.undone_from, word(*undone, kRanks));
  }
  return journal;
}

bool is_of_set(const TagMove& move, const Plan& plan) {
  return move.cell.empty() && plan.release_set.starts_with(concat(move.repository, ":"));
}

bool is_of_plan(const TagMove& move, const Plan& plan) {
  return std::ranges::find(plan.cells, move.repository, &Cell::image) != plan.cells.end();
}

/// Empty where nobody can be asked for it.
std::string registry_of(const std::string& repository) {
  const auto parsed = oci::parse_repository(repository);
  return parsed ? parsed->registry : std::string();
}

std::set<std::string> known_registries(const Plan& plan) {
  std::set<std::string> known;
  for (const auto& cell : plan.cells) known.insert(registry_of(cell.image));
  const auto set = oci::parse_reference(plan.release_set);
  if (set) known.insert(set->repository.registry);
  known.erase("");
  return known;
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
  CG_TRY(const auto rank, from.at("rank"));
  CG_TRY(move.rank, word(rank, kRanks));
  CG_TRY(move.note, from.string_or("note", ""));
  CG_TRY(const auto was, from.find("from"));
  if (was) {
    CG_TRY(move.from, digest_from(*was));
  }
  return move;
}

const TagMove* find_stranger(const Journal& journal, const Plan& plan) {
  const auto known = known_registries(plan);
  const auto stranger = std::ranges::find_if(journal.moves, [&](const TagMove& move) {
    if (journal.state == JournalState::open) return !is_of_set(move, plan) && !is_of_plan(move, plan);
    return !known.contains(registry_of(move.repository));
  });
  return stranger == journal.moves.end() ? nullptr : &*stranger;
}

bool is_superseded(const Journal& journal, const TagMove& move, const Plan& plan,
                   const std::map<std::string, oci::Digest>& tested) {
  const auto now = tested.find(move.cell);
  return journal.plan_id == plan.plan_id && now != tested.end() && now->second != move.to;
}

bool is_leftover(const Journal& before, const std::string& version, const PlannedTag& tag, const oci::Digest& names) {
  if (before.state != JournalState::rolled_back || before.version != version) return false;
  return std::ranges::any_of(before.moves, [&](const TagMove& move) {
    return move.repository == tag.repository && move.tag == tag.tag && !move.from && move.to == names;
  });
}

std::string to_json(const Journal& journal) { return concat(journal_value(journal).canonical(), "\n"); }

Result<Journal> parse_journal(std::string_view text, std::string_view file_name) {
  return parse_document(
      text, file_name, read_journal, journal_value,
      "Look at the tags (`crategate registry ls`), then move the journal away: the next release starts from what they "
      "name.");
}

LastMoved last_after(const Journal& journal) {
  LastMoved last = journal.last;
  for (const auto& move : journal.moves) {
    if (move.rank < TagRank::moving) continue;
    auto& version = last.versions[move.tag];
    if (version != journal.version) {
      std::erase_if(last.images, [&](const auto& entry) { return entry.first.ends_with(concat(":", move.tag)); });
    }
    version = journal.version;
    if (move.rank == TagRank::moving) last.images.insert_or_assign(concat(move.repository, ":", move.tag), move.to);
  }
  return last;
}

}  // namespace crategate::pipeline
