// The policy table and the words that explain each value (docs/policy.md lists them).
// Belongs here: one row per event, and what a configuration may change in it.  Not here: cells and names (plan).
#include "pipeline/policy.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/strings.h"

namespace crategate::pipeline {
namespace {

constexpr std::string_view kReleaseTags = "v*.*.*";
constexpr std::string_view kMainBranch = "main";

bool matches_any(const std::vector<std::string>& patterns, std::string_view path) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [path](const std::string& pattern) { return glob_matches(pattern, path); });
}

class Decision {
 public:
  Decision(const PolicyFacts& facts, const config::Configuration& configuration)
      : facts_(facts), event_(facts.event), configuration_(configuration) {
    if (const auto row = configuration.policy.find(event_.name); row != configuration.policy.end()) {
      overrides_ = row->second;
    }
    if (facts.fresh) overrides_.fresh = facts.fresh;
    if (facts.cache_write) overrides_.cache_write = facts.cache_write;
  }

  Policy decide() && {
    policy_.trigger = "none";
    if (event_.deleted) return nothing(concat(quoted(event_.ref), " was deleted: nothing to build"));
    if (event_.closed) return nothing("the pull request was closed: nothing to build");
    if (overrides_.all_cells == false) return nothing(concat(setting("cells"), ": none: this event runs nothing"));
    switch (event_.kind) {
      case EventKind::pull_request:
        return pull_request();
      case EventKind::tag_push:
        return release();
      case EventKind::schedule:
        return publishing("schedule", true);
      case EventKind::dispatch:
        return publishing("manual", event_.rebuild_base);
      case EventKind::branch_push:
      case EventKind::unknown:
        break;
    }
    return unlisted();
  }

 private:
  void because(std::string reason) { policy_.reasons.push_back(std::move(reason)); }
  void warn(std::string warning) { policy_.warnings.push_back(std::move(warning)); }
  /// Where a value was set: by this invocation, or for its event.
  std::string setting(std::string_view key) const {
    const bool invocation = (key == "fresh" && facts_.fresh) || (key == "cache-write" && facts_.cache_write);
    return invocation ? std::string(key) : concat("policy.", event_.name, ".", key);
  }

  Policy nothing(std::string reason) {
    because(std::move(reason));
    return std::move(policy_);
  }

  Policy pull_request() {
    const std::string main = event_.default_branch.empty() ? std::string(kMainBranch) : event_.default_branch;
    const bool to_main = event_.base_branch.empty() || event_.base_branch == main;
    if (!to_main && !overrides_.all_cells) {
      return nothing(concat("pull request to ", quoted(event_.base_branch), ", not to ", quoted(main),
                            ": nothing runs unless ", setting("cells"), ": all"));
    }
    return pull_request_rules("pull request");
  }

  Policy unlisted() {
    const std::string what = event_.kind == EventKind::branch_push ? concat("push to branch ", quoted(event_.branch))
                                                                   : concat("event ", quoted(event_.name));
    if (!overrides_.all_cells) {
      return nothing(concat(what, ": not in the policy table; nothing runs unless ", setting("cells"), ": all"));
    }
    return pull_request_rules(what);
  }

  /// Isolation (P-EV-4): fresh, no cache, nothing leaves the machine; no setting changes that (A84).
  Policy pull_request_rules(const std::string& what) {
    if (!is_watched_path_changed()) return nothing("no watched path changed");
    policy_.should_run = true;
    policy_.fresh = true;
    policy_.trigger = kPullRequestTrigger;
    because(concat(what, ": every cell is built fresh; no cache is read or written, nothing is published"));
    const std::pair<std::string_view, bool> ignored[] = {{"fresh", overrides_.fresh.has_value()},
                                                         {"cache-write", overrides_.cache_write.has_value()},
                                                         {"latest", overrides_.latest.has_value()}};
    for (const auto& [key, given] : ignored) {
      if (given) warn(concat(setting(key), ": ignored: pull request rules build fresh, without cache and tags"));
    }
    warn_about_rebuild_base();
    return std::move(policy_);
  }

  bool is_watched_path_changed() {
    const auto& changes = facts_.pull_request_changes;
    if (!changes.paths) {
      if (event_.kind == EventKind::pull_request) {
        warn(unknown_changes("the changes of the pull request", changes.why_not, "every watched path"));
      }
      return true;
    }
    if (configuration_.watch.empty()) return true;
    return std::any_of(changes.paths->begin(), changes.paths->end(), [this](const std::string& path) {
      return path == facts_.workflow_file || matches_any(configuration_.watch, path);
    });
  }

  static std::string unknown_changes(std::string_view what, std::string_view why_not, std::string_view counted) {
    std::string text = concat(what, " cannot be computed; ", counted, " counts as changed");
    if (!why_not.empty()) text += concat(" (", why_not, ")");
    if (why_not.find("fetch-depth") == std::string_view::npos) text += "; check out with `fetch-depth: 2`";
    return text;
  }

  Policy release() {
    if (!glob_matches(kReleaseTags, event_.tag)) {
      return nothing(concat("tag ", quoted(event_.tag), " does not match ", kReleaseTags, ": not a release"));
    }
    return publishing("release", false);
  }

  /// The rows that publish: release, schedule, manual.
  Policy publishing(std::string_view trigger, bool rebuild) {
    policy_.should_run = true;
    policy_.trigger = trigger;
    policy_.rebuild_flag = rebuild;
    policy_.push = facts_.publish;
    policy_.candidate = facts_.publish;
    because(
        concat(trigger == "manual" ? "manual run" : trigger, ": every cell; ",
               facts_.publish ? "published after the gate" : "publish: false: no tag, cache or candidate is written"));
    decide_fresh(trigger, rebuild);
    decide_cache(rebuild);
    decide_latest(trigger);
    if (trigger == "release") warn_about_rebuild_base();
    if (trigger != "release") warn_about_version_tag();
    return std::move(policy_);
  }

  void decide_fresh(std::string_view trigger, bool rebuild) {
    using config::Fresh;
    // REBUILD_BASE is a person's word: it does not ask whether anything has moved.
    const bool is_demanded = rebuild && trigger == "manual" && overrides_.fresh == Fresh::automatic;
    const Fresh fresh = is_demanded ? Fresh::yes : overrides_.fresh.value_or(rebuild ? Fresh::yes : Fresh::no);
    policy_.fresh = fresh == Fresh::yes;
    policy_.watch_base = fresh == Fresh::automatic;
    if (policy_.watch_base) {
      because(concat("fresh: where the base image has moved, as ", setting("fresh"), " says"));
    } else if (overrides_.fresh && !is_demanded) {
      because(concat("fresh: ", policy_.fresh, ", as ", setting("fresh"), " says"));
    } else if (rebuild) {
      because(concat("fresh: ", trigger == "schedule" ? "a scheduled run" : "REBUILD_BASE", " pulls new base layers"));
    }
  }

  void decide_cache(bool rebuild) {
    if (configuration_.cache.empty()) return because("no cache is configured");
    policy_.cache_read = !policy_.fresh;
    policy_.refresh_cache = policy_.watch_base && facts_.publish && overrides_.cache_write.value_or(true);
    const bool row_value = rebuild || is_dependency_changed();
    policy_.cache_write = facts_.publish && overrides_.cache_write.value_or(row_value);
    if (!facts_.publish) return;
    if (overrides_.cache_write) {
      because(concat("cache write: ", policy_.cache_write, ", as ", setting("cache-write"), " says"));
    } else if (rebuild) {
      because("cache write: true, this run refreshes it");
    }
  }

  bool is_dependency_changed() {
    const auto& changes = facts_.last_commit_changes;
    const bool matters = facts_.publish && !overrides_.cache_write;
    if (!changes.paths) {
      if (matters) {
        warn(unknown_changes("the changes of the last commit", changes.why_not, "every dependency file"));
        because("cache write: true, the changes of the last commit are unknown");
      }
      return true;
    }
    const auto found = std::find_if(changes.paths->begin(), changes.paths->end(), [this](const std::string& path) {
      return matches_any(configuration_.dependencies, path);
    });
    if (found == changes.paths->end()) {
      if (matters) because("cache write: false, no dependency file changed");
      return false;
    }
    if (matters) because(concat("cache write: true, ", quoted(*found), " changed"));
    return true;
  }

  void decide_latest(std::string_view trigger) {
    if (!facts_.publish) return;
    if (configuration_.release.moving.empty() && configuration_.release.set.empty()) {
      because("latest: false, release.moving lists no tag");
    } else if (overrides_.latest) {
      policy_.latest = *overrides_.latest;
      because(concat("latest: ", policy_.latest, ", as ", setting("latest"), " says"));
    } else if (trigger != "release") {
      because("latest: false, only a release moves it");
    } else {
      decide_release_latest();
    }
    if (policy_.latest && facts_.is_prerelease) {
      warn("this pre-release becomes latest too (release.latest: stable keeps latest on stable versions)");
    }
  }

  void decide_release_latest() {
    switch (configuration_.release.latest) {
      case config::LatestPolicy::every_release:
        policy_.latest = true;
        return because("latest: true, after every push");
      case config::LatestPolicy::stable:
        policy_.latest = !facts_.is_prerelease;
        return because(policy_.latest ? "latest: true, a stable version, after every push"
                                      : "latest: false, a pre-release under release.latest: stable");
      case config::LatestPolicy::never:
        return because("latest: false, release.latest: never");
    }
  }

  void warn_about_rebuild_base() {
    if (event_.rebuild_base) warn("REBUILD_BASE is for manual runs: ignored for this event");
  }

  void warn_about_version_tag() {
    const bool moves = configuration_.release.version_tag != config::VersionTagPolicy::dated;
    if (!facts_.publish || !moves || facts_.version_tag_exists_at_head) return;
    warn(
        "the version's git tag is not at this commit, and the image tag of that version moves here all the same "
        "(release.version-tag: dated publishes beside it)");
  }

  const PolicyFacts& facts_;
  const Event& event_;
  const config::Configuration& configuration_;
  config::EventPolicy overrides_;
  Policy policy_;
};

}  // namespace

Policy decide_policy(const PolicyFacts& facts, const config::Configuration& configuration) {
  return Decision(facts, configuration).decide();
}

}  // namespace crategate::pipeline
