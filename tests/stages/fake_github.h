// GitHub's answers as a test sets them.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "github/client.h"

namespace crategate::stages::sample {

/// Pull request 7 of the own repository, 1, to main.
inline github::PullRequest pull_request(const std::string& head) {
  github::PullRequest pull;
  pull.number = 7;
  pull.state = "open";
  pull.head = {.ref = "fix", .sha = head, .repository_id = 1, .repository = "o/r", .pushed_at = {}};
  pull.base = {.ref = "main", .sha = std::string(40, 'b'), .repository_id = 1, .repository = "o/r", .pushed_at = {}};
  return pull;
}

class FakeGitHub final : public github::GitHubClient {
 public:
  Result<std::vector<github::RunArtifact>> run_artifacts(const github::RepositoryName&, std::int64_t,
                                                         const std::string&) override {
    return fail(ErrorCode::internal, "not asked here");
  }
  Result<github::Downloaded> artifact_archive(const github::RepositoryName&, const github::RunArtifact&,
                                              const net::BodySink&) override {
    return fail(ErrorCode::internal, "not asked here");
  }
  Result<void> delete_artifact(const github::RepositoryName&, std::int64_t) override {
    return fail(ErrorCode::internal, "not asked here");
  }
  Result<github::Permission> permission_of(const github::RepositoryName&, const std::string& user) override {
    permissions_asked.push_back(user);
    return permission;
  }
  Result<github::PullRequest> pull_request(const github::RepositoryName&, std::int64_t) override {
    ++pulls_asked;
    if (before_pull) before_pull(pulls_asked);
    if (failure) return refusal();
    if (pull_failure) return fail(*pull_failure);
    return pull;
  }
  Result<github::PullRequestFiles> pull_request_files(const github::RepositoryName&, std::int64_t) override {
    if (failure) return refusal();
    return files;
  }
  Result<std::vector<github::WorkflowRun>> workflow_runs(const github::RepositoryName&,
                                                         const github::RunFilter& asked) override {
    filter = asked;
    return runs(polls++);
  }
  std::chrono::milliseconds held() override { return hold; }
  Failure refusal() const { return fail(*failure, "refused on purpose"); }

  github::PullRequest pull = sample::pull_request(std::string(40, 'a'));
  github::PullRequestFiles files;
  std::function<void(int asked)> before_pull;  ///< from 1
  Result<github::Permission> permission = fail(ErrorCode::internal, "not asked here");
  std::vector<std::string> permissions_asked;
  std::optional<ErrorCode> failure;
  std::optional<Error> pull_failure;  ///< of pull_request alone
  std::function<Result<std::vector<github::WorkflowRun>>(int poll)> runs;
  github::RunFilter filter;
  std::chrono::milliseconds hold{0};
  int polls = 0, pulls_asked = 0;
};

}  // namespace crategate::stages::sample
