// wait-image: polls until the build of the event's own CI image has ended, then proves it on the registry (C-5, C-6).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "github/client.h"
#include "registry/client.h"
#include "stages/resolve_image.h"
#include "sys/clock.h"

namespace crategate::stages {

struct WaitServices {
  const PlanServices& plan;
  registry::RegistryReader& reader;
  const PullRequestApi*
      api;  ///< for the decision, and whose runs are listed; nullptr = there is no token, or no repository
  /// For the polls: made only where there is something to wait for. It must not wait itself, the stage does.
  const std::function<Result<github::GitHubClient*>()>& github;
  sys::Clock& clock;
  const std::function<void(std::string_view line)>& status;  ///< one line for each poll
};

/// The repository that the workflow runs in.
struct WaitPlace {
  std::string repository;          ///< `OWNER/NAME`
  std::optional<std::int64_t> id;  ///< of it
  std::string address;             ///< of its pages, `https://github.com/OWNER/NAME`; empty = not known
};

/// As `resolve_image` where nothing is to be waited for. Otherwise lists the runs of `ci-image.workflow` for the head commit
/// every `ci-image.wait-interval`, at most for `ci-image.wait-timeout`, and decides by pipeline/image_wait. What passes by
/// itself is waited for as well: outages, and limits that end in time. `pinned`: as decide_ci_image.
///
/// Effects: as resolve_image, network(GitHub's API: actions: read, pull-requests: read), sleeps
/// Errors: as resolve_image; awaited_build_failed; wait_timed_out; conflict when the pull request has moved on; bad_input
///         without a repository or a token, and for a workflow that neither head nor base has; rate_limited for a limit that
///         outlasts the wait; GitHub's and the registry's, when waiting would not mend them
Result<ResolvedImage> wait_for_image(const PlanInputs& in, const WaitPlace& place, const WaitServices& svc,
                                     const github::PullRequest* pinned = nullptr);

}  // namespace crategate::stages
