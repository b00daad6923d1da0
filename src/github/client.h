// GitHub's REST API (https://docs.github.com/rest), the part that the product asks; docs/github.md names permissions.
// Belongs here: what can be asked, and the answers.  Not here: how a question reaches GitHub (session).
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "github/comments.h"
#include "github/endpoint.h"
#include "github/packages.h"
#include "github/reactions.h"
#include "github/values.h"
#include "net/http.h"
#include "net/retry.h"
#include "sys/clock.h"

namespace crategate::github {

class GitHubClient {
 public:
  virtual ~GitHubClient() = default;
  /// Newest first; `name` empty = all. Errors: not_found, …; github_api above 10,000.
  virtual Result<std::vector<RunArtifact>> run_artifacts(const RepositoryName& repository, std::int64_t run_id,
                                                         const std::string& name = {}) = 0;
  /// The archive's bytes, in order, to `sink`; nothing of them counts unless the whole succeeds. A broken transfer goes
  /// on where it broke. Where `artifact` has a digest, digest and size are checked; its id alone is enough.
  /// Errors: integrity; not_found for an expired one; what `sink` answers.
  virtual Result<Downloaded> artifact_archive(const RepositoryName& repository, const RunArtifact& artifact,
                                              const net::BodySink& sink) = 0;
  virtual Result<void> delete_artifact(const RepositoryName& repository, std::int64_t id) = 0;
  /// What `user` may do. Any error means no.
  virtual Result<Permission> permission_of(const RepositoryName& repository, const std::string& user) = 0;
  virtual Result<PullRequest> pull_request(const RepositoryName& repository, std::int64_t number) = 0;
  /// By pages, in the three-dot sense, read until two readings are the same. A list as long as GitHub's limit is not complete.
  /// Errors: conflict for one that changes each time.
  virtual Result<PullRequestFiles> pull_request_files(const RepositoryName& repository, std::int64_t number) = 0;
  /// Newest first, at most 1000.
  virtual Result<std::vector<WorkflowRun>> workflow_runs(const RepositoryName& repository, const RunFilter& filter) = 0;
  /// For how long a limit that was met still keeps every question back; 0 = none does.
  virtual std::chrono::milliseconds held() = 0;
};

struct Options {
  std::chrono::milliseconds patience{300000};  ///< for all waiting of one call; of a download, since it last got ahead
  net::RetryPolicy retry{.tries = 6};
  net::Random random = net::kernel_random;
};

class Session;

/// Thread-safe. Effects: network.
class RestGitHubClient final : public GitHubClient, public CommentClient, public PackageClient, public ReactionClient {
 public:
  RestGitHubClient(net::HttpClient& http, sys::Clock& clock, Endpoint endpoint, Options options = {});
  ~RestGitHubClient() override;
  Result<std::vector<RunArtifact>> run_artifacts(const RepositoryName& repository, std::int64_t run_id,
                                                 const std::string& name) override;
  Result<Downloaded> artifact_archive(const RepositoryName& repository, const RunArtifact& artifact,
                                      const net::BodySink& sink) override;
  Result<void> delete_artifact(const RepositoryName& repository, std::int64_t id) override;
  Result<Permission> permission_of(const RepositoryName& repository, const std::string& user) override;
  Result<PullRequest> pull_request(const RepositoryName& repository, std::int64_t number) override;
  Result<PullRequestFiles> pull_request_files(const RepositoryName& repository, std::int64_t number) override;
  Result<std::vector<WorkflowRun>> workflow_runs(const RepositoryName& repository, const RunFilter& filter) override;
  std::chrono::milliseconds held() override;
  Result<Account> viewer() override;
  Result<std::vector<IssueComment>> issue_comments(const RepositoryName& repository, std::int64_t number,
                                                   const std::function<bool(const IssueComment&)>& wanted) override;
  Result<IssueComment> create_comment(const RepositoryName& repository, std::int64_t number,
                                      const std::string& body) override;
  Result<IssueComment> update_comment(const RepositoryName& repository, std::int64_t id,
                                      const std::string& body) override;
  Result<void> react(const RepositoryName& repository, std::int64_t comment, Reaction reaction) override;
  Result<std::optional<ContainerPackage>> container_package(const oci::Repository& images) override;
  Result<std::vector<PackageVersion>> package_versions(const ContainerPackage& package) override;
  Result<std::optional<PackageVersion>> package_version(const ContainerPackage& package, std::int64_t id) override;
  Result<void> delete_package_version(const ContainerPackage& package, std::int64_t id) override;

 private:
  std::unique_ptr<Session> session_;
};

}  // namespace crategate::github
