// authorise-regen: a comment → whether `/regen` is done, for exactly which commit, in which image (C-8, A29 to A33).
// Belongs here: the order of questions and answers.  Not here: the decision (pipeline/regen_request), waiting (wait_image).
#pragma once

#include <optional>
#include <string>

#include "actions/workflow.h"
#include "base/result.h"
#include "github/client.h"
#include "pipeline/regen_request.h"
#include "stages/regen_answer.h"
#include "stages/wait_image.h"

namespace crategate::stages {

struct AuthoriseInputs {
  PlanInputs plan;
  WaitPlace place;
  github::RepositoryName repository;  ///< whose comment it is
};

/// What the first job has found.
struct PinnedRegen {
  std::int64_t pull_request = 0;
  std::string sha;
};

struct AuthoriseServices {
  const PlanServices& plan;
  github::GitHubClient& github;
  RegenAnswer& answer;
};

struct AuthorisedRegen {
  pipeline::RegenComment comment;
  pipeline::RegenVerdict verdict;
  std::string reason_id, reason;       ///< `sha-needed`, and in words
  std::optional<ResolvedImage> image;  ///< when accepted: of exactly that commit
  std::optional<Error> failure;        ///< that ends the job: it could not be found out, or the head has moved
  bool accepted() const { return verdict.outcome == pipeline::RegenOutcome::accepted; }
};

/// Nothing is asked about a comment that is none of ours. Otherwise the permission, then `eyes`, the pull request, the image,
/// and the pull request once more. A refusal, or what went wrong, is said in the reply, with a thumb down.
///
/// Effects: as wait_for_image; network(GitHub: pull-requests: write): a reaction or two, and the reply
/// Errors: bad_input for another event or no section `ci-image`, interrupted, terminated; whatever else goes wrong once the
///         comment is known to be ours is `failure`
Result<AuthorisedRegen> authorise_regen(const AuthoriseInputs& in, const AuthoriseServices& svc,
                                        const WaitServices& wait);

/// The same questions once more, by the job that writes, about the commit that was pinned: permissions are taken away, and
/// branches move. Without `eyes`, and without waiting: there is no image.
/// Errors: as authorise_regen; bad_input for a comment on another pull request
Result<AuthorisedRegen> authorise_regen_again(const AuthoriseInputs& in, const PinnedRegen& pinned,
                                              const AuthoriseServices& svc);

/// Effects: writes the outputs; a notice where a fork's own image is not the one.
Result<void> publish_authorised(const AuthorisedRegen& authorised, actions::Workflow& workflow);

}  // namespace crategate::stages
