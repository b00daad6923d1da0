// comment: the pull request's own CI image → a comment that is updated in place (C-7).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "actions/workflow.h"
#include "base/result.h"
#include "github/comments.h"
#include "registry/client.h"
#include "stages/plan.h"
#include "stages/resolve_image.h"

namespace crategate::stages {

/// What is to be said, if anything.
struct PreparedComment {
  std::int64_t pull_request = 0;
  std::string marker;
  std::string text;          ///< empty = nothing is said about this event
  std::string reason;        ///< the decision's, for the log
  std::string lasting = {};  ///< how a line begins that an older comment keeps when text has none; empty = none
  std::optional<std::string> stays_with = {};  ///< as in pipeline::CommentFacts
};

/// A comment belongs to the event that publishes `pr-N`, and to no other: never to a fork's (C-9), which could not write one.
/// The image must be there, built from the event's own commit: nothing is said about one that nobody can pull. What cannot
/// be told of the base's image is left out.
///
/// Effects: as resolve_image
/// Errors: as resolve_image; not_found while the image is not there
Result<PreparedComment> prepare_comment(const PlanInputs& in, const PlanServices& svc, registry::RegistryReader& reader,
                                        const PullRequestApi* api = nullptr);

enum class CommentOutcome : unsigned char {
  created,
  updated,
  unchanged,
  left,   ///< one has the marker, and GitHub does not tell whose token this is
  failed  ///< GitHub refused or did not answer; a warning says why
};
std::string_view to_string(CommentOutcome outcome);

struct PostedComment {
  CommentOutcome outcome = CommentOutcome::failed;
  std::string url;  ///< empty = there is none of ours
};

/// Best-effort (B18): a comment that cannot be written is a warning with what to do, for no check depends on it.
///
/// Effects: network(GitHub): at most one write, and one more for a comment that was deleted meanwhile; annotations
/// Errors: bad_input, interrupted, terminated, internal
Result<PostedComment> post_comment(const PreparedComment& comment, const github::RepositoryName& repository,
                                   github::CommentClient& client, actions::Workflow& workflow);

/// For what no check depends on: what GitHub refuses or does not answer becomes a warning that begins with `what`.
///
/// Effects: annotations
/// Errors: those that a person or a defect is to blame for, and the end of the process
Result<void> only_warn(const Error& error, std::string_view what, actions::Workflow& workflow);

}  // namespace crategate::stages
