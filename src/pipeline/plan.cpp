// The plan from facts and configuration.
// Belongs here: the order of the decisions.  Not here: combinations (matrix), names (names), the document (plan_json).
#include "pipeline/plan.h"

#include <algorithm>
#include <utility>

#include "base/strings.h"
#include "json/value.h"
#include "pipeline/matrix.h"
#include "pipeline/names.h"
#include "pipeline/planned_tags.h"

namespace crategate::pipeline {
namespace {

constexpr std::string_view kPythonAxis = "python";

Result<void> check_tag(const Event& event, const Version& version) {
  if (event.kind != EventKind::tag_push) return {};
  const std::string hint =
      concat("Set VERSION to the tag's version in the tagged commit, or tag that commit ", version.text, ".");
  const auto tag = parse_version(event.tag);
  if (tag && tag->canonical() == version.canonical()) return {};
  return fail(ErrorCode::bad_input,
              concat("tag ", quoted(event.tag), ": expected the version that VERSION has, ", version.text,
                     tag ? ", found another version" : ", found no version"),
              hint);
}

/// Tags that stay although the policy moves tags.
void explain_lines(Plan& plan, const config::Release& release) {
  if (!plan.policy.latest || !plan.is_prerelease) return;
  for (const auto& pattern : release.moving) {
    if (!names_version_line(pattern)) continue;
    plan.policy.reasons.push_back(concat("release.moving: ", pattern, " stays, ", plan.version, " is a pre-release"));
  }
}

/// A part of the cells is for looking at: "all of them or none" forbids publishing it.
void restrict_to_part(Policy& policy, std::size_t selected, std::size_t total) {
  if (selected == total) return;
  if (policy.push) {
    policy.reasons.push_back(
        concat("only ", selected, " of ", total, " cells: not published, an incomplete set never is"));
  }
  policy.push = false;
  policy.latest = false;
}

void use_layout(Policy& policy) {
  if (policy.cache_read || policy.cache_write) policy.reasons.emplace_back("no registry cache: images go to a layout");
  policy.cache_read = false;
  policy.cache_write = false;
  policy.refresh_cache = false;
}

void use_rebuild(Policy& policy, Rebuild rebuild) {
  if (!policy.candidate) return;
  policy.candidate = false;
  policy.reasons.push_back(
      concat("gate.mode: rebuild: no tested image is stored; each is built once more, ", to_string(rebuild)));
}

Result<void> add_cells(Plan& plan, const PlanFacts& facts, const config::Configuration& configuration) {
  CG_TRY(auto matrix, compute_matrix(facts.axis_values, configuration));
  for (auto& warning : matrix.warnings) plan.policy.warnings.push_back(std::move(warning));
  const bool dated = configuration.release.version_tag == config::VersionTagPolicy::dated;
  const Naming naming{.version = facts.version.text, .destination = facts.destination, .dated = dated};
  auto& cells = plan.cells;
  cells.reserve(matrix.combinations.size());
  for (const auto& combination : matrix.combinations) {
    CG_TRY(auto cell, name_cell(combination, naming, configuration));
    cells.push_back(std::move(cell));
  }
  CG_CHECK(check_unique(cells));
  CG_TRY(plan.release_set, name_set(configuration.release.set, naming));
  CG_CHECK(check_tags(plan, configuration.release));
  if (!facts.only.empty()) {
    CG_TRY(const auto selected, select_only(matrix.combinations, facts.only));
    const std::size_t total = cells.size();
    std::erase_if(cells, [&selected](const Cell& cell) {
      return std::find(selected.begin(), selected.end(), cell.axes) == selected.end();
    });
    restrict_to_part(plan.policy, cells.size(), total);
  }
  explain_lines(plan, configuration.release);
  return {};
}

std::optional<ScanPolicy> scan_policy(const config::Configuration& configuration) {
  if (!configuration.scan) return std::nullopt;
  return ScanPolicy{.severity = configuration.scan->severity, .ignore_unfixed = configuration.scan->ignore_unfixed};
}

std::optional<Rebuild> rebuild_of(const config::Gate& gate) {
  if (gate.mode == config::GateMode::promote) return std::nullopt;
  return gate.rebuild == "content" ? Rebuild::content : Rebuild::strict;
}

std::map<std::string, std::string> repository_labels(const Event& event) {
  std::map<std::string, std::string> labels;
  if (!event.description.empty()) labels["org.opencontainers.image.description"] = event.description;
  if (!event.license.empty()) labels["org.opencontainers.image.licenses"] = event.license;
  return labels;
}

/// One name for all cells, those of next year included: what keeps two releases of the same images apart.
std::string image_set(const Destination& destination, const std::string& pattern) {
  if (destination.layout) return concat("oci:", pattern);
  return destination.prefix.empty() ? pattern : concat(destination.prefix, "/", pattern);
}

}  // namespace

bool Plan::is_fresh(const Cell& cell) const { return policy.fresh || !cell.base_moved_from.empty(); }

bool Plan::reads_cache(const Cell& cell) const {
  return !cell.cache.empty() && policy.cache_read && cell.base_moved_from.empty();
}

bool Plan::writes_cache(const Cell& cell) const {
  const bool refreshed = policy.refresh_cache && !cell.base_moved_from.empty();
  return !cell.cache.empty() && (policy.cache_write || refreshed);
}

const Cell* Plan::find(std::string_view key) const {
  const auto found = std::find_if(cells.begin(), cells.end(), [key](const Cell& cell) { return cell.key == key; });
  return found == cells.end() ? nullptr : &*found;
}

Result<Plan> compute_plan(const PlanFacts& facts, const config::Configuration& configuration) {
  const auto& event = facts.event;
  const bool is_pull_request = event.kind == EventKind::pull_request && !event.head_sha.empty();
  Plan plan{.event = event.name,
            .ref = event.ref,
            .tag = event.tag,
            .commit = facts.commit,
            .head_commit = is_pull_request ? event.head_sha : facts.commit,
            .version = facts.version.text,
            .is_prerelease = facts.version.is_prerelease,
            .version_released = facts.version_released,
            .layout = facts.destination.layout,
            .image_set = image_set(facts.destination, configuration.image),
            .labels = repository_labels(event),
            .policy = facts.policy,
            .scan = scan_policy(configuration),
            .rebuild = rebuild_of(configuration.gate)};
  if (plan.policy.should_run) {
    CG_CHECK(check_tag(event, facts.version));
    CG_CHECK(add_cells(plan, facts, configuration));
    if (plan.layout) use_layout(plan.policy);
    if (plan.rebuild) use_rebuild(plan.policy, *plan.rebuild);
  }
  plan.plan_id = plan_id_of(plan);
  return plan;
}

std::string matrix_json(const Plan& plan) {
  auto include = json::Value::array();
  for (const auto& cell : plan.cells) {
    auto row = json::Value::object_of(cell.axes);
    row.set("cell", cell.key);
    include.push(std::move(row));
  }
  return json::Value::object({{"include", std::move(include)}}).canonical();
}

std::string python_versions_json(const Plan& plan) {
  std::vector<std::string> versions;
  for (const auto& cell : plan.cells) {
    const auto version = cell.axes.find(std::string(kPythonAxis));
    if (version == cell.axes.end()) continue;
    if (std::find(versions.begin(), versions.end(), version->second) == versions.end()) {
      versions.push_back(version->second);
    }
  }
  return json::Value::array_of(versions).canonical();
}

}  // namespace crategate::pipeline
