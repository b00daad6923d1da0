#include "pipeline/base_watch.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/strings.h"
#include "oci/reference.h"

namespace crategate::pipeline {
namespace {

constexpr std::string_view kNothing = "scratch";  ///< a word of Dockerfiles, no image

/// By what a person is told of them, for cells share their bases. The sentences of a re-run are those of the first run.
using CellsBySentence = std::map<std::string, std::vector<std::string>>;

/// Labels say what whoever can move a tag wants them to: `latest` never names the base of a release that is to be built.
bool is_of_this_release(const PublishedImage& image, const Plan& plan) {
  return plan.policy.trigger == "release" && !image.by_moving_tag && image.version == plan.version &&
         !image.revision.empty() && image.revision == plan.head_commit;
}

bool is_digest(const std::string& text) { return oci::Digest::parse(text).has_value(); }

bool is_unknown(const BaseFacts& facts) {
  return facts.is_unknown || (facts.published && facts.now && !is_digest(facts.published->base_digest));
}

std::string moved_from(const BaseFacts& facts, const Plan& plan) {
  if (facts.published && is_of_this_release(*facts.published, plan)) {
    const std::string& said = facts.published->moved_from;
    return said.empty() || is_digest(said) ? said : std::string(kUnknownBase);
  }
  if (is_unknown(facts)) return std::string(kUnknownBase);
  if (!facts.published || !facts.now || facts.published->base_digest == facts.now->text()) return {};
  return facts.published->base_digest;
}

/// The base that the cell's image stands on, or will; nullopt = nobody knows.
std::optional<oci::Digest> base_of(const BaseFacts& facts, const Plan& plan) {
  if (!facts.now) return std::nullopt;  // an engine may have it
  if (facts.published && is_of_this_release(*facts.published, plan)) {
    auto built_on = oci::Digest::parse(facts.published->base_digest);
    if (built_on) return *std::move(built_on);
  }
  return facts.now;
}

void say(const CellsBySentence& cells, std::string_view end, std::vector<std::string>& notes) {
  for (const auto& [sentence, keys] : cells) notes.push_back(concat(sentence, end, join(keys, ", ")));
}

}  // namespace

bool is_replaced(const std::string& base, const config::Build& build) {
  const std::string context = concat(base, "=");
  return std::ranges::any_of(build.build_contexts, [&](const auto& each) { return each.starts_with(context); });
}

bool is_watched(const Cell& cell, const config::Build& build) {
  if (cell.base.empty() || cell.base == kNothing || is_replaced(cell.base, build)) return false;
  const auto name = oci::parse_reference(cell.base);
  return name && !name->digest;
}

void decide_bases(Plan& plan, const std::vector<std::optional<BaseFacts>>& facts) {
  CellsBySentence moved, kept, unknown;
  for (std::size_t i = 0; i < plan.cells.size(); ++i) {
    Cell& cell = plan.cells[i];
    if (!facts[i]) {
      kept["fresh: no base image that a registry could tell of"].push_back(cell.key);
      continue;
    }
    cell.base_digest = base_of(*facts[i], plan);
    if (!plan.policy.watch_base) continue;
    const std::string base = concat("fresh: base image ", cell.base);
    cell.base_moved_from = moved_from(*facts[i], plan);
    if (cell.base_moved_from.empty()) {
      kept[concat(base, facts[i]->now ? " has not moved since the last publication" : " is not in its registry")]
          .push_back(cell.key);
    } else if (cell.base_moved_from == kUnknownBase) {
      unknown[concat(base, ": cannot tell whether it has moved")].push_back(cell.key);
    } else {
      const std::string now = cell.base_digest ? cell.base_digest->text() : std::string(kUnknownBase);
      moved[concat(base, " has moved from ", cell.base_moved_from, " to ", now)].push_back(cell.key);
    }
  }
  if (plan.policy.watch_base) {
    say(moved, "; built fresh: ", plan.policy.reasons);
    say(kept, ": ", plan.policy.reasons);
    say(unknown, "; built fresh: ", plan.policy.warnings);
  }
  plan.plan_id = plan_id_of(plan);
}

}  // namespace crategate::pipeline
