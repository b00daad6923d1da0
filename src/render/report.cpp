// The report as a value: states and an empty report.
#include "render/report.h"

#include <array>
#include <utility>

namespace crategate::render {
namespace {

constexpr std::array<std::pair<StageState, std::string_view>, 6> kStates = {{{StageState::pending, "pending"},
                                                                             {StageState::running, "running"},
                                                                             {StageState::passed, "passed"},
                                                                             {StageState::failed, "failed"},
                                                                             {StageState::skipped, "skipped"},
                                                                             {StageState::cached, "cached"}}};

}  // namespace

std::string_view to_string(StageState state) {
  for (const auto& [known, text] : kStates) {
    if (known == state) return text;
  }
  return "pending";
}

std::optional<StageState> parse_stage_state(std::string_view text) {
  for (const auto& [state, known] : kStates) {
    if (known == text) return state;
  }
  return std::nullopt;
}

Report begin_report(const pipeline::Plan& plan) {
  Report report{.plan = plan};
  report.cells.reserve(plan.cells.size());
  for (const auto& cell : plan.cells) {
    report.cells.push_back(CellReport{.key = cell.key, .image = cell.image, .tags = cell.tags});
  }
  return report;
}

}  // namespace crategate::render
