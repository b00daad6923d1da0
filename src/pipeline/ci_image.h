// The CI image of an event: which tag its jobs run in, and what a build of it may publish (C-1 to C-3, C-9, C-10).
// One table, one row for each kind of event; docs/ci-image.md repeats it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/configuration.h"
#include "pipeline/event.h"

namespace crategate::pipeline {

/// Where a tag comes from.
enum class CiTag : unsigned char {
  own,          ///< `pr-N`: the pull request's own image
  base_branch,  ///< of the branch that the pull request goes to
  branch,       ///< of the event's branch
  commit,       ///< `BRANCH-sha-COMMIT`: the commit's own image
  fallback      ///< `default-tag`
};

/// What a build of this event publishes.
enum class CiPublish : unsigned char { nothing, own, branch_and_commit, commit };

enum class CiBuild : unsigned char { no, yes, fresh };  ///< fresh: `--pull --no-cache`

enum class CiEvent : unsigned char {
  pull_request_unchanged,
  pull_request_changed,
  fork_changed,
  pull_request_closed,
  other_event_changed,
  other_event_fork_changed,
  comment,
  merge_group_unchanged,
  merge_group_changed,
  push_mapped,
  push_other,
  tag,
  schedule,
  dispatch,
  dispatch_forced,
  deletion,
  unknown
};

/// A row of the table.
struct CiImageRow {
  CiEvent event;
  std::string_view text;  ///< the event, for people
  CiTag tag;
  bool modified;   ///< the event's own files ask for an image of their own, or nobody can tell
  bool validated;  ///< its jobs run in the image that its files ask for
  CiBuild build;
  bool wait;  ///< the image counts only when it was built from the event's own commit
  CiPublish publish;
};

inline constexpr std::size_t kCiImageRows = 17;
const std::array<CiImageRow, kCiImageRows>& ci_image_table();
/// Its cells as docs/ci-image.md has them: event, runs in, modified, validated, builds, waits, publishes.
std::array<std::string, 7> words_of(const CiImageRow& row);

struct CiImageFacts {
  Event event;
  /// The watched file that changed, empty = none did; nullopt = it cannot be told, which counts as changed.
  std::optional<std::string> changed;
  std::string why_unknown;
};

struct CiImageDecision {
  CiEvent event = CiEvent::unknown;
  std::string tag;                   ///< that jobs of this event run in
  std::vector<std::string> publish;  ///< tags that a build of this event writes; empty = it pushes nothing
  bool modified = false, validated = false, wait = false;
  CiBuild build = CiBuild::no;
  std::string revision;                      ///< commit that an image to wait for is labelled with
  std::optional<std::int64_t> pull_request;  ///< whose number decides over the image; not of a merge group
  std::string base_branch;                   ///< of a pull request or merge group; empty = not known, or there is none
  std::string reason;
  bool may_push() const { return !publish.empty(); }
  bool operator==(const CiImageDecision&) const = default;
};

/// A comment on a pull request: its payload says neither head nor base.
bool is_comment(const Event& event);

/// Whether the row depends on what changed: nobody needs to look otherwise.
bool needs_changes(const Event& event);

/// The first watched path among the changed ones, by exact comparison; empty = none.
std::string find_watched(const std::vector<std::string>& changed, const std::vector<std::string>& watch);

/// Fail-closed: what cannot be told counts as changed, and what cannot be told from a pull request is one.
/// Errors: bad_input for settings that name no valid tag, a pull request without a number, a branch without a commit.
Result<CiImageDecision> decide_ci_image(const CiImageFacts& facts, const config::CiImage& settings);

}  // namespace crategate::pipeline
