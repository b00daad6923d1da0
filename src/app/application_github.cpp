// Application: clients of GitHub's API.
#include "app/application.h"

namespace crategate::app {

Result<std::unique_ptr<github::RestGitHubClient>> Application::make_github(github::Options options) {
  CG_TRY(auto endpoint, github::find_endpoint(environment_, github_token_));
  CG_TRY(net::HttpClient* const client, http());
  return std::make_unique<github::RestGitHubClient>(*client, clock_, std::move(endpoint), std::move(options));
}

Result<github::RestGitHubClient*> Application::rest_client() {
  if (!github_) {
    CG_TRY(github_, make_github({}));
  }
  return github_.get();
}

Result<github::GitHubClient*> Application::github() { return rest_client(); }

Result<std::unique_ptr<github::GitHubClient>> Application::brief_github() {
  constexpr std::chrono::seconds kPatience{20};
  constexpr int kTries = 2;
  return make_github({.patience = kPatience, .retry = {.tries = kTries}});
}

Result<github::CommentClient*> Application::comments() {
  if (github_token_.empty()) {
    return fail(ErrorCode::bad_input, "github-token: expected a token that may comment, found none",
                "Set github-token to ${{ github.token }}, in a job with `permissions: pull-requests: write`.");
  }
  return rest_client();
}

}  // namespace crategate::app
