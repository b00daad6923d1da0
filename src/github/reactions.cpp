// RestGitHubClient: reactions.
#include "github/reactions.h"

#include "base/strings.h"
#include "github/client.h"
#include "github/session.h"

namespace crategate::github {

std::string_view to_string(Reaction reaction) {
  constexpr std::string_view kContents[] = {"eyes", "-1"};
  return kContents[static_cast<std::size_t>(reaction)];
}

Result<void> RestGitHubClient::react(const RepositoryName& repository, std::int64_t comment, Reaction reaction) {
  net::Deadline deadline = session_->deadline();
  CG_CHECK(session_->send({.method = "POST",
                           .path = concat("/repos/", repository.text(), "/issues/comments/", comment, "/reactions"),
                           .task = concat("react to comment ", comment, " of ", repository.text()),
                           .needs = "pull-requests: write",
                           .body = json::Value::object({{"content", to_string(reaction)}}).canonical()},
                          deadline));
  return {};
}

}  // namespace crategate::github
