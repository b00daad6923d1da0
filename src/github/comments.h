// Comments of a pull request (https://docs.github.com/rest/issues/comments), and whose token writes them.
// Belongs here: a role of its own, so that a stage that comments can do nothing else.  Not here: which comment is ours
// (pipeline/comment), requests (session).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "github/values.h"

namespace crategate::github {

/// Whoever a token speaks for: a person, or the bot of an app.
struct Account {
  std::int64_t id = 0;  ///< as in `user.id` of what it writes
  std::string login;
};

struct IssueComment {
  std::int64_t id = 0;
  std::optional<std::int64_t> author;  ///< nullopt = the account was deleted
  std::string body;                    ///< as it was written, with the line ends of whoever edited it
  std::string url;                     ///< for people
};

class CommentClient {
 public:
  virtual ~CommentClient() = default;
  /// By GraphQL's `viewer`: `GET /user` refuses a job's own token, and tokens of apps.
  /// Errors: rate_limited; github_api for an API without GraphQL.
  virtual Result<Account> viewer() = 0;
  /// Those that `wanted` takes, from all pages, oldest first. A list of several pages shifts when a comment is deleted while
  /// it is read: where none was found, it is read until two readings agree, three times at most.
  virtual Result<std::vector<IssueComment>> issue_comments(const RepositoryName& repository, std::int64_t number,
                                                           const std::function<bool(const IssueComment&)>& wanted) = 0;
  virtual Result<IssueComment> create_comment(const RepositoryName& repository, std::int64_t number,
                                              const std::string& body) = 0;
  /// Errors: not_found for one that was deleted.
  virtual Result<IssueComment> update_comment(const RepositoryName& repository, std::int64_t id,
                                              const std::string& body) = 0;
};

}  // namespace crategate::github
