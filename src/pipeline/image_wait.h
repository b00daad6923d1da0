// Waiting for the build of a CI image (C-5, C-6): what has been seen so far → go on, look at the registry, or give up.
// Belongs here: which run counts and what its conclusion means.  Not here: polling and time (stages/wait_image).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"

namespace crategate::pipeline {

/// A run as GitHub's API lists it, always with its newest attempt.
struct BuildRun {
  std::int64_t id = 0, attempt = 1;
  std::string path;                             ///< of the workflow's file; "@ref" may follow
  std::string event, head_sha;                  ///< that it runs for
  std::optional<std::int64_t> head_repository;  ///< nullopt = it was deleted
  std::int64_t repository = 0;                  ///< that it runs in
  std::string status;
  std::string conclusion;  ///< empty = not completed
  bool operator==(const BuildRun&) const = default;
};

/// The build that is waited for. A run is one of it only when workflow, commit and event agree, and its head is the
/// repository's own (A57).
struct AwaitedBuild {
  std::string workflow;  ///< file name below .github/workflows
  std::string commit;    ///< head of the pull request or of the merge group, never a merge commit
  std::string event;
  std::optional<std::int64_t> repository;  ///< whose the head is; nullopt = the one that the run runs in
  std::string image;                       ///< `name:tag`
};

/// What the registry has at the tag.
enum class LabelSeen : unsigned char { not_asked, right, other, none };

/// One poll.
struct WaitObservation {
  std::vector<BuildRun> runs = {};
  std::optional<Error> unclear =
      {};                 ///< why nothing is known: GitHub, or the registry after a success, has not answered
  bool too_late = false;  ///< when unclear: there will be no answer before the time is over
  std::optional<std::string> head = {};  ///< of the pull request, where it was asked for
  LabelSeen label = LabelSeen::not_asked;
};

struct WaitVerdict {
  enum class Kind : unsigned char { poll_again, look, done, failed };
  Kind kind = Kind::poll_again;
  std::string text;  ///< the state, for a line of status
  ErrorCode code = ErrorCode::internal;
  std::string hint;              ///< what to do, when failed or when the time is over
  std::int64_t run = 0;          ///< that the verdict is about; 0 = none
  bool depends_on_head = false;  ///< it is another one where the pull request has moved on
};

/// Polls for which a state that a newer run or push may explain is given time: cancelled, deleted, succeeded without image.
inline constexpr int kWaitGrace = 3;

/// The run that decides: the newest one that is neither cancelled nor skipped, else the newest. nullptr = none is listed.
/// Two pull requests of one head have runs that nothing tells apart: while another one is not completed, this one's end is no
/// failure yet, and where another one has succeeded, the image's label decides.
const BuildRun* deciding_run(const std::vector<BuildRun>& runs, const AwaitedBuild& awaited);

/// `seen`: all polls, oldest first, at least one. Only a success that the image's revision label confirms is `done`; every
/// other conclusion fails at once, but for one that a newer attempt or push may have caused, or another run may outdo.
///
/// Returns (failed): awaited_build_failed · conflict when the pull request has moved on and another build is to come ·
///                   rate_limited when the limit outlasts the wait
WaitVerdict judge_wait(const std::vector<WaitObservation>& seen, const AwaitedBuild& awaited);

}  // namespace crategate::pipeline
