// Words for stages, digests and moves, shared by the terminal and the summary.
#include "render/columns.h"

#include "base/strings.h"

namespace crategate::render {
namespace {

constexpr std::size_t kShortHex = 12;

std::string short_text(const oci::Digest& digest) {
  return concat(digest.algorithm(), ":", digest.hex().substr(0, kShortHex));
}

std::string count_text(const pipeline::TestResult& tests) {
  if (tests.total == 0) return {};
  std::string text = concat(" ", tests.total - tests.failed, "/", tests.total);
  if (tests.skipped > 0) text += concat(", ", tests.skipped, " skipped");
  return text;
}

/// Of a scan only what was found matters; that none was asked for is said, too.
std::string scan_text(const CellReport& cell) {
  if (cell.scan.state == StageState::skipped) return std::string(pipeline::kNotScanned);
  std::string text(to_string(cell.scan.state));
  if (cell.scanned && cell.scanned->counts.total() > 0) text += concat(", ", counts_text(cell.scanned->counts));
  return text;
}

}  // namespace

const std::vector<Column>& stage_columns() {
  static const std::vector<Column> columns = {{"build", &CellReport::build}, {"scan", &CellReport::scan},
                                              {"test", &CellReport::test},   {"digest", &CellReport::digest},
                                              {"gate", &CellReport::gate},   {"push", &CellReport::push}};
  return columns;
}

std::string stage_text(const CellReport& cell, const Column& column) {
  const StageReport& stage = cell.*column.stage;
  std::string text = column.stage == &CellReport::scan ? scan_text(cell) : std::string(to_string(stage.state));
  const bool has_run =
      stage.state == StageState::passed || stage.state == StageState::failed || stage.state == StageState::cached;
  if (column.stage == &CellReport::test && has_run) {
    if (const auto* tests = cell.tests ? &*cell.tests : cell.record ? &cell.record->tests : nullptr) {
      text += count_text(*tests);
    }
  }
  if (stage.duration_ms > 0) text += concat(" ", format_duration(stage.duration_ms));
  return text;
}

std::string short_digest(const CellReport& cell) {
  return cell.candidate ? short_text(*cell.candidate) : std::string();
}

std::string move_text(const pipeline::TagMove& move) {
  const std::string from = move.from ? short_text(*move.from) : std::string("absent");
  const std::string what = move.needed ? concat(from, " → ", short_text(move.to)) : concat("stays ", from);
  return concat(move.repository, ":", move.tag, "  ", what, move.note.empty() ? "" : concat(" (", move.note, ")"));
}

}  // namespace crategate::render
