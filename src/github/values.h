// What GitHub's API is asked about, and what it answers, as values.
// Belongs here: names that are safe in an address, plain answers.  Not here: asking (client).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "oci/digest.h"

namespace crategate::github {

/// "owner/name"; only a parsed one stands in an address.
class RepositoryName {
 public:
  /// Errors: bad_input.
  static Result<RepositoryName> parse(std::string_view text);
  const std::string& text() const { return text_; }
  auto operator<=>(const RepositoryName&) const = default;

 private:
  explicit RepositoryName(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

/// An artifact of a workflow run. What it holds is what that run made: of a fork's run, the fork's data.
struct RunArtifact {
  std::int64_t id = 0;
  std::string name;
  std::uint64_t size = 0;             ///< of the archive where there is a digest; else of what was put into it
  std::optional<oci::Digest> digest;  ///< of the archive; old artifacts and Enterprise Server have none
  bool expired = false;
  std::string created_at;
  std::optional<std::int64_t> run_id, repository_id, head_repository_id;
  std::string head_branch, head_sha;  ///< of the run; empty = not told
};

struct Downloaded {
  std::uint64_t size = 0;
  oci::Digest digest;        ///< SHA-256 of all bytes
  std::string content_type;  ///< "application/zip", unless the artifact was uploaded as a plain file
};

struct Permission {
  enum class Level : unsigned char { none, read, write, admin };
  Level level = Level::none;
  std::optional<std::int64_t> user;  ///< whom it is about; nullopt = not told
  std::string role;                  ///< "triage", "maintain" or an organisation's own
  bool may_write() const { return level >= Level::write; }
};

struct PullRequest {
  struct Side {
    std::string ref, sha;
    std::optional<std::int64_t> repository_id;  ///< nullopt = the repository was deleted
    std::string repository;                     ///< owner/name
    std::string pushed_at;                      ///< RFC 3339
  };
  std::int64_t number = 0;
  std::string state;  ///< "open" or "closed"
  Side head, base;
  std::string author;
  bool draft = false, merged = false, maintainer_can_modify = false;
  /// By ids, as names can be taken over; a deleted repository counts as a fork.
  bool from_fork() const { return !head.repository_id || head.repository_id != base.repository_id; }
};

/// Files of a pull request, by both names where one was renamed.
struct PullRequestFiles {
  std::vector<std::string> paths;
  std::size_t entries = 0;
  bool complete = true;  ///< GitHub lists 3,000 at most
};

struct WorkflowRun {
  std::int64_t id = 0, workflow_id = 0, attempt = 1;
  std::string path;  ///< of the workflow's file; "@ref" may follow
  std::string event, status, head_sha, head_branch, created_at;
  std::string conclusion;                          ///< empty = not completed
  std::optional<std::int64_t> head_repository_id;  ///< nullopt = it was deleted
  std::int64_t repository_id = 0;                  ///< that it runs in; 0 = not told
};

struct RunFilter {
  std::string workflow;                      ///< file name below .github/workflows, or id
  std::string head_sha, event, status = {};  ///< empty = any
};

}  // namespace crategate::github
