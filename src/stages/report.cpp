// report: collect, then write.
#include "stages/report.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/log.h"
#include "base/strings.h"
#include "pipeline/planned_tags.h"
#include "stages/publication.h"
#include "stages/rebuild.h"

namespace crategate::stages {
namespace {

using pipeline::PlannedTag;
using pipeline::TagMove;
using pipeline::TagRank;
using render::StageState;

// What became of a tag that does not name the tested image.
constexpr std::string_view kKept = "kept at another image", kUndone = "of an undone release",
                           kUnwritten = "not written", kMovedSince = "moved elsewhere since";

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

Result<void> add_evidence(render::CellReport& cell, const ReportInputs& in, const pipeline::Rebuilds& rebuilds,
                          const sys::FileSystem& files) {
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
  const auto candidate = pipeline::candidate_of(in.plan, *cell.record, rebuilds);
  if (candidate) cell.candidate = candidate->manifest_digest;
  if (cell.record->scan) add_scan(cell, *cell.record->scan);
  // In a job of its own a report has the evidence only: what a record speaks of was built and tested elsewhere.
  if (!built) cell.build.state = StageState::passed;
  if (!tests) add_test_result(cell, cell.record->tests);
  return {};
}

/// What is known of this plan's tags besides what they name.
class TagFacts {
 public:
  TagFacts(const ReportInputs& in, registry::RegistryReader* reader) : in_(in), reader_(reader) {}
  Result<void> load(const sys::FileSystem& files) {
    CG_TRY(moves_, load_moves(files, in_.workspace, in_.plan));
    CG_TRY(kept_, load_kept(files, in_.workspace, in_.plan));
    return {};
  }
  /// What `tag` names now, as a move: from what this plan found there, if this plan moved it. nullopt = nothing, or
  /// nobody was asked.
  Result<std::optional<TagMove>> now(const PlannedTag& tag, const std::optional<oci::Digest>& candidate) {
    if (reader_ == nullptr) return last_move(tag, std::nullopt);
    CG_TRY(const auto reference, tag_reference(tag.repository, tag.tag));
    CG_TRY(const auto digest, reader_->digest(reference));
    if (!digest) return std::nullopt;
    if (auto moved = last_move(tag, digest)) return moved;
    return TagMove{.cell = tag.cell,
                   .repository = tag.repository,
                   .tag = tag.tag,
                   .rank = tag.rank,
                   .from = digest,
                   .to = *digest,
                   .needed = false,
                   .note = std::string(note_of(tag, candidate, *digest))};
  }

  /// Of a tag that names nothing: an undone release was to make it.
  bool is_undone(const PlannedTag& tag) {
    if (reader_ == nullptr) return false;
    const auto& journal = last_journal();
    if (!journal || journal->state != pipeline::JournalState::rolled_back) return false;
    return std::ranges::any_of(journal->moves, [&](const auto& move) {
      return is_of(move, tag) && !move.from && move.rank >= journal->undone_from.value_or(TagRank::version);
    });
  }

 private:
  /// The newest one of this tag, to `digest` if that is known.
  std::optional<TagMove> last_move(const PlannedTag& tag, const std::optional<oci::Digest>& digest) const {
    const auto moved = std::ranges::find_if(moves_.rbegin(), moves_.rend(), [&](const auto& move) {
      return is_of(move, tag) && (!digest || move.to == *digest);
    });
    return moved == moves_.rend() ? std::nullopt : std::optional(*moved);
  }
  /// Of a tag that this plan did not move. What the set should name, only its stage works out.
  std::string_view note_of(const PlannedTag& tag, const std::optional<oci::Digest>& candidate,
                           const oci::Digest& digest) {
    if (candidate == digest) return "already there";
    const auto stays = [&](const auto& move) { return is_of(move, tag) && move.from == digest; };
    if (std::ranges::any_of(kept_, stays)) return kKept;
    const auto& journal = last_journal();
    const bool was_to_move = journal && std::ranges::any_of(journal->moves, stays);
    if (was_to_move && journal->state == pipeline::JournalState::rolled_back) return kUndone;
    if (last_move(tag, std::nullopt)) return kMovedSince;
    return tag.rank == TagRank::set && !was_to_move ? std::string_view() : kUnwritten;
  }
  /// Of this plan. That it cannot be read changes no more than words.
  const std::optional<pipeline::Journal>& last_journal() {
    if (asked_ || in_.journal == nullptr) return journal_;
    asked_ = true;
    auto journal = in_.journal->read();
    if (!journal) {
      log::warning(concat("what became of the release is not known: ", describe(journal.error())));
    } else if (*journal && (*journal)->plan_id == in_.plan.plan_id) {
      journal_ = *std::move(journal);
    }
    return journal_;
  }
  static bool is_of(const TagMove& move, const PlannedTag& tag) {
    return move.repository == tag.repository && move.tag == tag.tag;
  }

  const ReportInputs& in_;
  registry::RegistryReader* reader_;
  std::vector<TagMove> moves_, kept_;
  bool asked_ = false;
  std::optional<pipeline::Journal> journal_;
};

/// Nothing for the set, which has no cell.
std::optional<oci::Digest> candidate_of(const render::Report& report, const std::string& cell) {
  const auto at = std::ranges::find(report.cells, cell, &render::CellReport::key);
  return at == report.cells.end() ? std::nullopt : at->candidate;
}

StageState state_of(std::string_view note) {
  return note == kKept ? StageState::skipped : note == kUndone ? StageState::failed : StageState::pending;
}

/// How many tags name nothing.
struct Absent {
  std::size_t undone_versions = 0, undone = 0, unwritten = 0;  ///< the latter two are moving tags
};

Result<std::size_t> add_versions(render::Report& report, const ReportInputs& in, TagFacts& facts,
                                 const std::vector<PlannedTag>& versions) {
  std::size_t undone = 0;
  for (std::size_t i = 0; i < in.plan.cells.size(); ++i) {
    auto& shown = report.cells[i];
    bool all_there = shown.candidate.has_value();
    for (const auto& tag : versions) {
      if (tag.cell != in.plan.cells[i].key) continue;
      CG_TRY(auto move, facts.now(tag, shown.candidate));
      const bool there = move && move->to == shown.candidate;
      if (shown.candidate && move && !there) shown.push.state = state_of(move->note);
      if (!move && facts.is_undone(tag)) {
        shown.push.state = state_of(kUndone);
        ++undone;
      }
      all_there = all_there && there;
      if (move) report.published.push_back(*std::move(move));
    }
    if (all_there) shown.gate.state = shown.push.state = StageState::passed;
  }
  return undone;
}

Result<Absent> add_tags(render::Report& report, const ReportInputs& in, TagFacts facts) {
  const auto tags_of = [&in](TagRank first, TagRank last) {
    return pipeline::planned_tags(in.plan, in.configuration.release, in.today, first, last);
  };
  Absent absent;
  CG_TRY(const auto versions, tags_of(TagRank::version, TagRank::version));
  CG_TRY(absent.undone_versions, add_versions(report, in, facts, versions));
  CG_TRY(const auto others, tags_of(TagRank::extra, TagRank::set));
  for (const auto& tag : others) {
    CG_TRY(auto move, facts.now(tag, candidate_of(report, tag.cell)));
    if (!move && tag.rank >= TagRank::moving) ++(facts.is_undone(tag) ? absent.undone : absent.unwritten);
    if (move) (tag.rank == TagRank::extra ? report.published : report.moved).push_back(*std::move(move));
  }
  return absent;
}

/// `, 2 moving tags undone`; nothing for none.
std::string counted(std::size_t count, std::string_view what, std::string_view outcome) {
  return count == 0 ? std::string() : concat(", ", count, " ", what, count == 1 ? " tag " : " tags ", outcome);
}

/// Those that are not at the tested images, by what became of them.
std::string astray(const std::vector<TagMove>& moves, std::string_view what, std::size_t undone,
                   std::size_t unwritten) {
  const auto noted = [&](std::string_view note) {
    return static_cast<std::size_t>(std::ranges::count(moves, note, &TagMove::note));
  };
  return concat(counted(noted(kKept), what, kKept), counted(noted(kUndone) + undone, what, kUndone),
                counted(noted(kMovedSince), what, kMovedSince),
                counted(noted(kUnwritten) + unwritten, what, kUnwritten));
}

std::string moving_tags(const render::Report& report, const Absent& absent) {
  auto text = astray(report.moved, "moving", absent.undone, absent.unwritten);
  if (!text.empty()) return text;
  return report.moved.empty() ? "" : ", moving tags in place";
}

std::string verdict(const render::Report& report, const Absent& absent) {
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
  std::vector<TagMove> versions;
  std::ranges::copy_if(report.published, std::back_inserter(versions),
                       [](const auto& move) { return move.rank == TagRank::version; });
  return concat(pushed, " of ", cells, " images published", astray(versions, "version", absent.undone_versions, 0),
                pushed == 0 ? "" : moving_tags(report, absent));
}

}  // namespace

Result<render::Report> collect_report(const ReportInputs& in, const sys::FileSystem& files,
                                      registry::RegistryReader* reader) {
  render::Report report = render::begin_report(in.plan);
  CG_TRY(const auto rebuilds, load_rebuilds(files, in.workspace, in.plan));
  for (auto& cell : report.cells) CG_CHECK(add_evidence(cell, in, rebuilds, files));
  CG_TRY(report.windows, load_windows(files, in.workspace, in.plan));
  Absent absent;
  if (in.plan.policy.push) {
    TagFacts facts(in, reader);
    CG_CHECK(facts.load(files));
    CG_TRY(absent, add_tags(report, in, std::move(facts)));
  } else {
    for (auto& cell : report.cells) cell.gate.state = cell.push.state = StageState::skipped;
  }
  // Without a reader nobody knows what a tag names that this plan did not move.
  report.verdict = verdict(report, reader == nullptr ? Absent{} : absent);
  return report;
}

Result<void> publish_report(const render::Report& report, const Workspace& workspace, sys::FileSystem& files,
                            actions::Workflow& workflow) {
  CG_CHECK(write_state(files, workspace, kReleaseFile, render::release_json(report), sys::Durability::machine));
  return workflow.add_summary(render::markdown_summary(report));
}

}  // namespace crategate::stages
