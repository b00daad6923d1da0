#include "stages/regen_answer.h"

#include "base/log.h"
#include "base/strings.h"
#include "pipeline/comment.h"
#include "render/applied_regen.h"
#include "stages/comment.h"

namespace crategate::stages {

std::string regen_marker(const config::CiImage& settings) { return pipeline::comment_marker("regen", settings.image); }

Result<void> GitHubRegenAnswer::react(std::int64_t comment, github::Reaction reaction) {
  const auto reacted = reactions_.react(repository_, comment, reaction);
  return reacted ? reacted : only_warn(reacted.error(), "the comment has no reaction", workflow_);
}

Result<void> GitHubRegenAnswer::reply(std::int64_t pull_request, const std::string& marker, const std::string& text,
                                      const OlderReply& stays_with) {
  CG_TRY(const auto posted, post_comment({.pull_request = pull_request,
                                          .marker = marker,
                                          .text = text,
                                          .reason = {},
                                          .lasting = std::string(render::kLastRegenCommit),
                                          .stays_with = stays_with},
                                         repository_, comments_, workflow_));
  log::info(concat("reply on pull request ", pull_request, ": ", to_string(posted.outcome),
                   posted.url.empty() ? "" : ", ", posted.url));
  return {};
}

Result<void> PlannedRegenAnswer::react(std::int64_t comment, github::Reaction reaction) {
  print_(concat("reaction ", github::to_string(reaction), " to comment ", comment, "\n"));
  return {};
}

Result<void> PlannedRegenAnswer::reply(std::int64_t pull_request, const std::string&, const std::string& text,
                                       const OlderReply& /*stays_with*/) {
  print_(concat("reply on pull request ", pull_request, ":\n", text));
  return {};
}

}  // namespace crategate::stages
