#include "stages/workspace.h"

#include <algorithm>

#include <utility>

#include "base/strings.h"
#include "json/value.h"
#include "pipeline/journal.h"

namespace crategate::stages {
namespace {

constexpr std::uint64_t kLargestDocument = 128u << 20;  // a scanner's report

}  // namespace

sys::Path record_file(const std::string& cell) { return sys::Path("records") / cell / "record.json"; }
sys::Path digest_file(const std::string& cell) { return sys::Path("records") / cell / concat("digest-", cell, ".txt"); }
sys::Path test_result_file(const std::string& cell) { return sys::Path("tests") / concat(cell, ".json"); }
sys::Path build_file(const std::string& cell) { return sys::Path("builds") / concat(cell, ".json"); }
sys::Path build_log_file(const std::string& cell) { return sys::Path("logs") / concat("build-", cell, ".log"); }
sys::Path rebuild_log_file(const std::string& cell) { return sys::Path("logs") / concat("rebuild-", cell, ".log"); }
sys::Path rebuilt_file(const std::string& cell) { return sys::Path("rebuilds") / (cell + ".json"); }
sys::Path scan_file(const std::string& cell) { return sys::Path("scans") / concat(cell, ".json"); }
sys::Path scan_report_file(const std::string& cell) { return sys::Path("scans") / concat(cell, ".report.json"); }
sys::Path sarif_file(const std::string& cell) { return sys::Path("scans") / concat(cell, ".sarif"); }
sys::Path scan_log_file(const std::string& cell) { return sys::Path("logs") / concat("scan-", cell, ".log"); }

Result<std::optional<std::string>> read_state(const sys::FileSystem& files, const Workspace& workspace,
                                              const sys::Path& name) {
  return files.read_below(workspace.state(), name);
}

Result<void> write_state(sys::FileSystem& files, const Workspace& workspace, const sys::Path& name,
                         std::string_view text, sys::Durability durability) {
  CG_CHECK(files.make_directories(workspace.state()));
  return files.write_below(workspace.state(), name, text, durability);
}

Result<pipeline::Plan> load_plan(const sys::FileSystem& files, const Workspace& workspace, const std::string& given) {
  if (trim(given).starts_with('{')) return pipeline::parse_plan(given, "--plan");
  if (!given.empty()) {
    CG_TRY(const auto text, files.read(given));
    if (!text) {
      return fail(ErrorCode::bad_input, concat("--plan: expected a plan file, found nothing at ", quote(given)),
                  "Give the path of a plan.json that `crategate plan` wrote, or its JSON text.");
    }
    return pipeline::parse_plan(*text, given);
  }
  CG_TRY(const auto text, read_state(files, workspace, kPlanFile));
  if (!text || text->empty()) {
    return fail(ErrorCode::bad_input,
                concat("no plan: expected ", (workspace.state_name / kPlanFile).string(), ", found none"),
                "Run `crategate plan` first, or name a plan with --plan FILE.");
  }
  return pipeline::parse_plan(*text, (workspace.state_name / kPlanFile).string());
}

namespace {

/// Values of one axis are alternatives, as for `run --only`.
bool is_left(const pipeline::Cell& cell, const std::vector<std::string>& only) {
  std::map<std::string, bool> axes;
  for (const auto& item : only) {
    const auto equals = item.find('=');
    const std::string axis = item.substr(0, equals);
    const auto value = cell.axes.find(axis);
    const bool same =
        equals != std::string::npos && value != cell.axes.end() && item.substr(equals + 1) == value->second;
    axes[axis] = axes[axis] || same;
  }
  return std::all_of(axes.begin(), axes.end(), [](const auto& axis) { return axis.second; });
}

Failure no_such_cell(const pipeline::Plan& plan, const std::string& expected, const std::string& found,
                     const std::string& near = {}) {
  std::vector<std::string> keys;
  for (const auto& cell : plan.cells) keys.push_back(cell.key);
  return fail(ErrorCode::bad_input, concat("--cell: expected ", expected, ", found ", found),
              concat(near, "The plan has: ", keys.empty() ? "no cells" : join(keys, ", "), "."));
}

}  // namespace

Result<pipeline::Cell> find_cell(const pipeline::Plan& plan, const std::string& key,
                                 const std::vector<std::string>& only) {
  if (key.empty() && only.empty()) return no_such_cell(plan, "the key of a cell", "nothing", "Add --cell KEY. ");
  std::vector<std::string> keys;
  std::vector<pipeline::Cell> found;
  for (const auto& cell : plan.cells) {
    keys.push_back(cell.key);
    if ((key.empty() || cell.key == key) && is_left(cell, only)) found.push_back(cell);
  }
  if (found.size() == 1) return found.front();
  const std::string chosen = join(only, ", ");
  if (key.empty()) return no_such_cell(plan, concat("one cell with ", chosen), concat(found.size(), " of them"));
  if (plan.find(key) != nullptr) return no_such_cell(plan, concat("a cell with ", chosen), quote(key));
  const auto near = nearest(key, keys);
  return no_such_cell(plan, "a cell of the plan", quote(key), near ? concat("Did you mean ", *near, "? ") : "");
}

std::string local_image_name(const pipeline::Plan& plan, const pipeline::Cell& cell) {
  return concat(cell.image, ":", cell.tags.empty() ? plan.version : cell.tags.front());
}

Result<std::optional<pipeline::Record>> load_record(const sys::FileSystem& files, const Workspace& workspace,
                                                    const std::string& cell) {
  CG_TRY(const auto text, read_state(files, workspace, record_file(cell)));
  if (!text || text->empty()) return std::nullopt;
  CG_TRY(auto record, pipeline::parse_record(*text, (workspace.state_name / record_file(cell)).string()));
  return record;
}

namespace {

Result<void> empty_documents(sys::FileSystem& files, const Workspace& workspace,
                             const std::vector<sys::Path>& documents) {
  for (const sys::Path& document : documents) {
    CG_TRY(const auto text, files.read_below(workspace.state(), document, kLargestDocument));
    if (text && !text->empty()) CG_CHECK(write_state(files, workspace, document, ""));
  }
  return {};
}

}  // namespace

Result<void> withdraw_evidence(sys::FileSystem& files, const Workspace& workspace, const std::string& cell) {
  return empty_documents(files, workspace,
                         {test_result_file(cell), record_file(cell), digest_file(cell), rebuilt_file(cell)});
}

Result<void> withdraw_built(sys::FileSystem& files, const Workspace& workspace, const std::string& cell) {
  return empty_documents(files, workspace, {build_file(cell)});
}

Result<void> withdraw_record(sys::FileSystem& files, const Workspace& workspace, const std::string& cell) {
  return empty_documents(files, workspace, {record_file(cell), digest_file(cell)});
}

Result<void> withdraw_scan(sys::FileSystem& files, const Workspace& workspace, const std::string& cell) {
  return empty_documents(files, workspace, {scan_file(cell), scan_report_file(cell), sarif_file(cell)});
}

Result<std::optional<pipeline::TestResult>> load_test_result(const sys::FileSystem& files, const Workspace& workspace,
                                                             const pipeline::Plan& plan, const std::string& cell) {
  CG_TRY(const auto text, read_state(files, workspace, test_result_file(cell)));
  if (!text || text->empty()) return std::nullopt;
  CG_TRY(auto result, pipeline::parse_test_result(*text, (workspace.state_name / test_result_file(cell)).string()));
  if (result.plan_id != plan.plan_id || result.cell != cell) return std::nullopt;
  return result;
}

Result<std::optional<pipeline::ScanResult>> load_scan_result(const sys::FileSystem& files, const Workspace& workspace,
                                                             const pipeline::Plan& plan, const std::string& cell) {
  CG_TRY(const auto text, read_state(files, workspace, scan_file(cell)));
  if (!text || text->empty()) return std::nullopt;
  CG_TRY(auto result, pipeline::parse_scan_result(*text, (workspace.state_name / scan_file(cell)).string()));
  if (result.plan_id != plan.plan_id || result.cell != cell) return std::nullopt;
  return result;
}

Result<std::optional<Built>> load_built(const sys::FileSystem& files, const Workspace& workspace,
                                        const pipeline::Plan& plan, const std::string& cell) {
  CG_TRY(const auto text, read_state(files, workspace, build_file(cell)));
  if (!text || text->empty()) return std::nullopt;
  CG_TRY(const auto document, json::Document::parse(*text, (workspace.state_name / build_file(cell)).string()));
  Built built;
  CG_TRY(built.plan_id, document.root().string("plan_id"));
  CG_TRY(built.cell, document.root().string("cell"));
  CG_TRY(built.image_id, document.root().string("image_id"));
  CG_TRY(built.duration_ms, document.root().integer("duration_ms"));
  CG_TRY(built.base, pipeline::read_base(document.root()));
  if (built.plan_id != plan.plan_id || built.cell != cell) return std::nullopt;
  return built;
}

Result<void> save_built(sys::FileSystem& files, const Workspace& workspace, const Built& built) {
  json::Value value = json::Value::object({{"plan_id", built.plan_id},
                                           {"cell", built.cell},
                                           {"image_id", built.image_id},
                                           {"duration_ms", built.duration_ms}});
  if (built.base) value.set("base", pipeline::to_value(*built.base));
  return write_state(files, workspace, build_file(built.cell), value.pretty());
}

namespace {

json::Value list_of(const std::vector<pipeline::TagMove>& moves) {
  json::Value list = json::Value::array();
  for (const auto& move : moves) list.push(pipeline::to_value(move));
  return list;
}

/// Only the report reads moves.json.
Error damaged_moves(Error error, const Workspace& workspace) {
  error.hint = concat("Delete ", (workspace.state_name / kMovesFile).string(),
                      ": no tag depends on it, and the report then shows what is moved from now on.");
  return error;
}

/// moves.json of this plan; nullopt = none, or another plan's.
Result<std::optional<json::Document>> moves_document(const sys::FileSystem& files, const Workspace& workspace,
                                                     const pipeline::Plan& plan) {
  CG_TRY(const auto text, read_state(files, workspace, kMovesFile));
  if (!text) return std::nullopt;
  auto document = json::Document::parse(*text, std::string(kMovesFile));
  if (!document) return fail(damaged_moves(std::move(document).error(), workspace));
  const auto plan_id = document->root().string("plan_id");
  if (!plan_id) return fail(damaged_moves(plan_id.error(), workspace));
  if (*plan_id != plan.plan_id) return std::nullopt;
  return *std::move(document);
}

Result<std::vector<pipeline::TagMove>> read_moves(const json::Document& document, std::string_view name) {
  std::vector<pipeline::TagMove> moves;
  CG_TRY(const auto list, document.root().find(name));
  if (!list) return moves;
  CG_TRY(const auto entries, list->items());
  for (const auto& entry : entries) {
    CG_TRY(auto move, pipeline::read_move(entry));
    moves.push_back(std::move(move));
  }
  return moves;
}

Result<std::vector<pipeline::TagMove>> load_list(std::string_view name, const sys::FileSystem& files,
                                                 const Workspace& workspace, const pipeline::Plan& plan) {
  CG_TRY(const auto document, moves_document(files, workspace, plan));
  if (!document) return std::vector<pipeline::TagMove>{};
  auto moves = read_moves(*document, name);
  if (!moves) return fail(damaged_moves(std::move(moves).error(), workspace));
  return moves;
}

}  // namespace

Result<std::vector<pipeline::TagMove>> load_moves(const sys::FileSystem& files, const Workspace& workspace,
                                                  const pipeline::Plan& plan) {
  return load_list("moves", files, workspace, plan);
}

Result<std::vector<pipeline::TagMove>> load_kept(const sys::FileSystem& files, const Workspace& workspace,
                                                 const pipeline::Plan& plan) {
  CG_TRY(auto kept, load_list("kept", files, workspace, plan));
  for (auto& move : kept) move.needed = false;
  return kept;
}

Result<pipeline::Windows> load_windows(const sys::FileSystem& files, const Workspace& workspace,
                                       const pipeline::Plan& plan) {
  CG_TRY(const auto document, moves_document(files, workspace, plan));
  if (!document) return pipeline::Windows{};
  const auto mixed = document->root().integer("mixed_us");
  const auto unprotected = document->root().integer("unprotected_us");
  if (mixed && unprotected) {
    return pipeline::Windows{std::chrono::microseconds(*mixed), std::chrono::microseconds(*unprotected)};
  }
  return fail(damaged_moves(mixed ? unprotected.error() : mixed.error(), workspace));
}

Result<void> append_moves(sys::FileSystem& files, const Workspace& workspace, const pipeline::Plan& plan,
                          const std::vector<pipeline::TagMove>& noted, const pipeline::Windows& windows) {
  if (noted.empty()) return {};
  CG_TRY(auto moves, load_moves(files, workspace, plan));
  CG_TRY(auto kept, load_kept(files, workspace, plan));
  CG_TRY(const auto before, load_windows(files, workspace, plan));
  for (auto move : noted) {
    move.warning = false;  // what is read back says nothing of it
    auto& list = move.needed ? moves : kept;
    if (std::ranges::find(list, move) == list.end()) list.push_back(std::move(move));
  }
  const json::Value document = json::Value::object(
      {{"plan_id", plan.plan_id},
       {"moves", list_of(moves)},
       {"kept", list_of(kept)},
       {"mixed_us", std::int64_t{std::max(before.mixed, windows.mixed).count()}},
       {"unprotected_us", std::int64_t{std::max(before.unprotected, windows.unprotected).count()}}});
  return write_state(files, workspace, kMovesFile, document.pretty(), sys::Durability::machine);
}

}  // namespace crategate::stages
