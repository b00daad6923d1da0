// How whoever wrote `/regen` is answered: a reaction to the comment at once, one reply that is updated in place.
// Belongs here: where answers go.  Not here: what they say (render/regen_reply).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "actions/workflow.h"
#include "base/result.h"
#include "config/configuration.h"
#include "github/comments.h"
#include "github/reactions.h"

namespace crategate::stages {

/// The first line of the reply: one for each CI image.
std::string regen_marker(const config::CiImage& settings);

/// Which older reply stays as it is: one whose line of the last commit has this text.
using OlderReply = std::optional<std::string>;
inline const OlderReply kReplaced = std::nullopt;
inline const OlderReply kKept = "";  ///< each, also one without that line

class RegenAnswer {
 public:
  virtual ~RegenAnswer() = default;
  virtual Result<void> react(std::int64_t comment, github::Reaction reaction) = 0;
  /// `text` begins with the marker.
  virtual Result<void> reply(std::int64_t pull_request, const std::string& marker, const std::string& text,
                             const OlderReply& stays_with) = 0;
};

/// On GitHub. Best-effort, as all comments: a missing permission is a warning that names it.
///
/// Effects: network(GitHub: pull-requests: write), annotations
class GitHubRegenAnswer final : public RegenAnswer {
 public:
  GitHubRegenAnswer(github::RepositoryName repository, github::CommentClient& comments,
                    github::ReactionClient& reactions, actions::Workflow& workflow)
      : repository_(std::move(repository)), comments_(comments), reactions_(reactions), workflow_(workflow) {}
  Result<void> react(std::int64_t comment, github::Reaction reaction) override;
  Result<void> reply(std::int64_t pull_request, const std::string& marker, const std::string& text,
                     const OlderReply& stays_with) override;

 private:
  github::RepositoryName repository_;
  github::CommentClient& comments_;
  github::ReactionClient& reactions_;
  actions::Workflow& workflow_;
};

/// Of a dry run: says what would be answered.
class PlannedRegenAnswer final : public RegenAnswer {
 public:
  explicit PlannedRegenAnswer(std::function<void(std::string_view text)> print) : print_(std::move(print)) {}
  Result<void> react(std::int64_t comment, github::Reaction reaction) override;
  Result<void> reply(std::int64_t pull_request, const std::string& marker, const std::string& text,
                     const OlderReply& stays_with) override;

 private:
  std::function<void(std::string_view)> print_;
};

}  // namespace crategate::stages
