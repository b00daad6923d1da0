// report: collect, then write.
#include "stages/report.h"

#include <algorithm>

#include "base/strings.h"
#include "pipeline/planned_tags.h"
#include "stages/publication.h"

namespace crategate::stages {
namespace {

using pipeline::TagRank;
using render::StageState;

constexpr std::string_view kKept = "kept at another image";

void add_test_result(render::CellReport& cell, const pipeline::TestResult& result) {
  const bool passed = result.verdict == pipeline::TestVerdict::passed;
  const bool none = result.verdict == pipeline::TestVerdict::not_configured;
  cell.test = {none ? StageState::skipped : passed ? StageState::passed : StageState::failed, result.duration_ms};
  if (!passed && !none) cell.failure = concat("tests: ", pipeline::to_string(result.verdict), "; log: ", result.log);
  cell.tests = result;
}

void add_scan(render::CellReport& cell, const pipeline::ScanResult& result) {
  const bool failed = result.verdict == pipeline::ScanVerdict::failed;
  cell.scan = {failed ? StageState::failed : StageState::passed, result.duration_ms};
  if (failed && cell.failure.empty()) cell.failure = concat("scan: ", counts_text(result.counts));
  cell.scanned = result;
}

Result<void> add_evidence(render::CellReport& cell, const ReportInputs& in, const sys::FileSystem& files) {
  if (!in.plan.scan) cell.scan.state = StageState::skipped;
  CG_TRY(const auto built, load_built(files, in.workspace, in.plan, cell.key));
  if (built) cell.build = {StageState::passed, built->duration_ms};
  CG_TRY(const auto tests, load_test_result(files, in.workspace, in.plan, cell.key));
  if (tests) add_test_result(cell, *tests);
  CG_TRY(const auto scan, load_scan_result(files, in.workspace, in.plan, cell.key));
  if (scan) add_scan(cell, *scan);
  auto record = load_record(files, in.workspace, cell.key);
  if (!record) {
    cell.digest.state = StageState::failed;
    cell.failure = record.error().message;
    return {};
  }
  if (!*record || (*record)->plan_id != in.plan.plan_id) return {};
  cell.digest.state = StageState::passed;
  cell.record = **std::move(record);
  if (cell.record->scan) add_scan(cell, *cell.record->scan);
  // In a job of its own a report has the evidence only: what a record speaks of was built and tested elsewhere.
  if (!built) cell.build.state = StageState::passed;
  if (!tests) add_test_result(cell, cell.record->tests);
  return {};
}

/// The newest of `moves` of this tag, to `digest` if that is known.
std::optional<pipeline::TagMove> last_move(const std::vector<pipeline::TagMove>& moves, const std::string& image,
                                           const std::string& tag, const std::optional<oci::Digest>& digest) {
  const auto moved = std::ranges::find_if(moves.rbegin(), moves.rend(), [&](const auto& move) {
    return move.repository == image && move.tag == tag && (!digest || move.to == *digest);
  });
  return moved == moves.rend() ? std::nullopt : std::optional(*moved);
}

/// Of a tag that this plan did not move. What the set should name, only its stage works out.
std::string note_of(const pipeline::PlannedTag& tag, const std::optional<pipeline::Record>& record,
                    const oci::Digest& digest) {
  if (tag.rank == TagRank::set) return {};
  return std::string(record && record->manifest_digest == digest ? "already there" : kKept);
}

/// What `tag` names now, as a move: from what this plan found there, if this plan moved it.
Result<std::optional<pipeline::TagMove>> tag_now(const pipeline::PlannedTag& tag,
                                                 const std::vector<pipeline::TagMove>& moves,
                                                 const std::optional<pipeline::Record>& record,
                                                 registry::RegistryReader* reader) {
  if (reader == nullptr) return last_move(moves, tag.repository, tag.tag, std::nullopt);
  CG_TRY(const auto reference, tag_reference(tag.repository, tag.tag));
  CG_TRY(const auto digest, reader->digest(reference));
  if (!digest) return std::nullopt;
  if (auto moved = last_move(moves, tag.repository, tag.tag, digest)) return moved;
  return pipeline::TagMove{.cell = tag.cell,
                           .repository = tag.repository,
                           .tag = tag.tag,
                           .rank = tag.rank,
                           .from = digest,
                           .to = *digest,
                           .needed = false,
                           .note = note_of(tag, record, *digest)};
}

/// Nothing for the set, which has no cell.
std::optional<pipeline::Record> record_of(const render::Report& report, const std::string& cell) {
  const auto at = std::ranges::find(report.cells, cell, &render::CellReport::key);
  return at == report.cells.end() ? std::nullopt : at->record;
}

Result<void> add_tags(render::Report& report, const ReportInputs& in, const std::vector<pipeline::TagMove>& moves,
                      registry::RegistryReader* reader) {
  const auto tags_of = [&in](TagRank first, TagRank last) {
    return pipeline::planned_tags(in.plan, in.configuration.release, in.today, first, last);
  };
  CG_TRY(const auto versions, tags_of(TagRank::version, TagRank::version));
  for (std::size_t i = 0; i < in.plan.cells.size(); ++i) {
    auto& shown = report.cells[i];
    bool all_there = shown.record.has_value();
    bool kept = false;
    for (const auto& tag : versions) {
      if (tag.cell != in.plan.cells[i].key) continue;
      CG_TRY(auto move, tag_now(tag, moves, shown.record, reader));
      if (all_there && move && move->to != shown.record->manifest_digest) kept = true;
      all_there = all_there && move && move->to == shown.record->manifest_digest;
      if (move) report.published.push_back(*std::move(move));
    }
    if (all_there) shown.gate.state = shown.push.state = StageState::passed;
    if (kept) shown.push.state = StageState::skipped;
  }
  CG_TRY(const auto others, tags_of(TagRank::extra, TagRank::set));
  for (const auto& tag : others) {
    CG_TRY(auto move, tag_now(tag, moves, record_of(report, tag.cell), reader));
    if (move) (tag.rank == TagRank::extra ? report.published : report.moved).push_back(*std::move(move));
  }
  return {};
}

std::string moving_tags(const render::Report& report) {
  const auto kept = std::ranges::count(report.moved, kKept, &pipeline::TagMove::note);
  if (kept > 0) return concat(", ", kept, " moving tags kept at another image");
  return report.moved.empty() ? "" : ", moving tags in place";
}

std::string verdict(const render::Report& report) {
  const auto cells = report.cells.size();
  const auto count = [&](auto predicate) {
    return static_cast<std::size_t>(std::ranges::count_if(report.cells, predicate));
  };
  const auto failed = count([](const auto& cell) { return !cell.failure.empty(); });
  const auto pushed = count([](const auto& cell) { return cell.push.state == StageState::passed; });
  if (!report.plan.policy.should_run) return "nothing to do";
  if (failed > 0) {
    return concat(failed, " of ", cells, " cells failed; ",
                  pushed > 0 ? "what was published before stays" : "nothing was published");
  }
  if (!report.plan.policy.push) {
    const auto proven = count([](const auto& cell) { return cell.record.has_value(); });
    return concat(proven, " of ", cells, " images built and tested; this event publishes nothing");
  }
  const auto kept = count([](const auto& cell) { return cell.push.state == StageState::skipped; });
  return concat(pushed, " of ", cells, " images published",
                kept > 0 ? concat(", ", kept, " version tags kept at another image") : "",
                pushed == 0 ? "" : moving_tags(report));
}

}  // namespace

Result<render::Report> collect_report(const ReportInputs& in, const sys::FileSystem& files,
                                      registry::RegistryReader* reader) {
  render::Report report = render::begin_report(in.plan);
  for (auto& cell : report.cells) CG_CHECK(add_evidence(cell, in, files));
  CG_TRY(const auto moves, load_moves(files, in.workspace, in.plan));
  CG_TRY(report.windows, load_windows(files, in.workspace, in.plan));
  if (in.plan.policy.push) {
    CG_CHECK(add_tags(report, in, moves, reader));
  } else {
    for (auto& cell : report.cells) cell.gate.state = cell.push.state = StageState::skipped;
  }
  report.verdict = verdict(report);
  return report;
}

Result<void> publish_report(const render::Report& report, const Workspace& workspace, sys::FileSystem& files,
                            actions::Workflow& workflow) {
  CG_CHECK(write_state(files, workspace, kReleaseFile, render::release_json(report), sys::Durability::machine));
  return workflow.add_summary(render::markdown_summary(report));
}

}  // namespace crategate::stages
