#include "pipeline/planned_tags.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/strings.h"
#include "oci/reference.h"

namespace crategate::pipeline {
namespace {

using Values = std::map<std::string, std::string>;
using Tags = std::vector<PlannedTag>;

constexpr std::string_view kBranches = "refs/heads/";
constexpr std::string_view kBranchPlaceholder = "{branch}";
constexpr std::string_view kMovingSetting = "release.moving";
constexpr std::string_view kExtraSetting = "release.extra";
constexpr std::string_view kSetSetting = "release.set";

std::string_view setting_of(TagRank rank) {
  switch (rank) {
    case TagRank::version:
      return "tags";
    case TagRank::extra:
      return kExtraSetting;
    case TagRank::moving:
      return kMovingSetting;
    case TagRank::set:
      return kSetSetting;
  }
  return "";
}

std::string_view branch_of(const Plan& plan) {
  const std::string_view ref = plan.ref;
  return ref.starts_with(kBranches) ? ref.substr(kBranches.size()) : std::string_view();
}

/// Every character that a tag cannot hold becomes '-'; where a tag cannot begin so, '_'.
std::string as_tag(std::string_view name) {
  std::string tag;
  for (const char c : name) {
    if ((static_cast<unsigned char>(c) & 0xC0U) == 0x80U) continue;  // the rest of a character of several bytes
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    tag += letter || c == '_' || c == '.' || c == '-' ? c : '-';
  }
  if (!tag.empty() && (tag.front() == '-' || tag.front() == '.')) tag.front() = '_';
  return tag;
}

/// `v1`, `1.2`: as the tags of lines of versions are written.
bool looks_like_line(std::string_view tag) {
  if (tag.starts_with('v') || tag.starts_with('V')) tag.remove_prefix(1);
  return compare_dotted(tag, tag).has_value();
}

/// A branch that is called `v1.2.3` would take the place of a release.
Result<void> check_branch_tag(const std::string& tag, const config::Release& release) {
  const bool lines = std::ranges::any_of(release.moving, names_version_line);
  if (!parse_version(tag) && !(lines && looks_like_line(tag))) return {};
  return fail(
      ErrorCode::bad_input,
      concat(kExtraSetting, ": {branch}: expected a tag that does not look like a version, found ", quoted(tag)),
      "Write for example branch-{branch}: no release is called so.");
}

/// `v1.2.3`, written as it is: it would take the place of that version's tag, or be taken for it later.
Result<void> check_other_version(const std::string& pattern, const std::string& tag, const Version& version) {
  const auto other = parse_version(tag);
  if (!other || other->canonical() == version.canonical()) return {};
  return fail(
      ErrorCode::bad_input,
      concat(kExtraSetting, ": ", quoted(pattern), ": expected a tag of no other version than ", version.text,
             ", found ", quoted(tag)),
      "Every publication moves this tag. Write {version}, {major}.{minor} or {branch} instead of a number, or a "
      "word before it.");
}

/// What it expands to begins with a version, whatever the branch is called.
bool says_version(std::string_view pattern) {
  return names_version_line(pattern) || pattern.find("{version}") != std::string_view::npos;
}

Result<Values> values_of(const Plan& plan) {
  CG_TRY(const auto version, parse_version(plan.version));
  return version_placeholders(version);
}

Values with_cell(const Values& values, const Cell& cell) {
  Values all = values;
  all.insert(cell.axes.begin(), cell.axes.end());
  all.emplace("cell", cell.key);
  return all;
}

Result<std::string> expand_tag(std::string_view pattern, const Values& values, TagRank rank) {
  CG_TRY(const auto text, expand_pattern(pattern, values, setting_of(rank)));
  auto tag = oci::parse_tag(text);
  if (tag) return *std::move(tag);
  Error error = tag.error();
  if (error.hint.empty()) error.hint = concat("Change the setting `", setting_of(rank), "`.");
  return fail(std::move(error).within(std::string(setting_of(rank))));
}

Result<void> add_pattern(Tags& tags, const Plan& plan, const std::string& pattern, const Values& values, TagRank rank) {
  for (const auto& cell : plan.cells) {
    CG_TRY(auto tag, expand_tag(pattern, with_cell(values, cell), rank));
    tags.push_back({.cell = cell.key, .repository = cell.image, .tag = std::move(tag), .rank = rank});
  }
  return {};
}

/// `suffix` of dated tags: `-YYYYMMDD`, or nothing.
void add_versions(Tags& tags, const Plan& plan, std::string_view suffix) {
  for (const auto& cell : plan.cells) {
    for (const auto& tag : cell.tags) {
      tags.push_back({.cell = cell.key, .repository = cell.image, .tag = concat(tag, suffix)});
    }
  }
}

Result<void> add_extra(Tags& tags, const Plan& plan, const config::Release& release) {
  if (release.extra.empty()) return {};
  CG_TRY(const auto version, parse_version(plan.version));
  auto values = version_placeholders(version);
  values["trigger"] = plan.policy.trigger;
  const std::string_view branch = branch_of(plan);
  values["branch"] = as_tag(branch);
  for (const auto& pattern : release.extra) {
    const bool of_branch = pattern.find(kBranchPlaceholder) != std::string::npos;
    if (of_branch && branch.empty()) continue;
    const std::size_t before = tags.size();
    CG_CHECK(add_pattern(tags, plan, pattern, values, TagRank::extra));
    if (says_version(pattern)) continue;
    for (std::size_t i = before; i < tags.size(); ++i) {
      if (of_branch) CG_CHECK(check_branch_tag(tags[i].tag, release));
      CG_CHECK(check_other_version(pattern, tags[i].tag, version));
    }
  }
  return {};
}

/// `lines`: those of version lines, too.
Result<void> add_moving(Tags& tags, const Plan& plan, const config::Release& release, bool lines) {
  if (release.moving.empty()) return {};
  CG_TRY(const auto values, values_of(plan));
  for (const auto& pattern : release.moving) {
    if (names_version_line(pattern) && !lines) continue;
    CG_CHECK(add_pattern(tags, plan, pattern, values, TagRank::moving));
  }
  return {};
}

/// Its version's tag, and the configured one.
Result<void> add_set(Tags& tags, const Plan& plan, const config::Release& release, bool lines) {
  if (plan.release_set.empty()) return {};
  CG_TRY(const auto reference, oci::parse_reference(plan.release_set));
  const std::string repository = reference.repository.familiar();
  tags.push_back({.cell = {}, .repository = repository, .tag = plan.version, .rank = TagRank::set});
  if (!reference.tag || (names_version_line(release.set) && !lines)) return {};
  tags.push_back({.cell = {}, .repository = repository, .tag = *reference.tag, .rank = TagRank::set});
  return {};
}

std::string remedy(const PlannedTag& first, const PlannedTag& second) {
  if (first.rank != second.rank) return "A tag belongs under one of the settings only.";
  if (first.rank == TagRank::set) {
    return "The set's tag of the version is made by itself: name another one, for example latest.";
  }
  // Two patterns of one cell, or one pattern of two cells.
  return first.cell == second.cell && first.rank != TagRank::version
             ? concat("Two entries of ", setting_of(first.rank), " make this tag: leave one of them out.")
             : "Put every axis into the pattern, for example {cell}.";
}

std::string owner(const PlannedTag& tag) {
  return tag.cell.empty() ? std::string(setting_of(tag.rank)) : concat(setting_of(tag.rank), " of ", tag.cell);
}

Result<void> require_own_names(const Tags& tags) {
  std::map<std::string, const PlannedTag*> owners;
  for (const auto& tag : tags) {
    const std::string name = concat(tag.repository, ":", tag.tag);
    const auto [other, is_new] = owners.emplace(name, &tag);
    if (is_new) continue;
    return fail(
        ErrorCode::bad_input,
        concat("image ", quoted(name), ": expected to be one tag, found ", owner(*other->second), " and ", owner(tag)),
        remedy(*other->second, tag));
  }
  return {};
}

}  // namespace

std::map<std::string, std::string> version_placeholders(const Version& version) {
  return {{"version", version.text},
          {"major", std::to_string(version.major)},
          {"minor", std::to_string(version.minor)},
          {"patch", std::to_string(version.patch)}};
}

bool names_version_line(std::string_view pattern) {
  constexpr std::array<std::string_view, 3> kNumbers = {"{major}", "{minor}", "{patch}"};
  return std::any_of(kNumbers.begin(), kNumbers.end(),
                     [pattern](auto number) { return pattern.find(number) != std::string_view::npos; });
}

Result<std::vector<PlannedTag>> planned_tags(const Plan& plan, const config::Release& release, std::string_view today,
                                             TagRank first, TagRank last) {
  const auto wanted = [first, last](TagRank rank) { return first <= rank && rank <= last; };
  const bool dated = release.version_tag == config::VersionTagPolicy::dated && is_later_run(plan.policy.trigger);
  Tags tags;
  if (wanted(TagRank::version)) add_versions(tags, plan, dated ? concat("-", today) : std::string());
  if (wanted(TagRank::extra) && plan.policy.push) CG_CHECK(add_extra(tags, plan, release));
  if (wanted(TagRank::moving) && plan.policy.latest) CG_CHECK(add_moving(tags, plan, release, !plan.is_prerelease));
  if (wanted(TagRank::set) && plan.policy.latest) CG_CHECK(add_set(tags, plan, release, !plan.is_prerelease));
  CG_CHECK(require_own_names(tags));
  return tags;
}

Result<void> check_tags(const Plan& plan, const config::Release& release) {
  const bool may_move = plan.policy.latest || release.latest != config::LatestPolicy::never;
  Tags tags;
  add_versions(tags, plan, {});
  CG_CHECK(add_extra(tags, plan, release));
  const std::size_t always = tags.size();
  CG_CHECK(add_moving(tags, plan, release, true));
  CG_CHECK(add_set(tags, plan, release, true));
  if (!may_move) tags.resize(always);
  return require_own_names(tags);
}

}  // namespace crategate::pipeline
