// The header's grammar and the keys that a workflow may grant.
#include "github/permission.h"

#include <algorithm>
#include <array>

#include "base/strings.h"

namespace crategate::github {
namespace {

constexpr std::array<std::string_view, 16> kKeys{"actions",
                                                 "artifact-metadata",
                                                 "attestations",
                                                 "checks",
                                                 "contents",
                                                 "deployments",
                                                 "discussions",
                                                 "id-token",
                                                 "issues",
                                                 "models",
                                                 "packages",
                                                 "pages",
                                                 "repository-projects",
                                                 "pull-requests",
                                                 "security-events",
                                                 "statuses"};

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= 40 &&
         std::all_of(text.begin(), text.end(), [](char c) { return (c >= 'a' && c <= 'z') || c == '_' || c == '-'; });
}

bool is_level(std::string_view text) { return text == "read" || text == "write" || text == "admin"; }

PermissionSet parse_set(std::string_view text) {
  PermissionSet set;
  for (const std::string& part : split(text, ',')) {
    const std::string_view pair = trim(part);
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const std::string name = replace_all(std::string(trim(pair.substr(0, equals))), "_", "-");
    const std::string_view level = equals == pair.size() ? pair : trim(pair.substr(equals + 1));
    if (!is_name(name) || !is_level(level)) return {};
    set.emplace_back(name, level);
  }
  return set;
}

/// "actions: read", or "{contents: read, pull-requests: write}".
std::string text_of(const PermissionSet& set) {
  std::vector<std::string> parts;
  for (const auto& [name, level] : set) parts.push_back(concat(name, ": ", level));
  return set.size() == 1 ? parts.front() : concat("{", join(parts, ", "), "}");
}

std::string grant(std::string_view permissions) {
  return concat("add `permissions: ", permissions,
                "` to the job (a `permissions:` block sets what it does not name to none)");
}

/// Whether `needs`, one permission, is the set, or more of the same: who may write may read.
bool covers(std::string_view needs, const PermissionSet& set) {
  if (set.size() != 1) return false;
  return needs == text_of(set) || (set.front().second == "read" && needs == concat(set.front().first, ": write"));
}

bool only_metadata(const PermissionSet& set) {
  return std::all_of(set.begin(), set.end(), [](const auto& each) { return each.first == "metadata"; });
}

}  // namespace

std::vector<PermissionSet> accepted_permissions(std::string_view header) {
  std::vector<PermissionSet> sets;
  for (const std::string& alternative : split(header, ';')) {
    PermissionSet set = parse_set(alternative);
    if (!set.empty()) sets.push_back(std::move(set));
  }
  return sets;
}

bool can_be_granted(const PermissionSet& set) {
  return std::all_of(set.begin(), set.end(), [](const auto& each) {
    return std::find(kKeys.begin(), kKeys.end(), each.first) != kKeys.end() && each.second != "admin";
  });
}

std::string permission_hint(std::string_view header, std::string_view needs) {
  const auto sets = accepted_permissions(header);
  // Where several would do, the one that the documentation names.
  const bool known = std::any_of(sets.begin(), sets.end(), [&](const auto& set) { return covers(needs, set); });
  if (known) return grant(needs);
  const auto granted = std::find_if(sets.begin(), sets.end(), can_be_granted);
  if (granted != sets.end()) return grant(text_of(*granted));
  if (!sets.empty() && !only_metadata(sets.front()))
    return concat("a workflow's own token cannot have `", text_of(sets.front()),
                  "`: give a token of a GitHub App, or a fine-grained personal one, as github-token");
  if (!needs.empty()) return grant(needs);
  return "check that the token belongs to somebody who may see this repository";
}

}  // namespace crategate::github
