// RestGitHubClient: artifacts of workflow runs (https://docs.github.com/rest/actions/artifacts).
// Addresses are built from ids; those in an answer are not followed (A60).
#include <algorithm>
#include <set>

#include "base/strings.h"
#include "github/archive.h"
#include "github/client.h"
#include "github/session.h"

namespace crategate::github {
namespace {

Result<std::optional<std::int64_t>> optional_id(const json::Reader& object, std::string_view key) {
  CG_TRY(const auto found, object.find(key));
  if (!found) return std::nullopt;
  CG_TRY(const std::int64_t id, found->as_integer());
  return id;
}

Result<void> read_run(const json::Reader& run, RunArtifact& artifact) {
  CG_TRY(artifact.run_id, optional_id(run, "id"));
  CG_TRY(artifact.repository_id, optional_id(run, "repository_id"));
  CG_TRY(artifact.head_repository_id, optional_id(run, "head_repository_id"));
  CG_TRY(artifact.head_branch, run.string_or("head_branch", ""));
  CG_TRY(artifact.head_sha, run.string_or("head_sha", ""));
  return {};
}

Result<RunArtifact> read_artifact(const json::Reader& item) {
  RunArtifact artifact;
  CG_TRY(artifact.id, item.integer("id"));
  CG_TRY(artifact.name, item.string("name"));
  CG_TRY(const std::int64_t size, item.integer("size_in_bytes"));
  if (artifact.id <= 0 || size < 0) return item.expected("an artifact with a positive id and size");
  artifact.size = static_cast<std::uint64_t>(size);
  CG_TRY(artifact.expired, item.boolean("expired"));
  CG_TRY(artifact.created_at, item.string_or("created_at", ""));
  CG_TRY(const std::string digest, item.string_or("digest", ""));
  if (!digest.empty()) {
    auto parsed = oci::Digest::parse(digest);
    if (!parsed) return item.expected("an artifact with a digest like sha256:<64 hex digits>");
    artifact.digest = std::move(*parsed);
  }
  CG_TRY(const auto run, item.find("workflow_run"));
  if (run) CG_CHECK(read_run(*run, artifact));
  return artifact;
}

/// A list that grows while it is read shows some items twice.
class ArtifactList {
 public:
  ArtifactList(std::int64_t run_id, const std::string& name) : run_id_(run_id), name_(name) {}

  Result<void> take(const json::Reader& page) {
    CG_TRY(const json::Reader list, page.at("artifacts"));
    CG_TRY(const auto items, list.items());
    for (const json::Reader& item : items) {
      CG_TRY(RunArtifact artifact, read_artifact(item));
      if (artifact.run_id && *artifact.run_id != run_id_) return item.expected(concat("an artifact of run ", run_id_));
      const bool wanted = name_.empty() || artifact.name == name_;
      if (wanted && seen_.insert(artifact.id).second) artifacts_.push_back(std::move(artifact));
    }
    return {};
  }

  std::vector<RunArtifact> newest_first() && {
    std::sort(artifacts_.begin(), artifacts_.end(), [](const auto& a, const auto& b) { return a.id > b.id; });
    return std::move(artifacts_);
  }

 private:
  std::int64_t run_id_;
  const std::string& name_;
  std::set<std::int64_t> seen_;
  std::vector<RunArtifact> artifacts_;
};

Query artifact_query(const RepositoryName& repository, std::int64_t id, std::string_view verb) {
  return {.path = concat("/repos/", repository.text(), "/actions/artifacts/", id),
          .task = concat(verb, " artifact ", id, " of ", repository.text())};
}

}  // namespace

RestGitHubClient::RestGitHubClient(net::HttpClient& http, sys::Clock& clock, Endpoint endpoint, Options options)
    : session_(std::make_unique<Session>(http, clock, std::move(endpoint), std::move(options))) {}
RestGitHubClient::~RestGitHubClient() = default;

std::chrono::milliseconds RestGitHubClient::held() { return session_->held(); }

Result<std::vector<RunArtifact>> RestGitHubClient::run_artifacts(const RepositoryName& repository, std::int64_t run_id,
                                                                 const std::string& name) {
  Query query{.path = concat("/repos/", repository.text(), "/actions/runs/", run_id, "/artifacts?per_page=100"),
              .task = concat("list the artifacts of run ", run_id, " of ", repository.text()),
              .needs = "actions: read"};
  if (!name.empty()) query.path += concat("&name=", net::url_encode(name));
  ArtifactList list(run_id, name);
  CG_CHECK(session_->each_page(std::move(query), [&list](const json::Reader& page) { return list.take(page); }));
  return std::move(list).newest_first();
}

Result<Downloaded> RestGitHubClient::artifact_archive(const RepositoryName& repository, const RunArtifact& artifact,
                                                      const net::BodySink& sink) {
  Query query = artifact_query(repository, artifact.id, "download");
  query.path += "/zip";
  query.needs = "actions: read";
  query.to_location = true;
  return ArchiveTransfer(*session_, std::move(query), artifact, sink).run();
}

Result<void> RestGitHubClient::delete_artifact(const RepositoryName& repository, std::int64_t id) {
  Query query = artifact_query(repository, id, "delete");
  query.method = "DELETE";
  query.needs = "actions: write";
  net::Deadline deadline = session_->deadline();
  const auto answer = session_->send(query, deadline);
  return answer ? Result<void>{} : fail(answer.error());
}

}  // namespace crategate::github
