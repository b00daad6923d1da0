// What happened: a GitHub event (or its shell equivalent) as a value.
// Belongs here: reading the payload's meaning, fail-closed.  Not here: what follows from it (policy).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"

namespace crategate::pipeline {

enum class EventKind : unsigned char { pull_request, tag_push, branch_push, schedule, dispatch, unknown };

/// The raw facts, as the runner gives them.
struct EventFacts {
  std::string name;                            ///< GITHUB_EVENT_NAME
  std::string ref;                             ///< GITHUB_REF, full (`refs/tags/v1.2.3`)
  std::string ref_type;                        ///< GITHUB_REF_TYPE: `branch`, `tag` or empty
  std::string sha;                             ///< GITHUB_SHA
  std::string base_ref;                        ///< GITHUB_BASE_REF (a pull request's base branch)
  std::string payload;                         ///< JSON text of GITHUB_EVENT_PATH; empty = none
  std::string payload_name = "event payload";  ///< of the text, in errors
  std::optional<bool> rebuild_base;            ///< overrides the dispatch input
};

struct Event {
  EventKind kind = EventKind::unknown;
  std::string name;
  std::string ref;
  std::string tag;             ///< tag_push only
  std::string branch;          ///< branch of ref, or of the pull request's head
  std::string base_branch;     ///< pull_request only
  std::string default_branch;  ///< of the repository, when the payload says it
  std::string sha;             ///< the commit that is built; for pull requests GITHUB_SHA (the merge commit)
  std::string head_sha;        ///< pull requests: head.sha; else equal to sha
  std::optional<std::int64_t> pull_request;  ///< number
  bool from_fork = false;                    ///< a deleted head repository counts as a fork (A05)
  std::string description, license;          ///< of the repository: one line, an SPDX expression; empty = unknown
  bool rebuild_base = false;
  bool force_rebuild = false;  ///< dispatch input `force_rebuild` (C-10)
  bool publish = true;         ///< dispatch input `publish`
  bool closed = false;         ///< the pull request was closed: nothing runs
  bool deleted = false;        ///< a tag or branch was deleted: nothing runs
};

/// Any one of event name, `refs/pull/` or a `pull_request` in the payload makes it a pull request (P-EV-4, A04). A tag
/// push needs name `push`, a ref below `refs/tags/` and ref_type `tag` or empty; a contradiction is refused (A08).
/// `REBUILD_BASE` and `force_rebuild` are booleans or exactly `true`/`false` (P-EV-3, A07); pull request numbers are integers 1..2^53
/// (A06).
/// Errors: bad_input naming the payload's path.
Result<Event> parse_event(const EventFacts& facts);

}  // namespace crategate::pipeline
