// Application: clients of GitHub's API, and commits of its repositories.
#include <utility>

#include "app/application.h"
#include "app/github_place.h"
#include "base/log.h"
#include "base/strings.h"
#include "git/git_commit_transfer.h"
#include "github/git_server.h"
#include "sys/cancel.h"

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

Result<bool> Application::may_push(const github::RepositoryName& repository) {
  CG_TRY(const auto server, github::find_git_server(environment_, github_token_));
  CG_TRY(net::HttpClient* const client, http());
  return github::may_push(*client, clock_, server, repository);
}

Result<std::unique_ptr<github::GitHubClient>> Application::brief_github() {
  constexpr std::chrono::seconds kPatience{2};
  constexpr int kTries = 2;
  return make_github({.patience = kPatience, .retry = {.tries = kTries}});
}

Result<github::RestGitHubClient*> Application::writing_client() {
  if (github_token_.empty()) {
    return fail(ErrorCode::bad_input, "github-token: expected a token that may comment, found none",
                "Set github-token to ${{ github.token }}, in a job with `permissions: pull-requests: write`.");
  }
  return rest_client();
}

Result<github::CommentClient*> Application::comments() { return writing_client(); }

Result<github::ReactionClient*> Application::reactions() { return writing_client(); }

Result<github::PackageClient*> Application::packages() { return rest_client(); }

std::unique_ptr<git::CommitTransfer> Application::commit_transfer(const std::string& remote) {
  return std::make_unique<git::GitCommitTransfer>(
      git::PrivateRepository(processes_, environment_, workspace_.root, remote, github_token_, git::Holds::commits));
}

std::unique_ptr<git::CommitTransfer> Application::pushing_transfer(const std::string& remote) {
  return std::make_unique<git::GitCommitTransfer>(
      git::PrivateRepository(processes_, environment_, workspace_.root, remote,
                             push_token_.empty() ? github_token_ : push_token_, git::Holds::commits),
      push_app_ ? git::PushLogin([this] { return make_app_token(); }) : git::PushLogin());
}

Result<github::AppTokenClient> Application::app_tokens() {
  CG_TRY(auto endpoint, github::find_endpoint(environment_, Secret()));
  CG_TRY(net::HttpClient* const client, http());
  return github::AppTokenClient(*client, clock_, std::move(endpoint));
}

Result<Secret> Application::make_app_token() {
  CG_TRY(const auto repository, repository_of(*this));
  CG_TRY(auto tokens, app_tokens());
  auto made = tokens.make(*push_app_, repository);
  if (!made && made.error().code == ErrorCode::bad_input) return fail(std::move(made).error().within("push-app-key"));
  CG_TRY(app_token_, std::move(made));
  workflow_->mask(app_token_);
  return app_token_;
}

void Application::end_pushing() {
  const Secret token = std::exchange(app_token_, {});
  if (token.empty()) return;
  const sys::CancellationPause pause;
  auto tokens = app_tokens();
  const auto revoked = tokens ? tokens->revoke(token) : fail(tokens.error());
  if (!revoked) log::warning(concat("the App's token ends by itself within an hour only: ", describe(revoked.error())));
}

}  // namespace crategate::app
