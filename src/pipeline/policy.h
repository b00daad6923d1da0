// The policy table: event → what is built, cached, pushed and tagged. One pure decision with its reasons.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/configuration.h"
#include "pipeline/event.h"

namespace crategate::pipeline {

/// Changed paths of a commit range; `paths` is empty when they cannot be computed, and `why_not` says why and how to
/// mend it.
struct ChangedPaths {
  std::optional<std::vector<std::string>> paths;
  std::string why_not;
};

struct PolicyFacts {
  Event event;
  ChangedPaths pull_request_changes;  ///< base...head, for pull requests; unknown counts as changed
  ChangedPaths last_commit_changes;   ///< HEAD~1..HEAD, for the dependency rule (P-EV-2); unknown counts as changed
  std::string workflow_file;          ///< `.github/workflows/x.yml`, watched besides `watch`; may be empty
  bool is_prerelease = false;
  bool publish = true;  ///< setting `publish` (P-EV-8)
  std::optional<config::Fresh> fresh;
  std::optional<bool> cache_write;         ///< settings of this invocation, nearer than `configuration.policy`
  bool version_tag_exists_at_head = true;  ///< schedule/manual with version-tag: move
};

inline constexpr std::string_view kPullRequestTrigger = "pull-request";

/// A row of the policy table, applied.
struct Policy {
  bool should_run = false;
  bool fresh = false;          ///< --pull --no-cache
  bool watch_base = false;     ///< fresh: auto: so is a cell whose base image has moved (Cell::base_moved_from)
  bool refresh_cache = false;  ///< such a cell writes the cache
  bool cache_read = false;
  bool cache_write = false;
  bool push = false;
  bool candidate = false;  ///< the tested image is stored by digest (never for pull requests and publish: false)
  bool latest = false;
  bool rebuild_flag = false;          ///< schedule or REBUILD_BASE=true, as in the seed
  std::string trigger;                ///< `release`, `schedule`, `manual`; `pull-request` and `none` publish nothing
  std::vector<std::string> reasons;   ///< why each value is what it is, for people
  std::vector<std::string> warnings;  ///< become annotations
  bool operator==(const Policy&) const = default;
};

/// Fail-closed: unknown events run nothing unless `configuration.policy` names them, and then by pull request rules.
Policy decide_policy(const PolicyFacts& facts, const config::Configuration& configuration);

}  // namespace crategate::pipeline
