// ci-image resolve: event and changed files → the image that a job runs in, by digest.
#pragma once

#include <string>

#include "actions/workflow.h"
#include "base/result.h"
#include "github/client.h"
#include "pipeline/ci_image.h"
#include "registry/client.h"
#include "stages/plan.h"

namespace crategate::stages {

/// What a section `ci-image` needs, for messages.
inline constexpr std::string_view kCiImageExample =
    "write three lines into crategate.yml: `ci-image:`, `  image: ghcr.io/OWNER/REPOSITORY/ci`, and `  watch: "
    "[ci.Dockerfile, crategate.yml, .github/workflows/build-ci-image.yml]`";

struct ResolvedImage {
  pipeline::CiImageDecision decision;
  std::string image;            ///< `name@sha256:…`; empty = it is still to be built
  std::string reference;        ///< `name:tag`
  bool is_other = false;        ///< the tag is there, but the image to wait for is another one
  std::string login_hint = {};  ///< without one: it was asked for without a login, and what to do where it needs one
};

/// Where GitHub is asked about a pull request that this clone cannot tell of.
struct PullRequestApi {
  github::GitHubClient& client;
  github::RepositoryName repository;
};

/// The section, with what a decision needs.
/// Errors: bad_input for a missing or incomplete one.
Result<config::CiImage> ci_image_settings(const config::Configuration& configuration);

/// The event, with the commit that is checked out where it names none, and with what `pinned` says or `api`
/// knows of a comment's pull request.
/// Effects: reads files, process(git), network(GitHub's API: pull-requests: read)
/// Errors:  bad_input; those of the API
Result<pipeline::Event> complete_event(const PlanInputs& in, const PlanServices& svc,
                                       const PullRequestApi* api = nullptr,
                                       const github::PullRequest* pinned = nullptr);

/// What the event leads to, by pipeline/ci_image. A pull request is compared with its base branch by git (C-4); where the
/// history does not reach, with the first parent of the merge commit that was checked out for it; where that fails too, in the
/// history that `svc.history` has; then GitHub is asked for its files. Of a comment's pull request it is asked everything. What
/// nobody can tell counts as changed, and the reason says why. `api` null = nobody is asked. Of events without a comparison the watched files are looked for in the
/// checkout. `pinned`: a comment's pull request as it was read before; the image is that commit's, wherever the head is now.
///
/// Effects: reads files, process(git), network(the remote: contents: read; GitHub's API: pull-requests: read)
/// Errors: bad_input for a missing or incomplete section `ci-image`, and for a watched path that is no file at base or
///         head, or of the checkout, with the nearest one
Result<pipeline::CiImageDecision> decide_ci_image(const PlanInputs& in, const PlanServices& svc,
                                                  const PullRequestApi* api = nullptr,
                                                  const github::PullRequest* pinned = nullptr);

/// Asks the registry for that tag's digest. An image that is to be waited for counts only when its label
/// org.opencontainers.image.revision is the event's own commit (C-6): one of an older push is none.
///
/// Effects: as above, network(registry)
/// Errors: as above; not_found for a tag that is not there and that nobody is going to build; registry errors
Result<ResolvedImage> resolve_image(const PlanInputs& in, const PlanServices& svc, registry::RegistryReader& reader,
                                    const PullRequestApi* api = nullptr);
/// The same for what is decided already.
Result<ResolvedImage> look_up_image(pipeline::CiImageDecision decision, const config::CiImage& settings,
                                    registry::RegistryReader& reader);

/// Effects: writes the outputs; the notice below.
Result<void> publish_image(const ResolvedImage& resolved, actions::Workflow& workflow);
/// Effects: a notice where the checks of a fork run in another image than the one it asks for.
void notice_unvalidated(const pipeline::CiImageDecision& decision, actions::Workflow& workflow);

}  // namespace crategate::stages
