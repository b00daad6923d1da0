// The comments of a pull request as a test sets them.
#pragma once

#include <algorithm>
#include <functional>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "base/strings.h"
#include "github/comments.h"

namespace crategate::stages::sample {

inline constexpr std::int64_t kSelf = 41898282;

/// The comments of one pull request, and who may do what; keeps what was asked.
class FakeComments final : public github::CommentClient {
 public:
  Result<github::Account> viewer() override {
    calls.emplace_back("viewer");
    if (viewer_error) return fail(*viewer_error);
    return github::Account{kSelf, "github-actions[bot]"};
  }
  Result<std::vector<github::IssueComment>> issue_comments(
      const github::RepositoryName& repository, std::int64_t number,
      const std::function<bool(const github::IssueComment&)>& wanted) override {
    calls.push_back(concat("list ", repository.text(), " ", number));
    if (list_error) return fail(*list_error);
    std::vector<github::IssueComment> found;
    std::ranges::copy_if(all, std::back_inserter(found), wanted);
    return found;
  }
  Result<github::IssueComment> create_comment(const github::RepositoryName& repository, std::int64_t number,
                                              const std::string& body) override {
    calls.push_back(concat("create ", repository.text(), " ", number));
    if (write_error) return fail(*write_error);
    return add(kSelf, body);
  }
  Result<github::IssueComment> update_comment(const github::RepositoryName& repository, std::int64_t id,
                                              const std::string& body) override {
    calls.push_back(concat("update ", repository.text(), " ", id));
    if (write_error) return fail(*write_error);
    const auto found = std::ranges::find(all, id, &github::IssueComment::id);
    if (found == all.end() || deleted == id) return fail(ErrorCode::not_found, "no such comment");
    found->body = body;
    return *found;
  }
  github::IssueComment add(std::int64_t author, const std::string& body) {
    const auto id = static_cast<std::int64_t>(all.size()) + 1;
    all.push_back({.id = id, .author = author, .body = body, .url = concat("https://github.com/o/r/pull/7#", id)});
    return all.back();
  }
  bool wrote() const {
    return std::ranges::any_of(
        calls, [](const auto& call) { return call.starts_with("create") || call.starts_with("update"); });
  }

  std::vector<github::IssueComment> all;
  std::optional<Error> viewer_error, list_error, write_error;
  std::int64_t deleted = 0;  ///< after it was listed
  std::vector<std::string> calls;
};

}  // namespace crategate::stages::sample
