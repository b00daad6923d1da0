// release.json: what was published where, by which evidence.
#include "base/strings.h"
#include "json/value.h"
#include "render/report.h"

namespace crategate::render {
namespace {

using json::Value;

constexpr std::int64_t kSchema = 1;

/// What the tag names at the end: a kept one names what it named before.
const oci::Digest& outcome(const pipeline::TagMove& move) { return move.needed || !move.from ? move.to : *move.from; }

Value tests_of(const CellReport& cell) {
  const auto* tests = cell.record ? &cell.record->tests : cell.tests ? &*cell.tests : nullptr;
  if (tests == nullptr) return {};
  return Value::object({{"verdict", pipeline::to_string(tests->verdict)},
                        {"total", tests->total},
                        {"failed", tests->failed},
                        {"skipped", tests->skipped},
                        {"duration_ms", tests->duration_ms}});
}

Value scan_of(const CellReport& cell) {
  const auto* scan = cell.record && cell.record->scan ? &*cell.record->scan : cell.scanned ? &*cell.scanned : nullptr;
  if (scan == nullptr) return {};
  Value counts = Value::object();
  for (const auto severity : pipeline::kSeverities)
    counts.set(to_lower(to_string(severity)), scan->counts.of(severity));
  return Value::object({{"threshold", scan->policy.severity},
                        {"counts", std::move(counts)},
                        {"scanner", scan->scanner},
                        {"scanner_version", scan->scanner_version},
                        {"report_digest", scan->report_digest}});
}

/// One word; null = nothing is known of the cell.
Value scan_word(const CellReport& cell) {
  if (cell.record && !cell.record->scan) return pipeline::kNotScanned;
  const auto* scan = cell.record ? &*cell.record->scan : cell.scanned ? &*cell.scanned : nullptr;
  return scan == nullptr ? Value() : Value(to_string(scan->verdict));
}

Value cell_value(const CellReport& cell) {
  auto value = Value::object({{"key", cell.key}, {"image", cell.image}, {"tags", Value::array_of(cell.tags)}});
  const auto& record = cell.record;
  value.set("manifest_digest", cell.candidate ? Value(cell.candidate->text()) : Value());
  value.set("config_digest", record ? Value(record->config_digest.text()) : Value());
  value.set("fingerprint", record ? Value(record->fingerprint) : Value());
  value.set("layer_text", record ? Value(record->layer_text) : Value());
  value.set("candidate", record ? Value(record->candidate) : Value());
  value.set("tests", tests_of(cell));
  value.set("scan", scan_word(cell));
  if (Value scan = scan_of(cell); !scan.is_null()) value.set("scan_result", std::move(scan));
  return value;
}

Value moved_value(const std::vector<pipeline::TagMove>& moves) {
  auto list = Value::array();
  for (const auto& move : moves) {
    if (!move.needed) continue;
    list.push(Value::object({{"repository", move.repository},
                             {"tag", move.tag},
                             {"from", move.from ? Value(move.from->text()) : Value()},
                             {"to", move.to.text()}}));
  }
  return list;
}

/// Rounded up: zero where there was none.
std::int64_t milliseconds(std::chrono::microseconds time) {
  return std::chrono::ceil<std::chrono::milliseconds>(time).count();
}

}  // namespace

std::string release_json(const Report& report) {
  auto cells = Value::array();
  for (const auto& cell : report.cells) cells.push(cell_value(cell));
  auto published = Value::object();
  for (const auto& move : report.published) {
    published.set(concat(move.repository, ":", move.tag), outcome(move).text());
  }
  return Value::object({{"schema", kSchema},
                        {"version", report.plan.version},
                        {"commit", report.plan.commit},
                        {"plan_id", report.plan.plan_id},
                        {"event", report.plan.event},
                        {"trigger", report.plan.policy.trigger},
                        {"verdict", report.verdict},
                        {"started_at", report.started_at},
                        {"finished_at", report.finished_at},
                        {"cells", std::move(cells)},
                        {"published", std::move(published)},
                        {"moved", moved_value(report.moved)},
                        {"mixed_ms", milliseconds(report.windows.mixed)},
                        {"unprotected_ms", milliseconds(report.windows.unprotected)}})
      .pretty();
}

}  // namespace crategate::render
