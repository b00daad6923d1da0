#include "pipeline/change_set.h"

#include <algorithm>

namespace crategate::pipeline {
namespace {

bool is_needed(const std::vector<TagMove>& moves, const std::string& cell) {
  return std::ranges::any_of(moves, [&](const TagMove& move) { return move.needed && move.cell == cell; });
}

bool is_named(const std::vector<TagMove>& in_place, const std::string& cell) {
  return std::ranges::find(in_place, cell, &TagMove::cell) != in_place.end();
}

}  // namespace

bool ChangeSet::empty() const {
  return std::ranges::none_of(moves, [](const TagMove& move) { return move.needed; });
}

std::vector<Copy> needed_copies(const Plan& plan, const std::map<std::string, oci::Digest>& tested,
                                const std::vector<TagMove>& moves, const std::vector<TagMove>& in_place) {
  std::vector<Copy> copies;
  const auto bring = [&](const Cell& cell, const std::string& to) {
    if (cell.candidate != to) copies.push_back({cell.key, cell.candidate, to, tested.at(cell.key)});
  };
  for (const auto& cell : plan.cells) {
    if (is_needed(moves, cell.key) && !is_named(in_place, cell.key)) bring(cell, cell.image);
  }
  const auto set = std::ranges::find_if(moves, [](const TagMove& move) { return move.needed && move.cell.empty(); });
  if (set == moves.end()) return copies;
  for (const auto& cell : plan.cells) bring(cell, set->repository);
  copies.push_back({"", "", set->repository, set->to});
  return copies;
}

}  // namespace crategate::pipeline
