// Where a project's files and crategate's own state lie, and the documents that stages hand to each other.
// Belongs here: paths and loading.  Not here: what the documents mean (pipeline).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "pipeline/journal.h"
#include "pipeline/plan.h"
#include "pipeline/record.h"
#include "pipeline/tags.h"
#include "sys/file_system.h"

namespace crategate::stages {

struct Workspace {
  sys::Path root;                       ///< absolute; the project's checkout
  sys::Path state_name = ".crategate";  ///< relative to root, or absolute
  sys::Path state() const { return root / state_name; }
};

inline constexpr std::string_view kPlanFile = "plan.json";
inline constexpr std::string_view kMovesFile = "moves.json";
inline constexpr std::string_view kReleaseFile = "release.json";
inline constexpr std::string_view kRegenResultFile = "regen/regen.json";
inline constexpr std::string_view kRegenPatchFile = "regen/regen.patch";
inline constexpr std::string_view kImagesDirectory = "images";
inline constexpr std::string_view kArtifactsDirectory = "artifacts";

/// Paths below the state directory.
sys::Path record_file(const std::string& cell);
sys::Path digest_file(const std::string& cell);
sys::Path test_result_file(const std::string& cell);
sys::Path build_file(const std::string& cell);
sys::Path build_log_file(const std::string& cell);
sys::Path rebuild_log_file(const std::string& cell);
sys::Path rebuilt_file(const std::string& cell);
sys::Path scan_file(const std::string& cell);
sys::Path scan_report_file(const std::string& cell);
sys::Path sarif_file(const std::string& cell);
sys::Path scan_log_file(const std::string& cell);

/// The name under which the engine holds the cell's image: `image:VERSION`.
std::string local_image_name(const pipeline::Plan& plan, const pipeline::Cell& cell);

/// What `build` leaves for `test` and `digest`.
struct Built {
  std::string plan_id, cell;
  std::string image_id;  ///< as the engine names it
  std::int64_t duration_ms = 0;
  std::optional<pipeline::Base> base;
};

/// Reads a document below the state directory; nullopt = absent.
Result<std::optional<std::string>> read_state(const sys::FileSystem& files, const Workspace& workspace,
                                              const sys::Path& name);
Result<void> write_state(sys::FileSystem& files, const Workspace& workspace, const sys::Path& name,
                         std::string_view text, sys::Durability durability = sys::Durability::process);

/// `given`: a file, JSON text (begins with `{`), or empty = the plan in the state directory.
/// Errors: bad_input when there is none, naming the command that makes one.
Result<pipeline::Plan> load_plan(const sys::FileSystem& files, const Workspace& workspace, const std::string& given);
/// The cell called `key`, or the one cell that `only` (axis=value items) leaves.
/// Errors: bad_input listing the plan's cells when there is no such one; when `only` does not leave the cell `key`, or
/// leaves several.
Result<pipeline::Cell> find_cell(const pipeline::Plan& plan, const std::string& key,
                                 const std::vector<std::string>& only = {});

/// What is proven of an image does not outlive the next build or test of its cell: test result, record, digest text and
/// rebuild are emptied, which reads as absent.
Result<void> withdraw_evidence(sys::FileSystem& files, const Workspace& workspace, const std::string& cell);
/// What an earlier build left: one that fails leaves no image of this plan.
Result<void> withdraw_built(sys::FileSystem& files, const Workspace& workspace, const std::string& cell);
/// The record alone: it speaks of an earlier scan.
Result<void> withdraw_record(sys::FileSystem& files, const Workspace& workspace, const std::string& cell);
/// Nor does a scan outlive the next build or scan: its result, report and SARIF.
Result<void> withdraw_scan(sys::FileSystem& files, const Workspace& workspace, const std::string& cell);
Result<std::optional<pipeline::Record>> load_record(const sys::FileSystem& files, const Workspace& workspace,
                                                    const std::string& cell);
/// nullopt: no tests of this plan have run for this cell.
Result<std::optional<pipeline::TestResult>> load_test_result(const sys::FileSystem& files, const Workspace& workspace,
                                                             const pipeline::Plan& plan, const std::string& cell);
/// nullopt: no scan of this plan has ended for this cell.
Result<std::optional<pipeline::ScanResult>> load_scan_result(const sys::FileSystem& files, const Workspace& workspace,
                                                             const pipeline::Plan& plan, const std::string& cell);
/// nullopt: this plan's image of this cell has not been built here.
Result<std::optional<Built>> load_built(const sys::FileSystem& files, const Workspace& workspace,
                                        const pipeline::Plan& plan, const std::string& cell);
Result<void> save_built(sys::FileSystem& files, const Workspace& workspace, const Built& built);

/// The tags that this plan has moved so far, oldest first; empty when another plan moved the last ones.
Result<std::vector<pipeline::TagMove>> load_moves(const sys::FileSystem& files, const Workspace& workspace,
                                                  const pipeline::Plan& plan);
/// The longest of this plan so far.
Result<pipeline::Windows> load_windows(const sys::FileSystem& files, const Workspace& workspace,
                                       const pipeline::Plan& plan);
/// What it found at another image and decided to keep there.
Result<std::vector<pipeline::TagMove>> load_kept(const sys::FileSystem& files, const Workspace& workspace,
                                                 const pipeline::Plan& plan);
/// `noted`: moves that were made; those that are not `needed` are kept.
Result<void> append_moves(sys::FileSystem& files, const Workspace& workspace, const pipeline::Plan& plan,
                          const std::vector<pipeline::TagMove>& noted, const pipeline::Windows& windows);

}  // namespace crategate::stages
