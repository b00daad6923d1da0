// RestGitHubClient: comments, and who we are (https://docs.github.com/graphql/reference/queries).
#include "github/comments.h"

#include <utility>

#include "base/strings.h"
#include "github/client.h"
#include "github/failure.h"
#include "github/session.h"

namespace crategate::github {
namespace {

/// A comment has at most 65,536 characters: that many of the largest are one answer within kAnswerLimit.
constexpr int kPerPage = 50;
constexpr int kReadings = 3;
/// Also of the list: it is read in order to write, and whoever adds a permission should need to do so once only.
constexpr std::string_view kNeeds = "pull-requests: write";

Result<IssueComment> read_comment(const json::Reader& item) {
  IssueComment comment;
  CG_TRY(comment.id, item.integer("id"));
  CG_TRY(comment.body, item.string_or("body", ""));
  CG_TRY(comment.url, item.string_or("html_url", ""));
  CG_TRY(const auto user, item.find("user"));
  if (user) {
    CG_TRY(comment.author, user->integer("id"));
  }
  return comment;
}

/// GraphQL says what is wrong in an answer of success.
Result<Account> read_viewer(const json::Reader& root) {
  CG_TRY(const auto errors, root.find("errors"));
  if (errors) {
    CG_TRY(const auto items, errors->items());
    if (items.empty()) return errors->expected("errors, or none of them");
    CG_TRY(const std::string type, items.front().string_or("type", ""));
    CG_TRY(const std::string message, items.front().string_or("message", ""));
    const bool limited = type == "RATE_LIMITED";
    return fail(limited ? ErrorCode::rate_limited : ErrorCode::github_api,
                concat("found an error: ", neutralise(message.substr(0, 300))),
                limited ? "run again later; a job's token has 1000 points an hour for its repository"
                        : "check that the token belongs to a person or an app");
  }
  CG_TRY(const json::Reader data, root.at("data"));
  CG_TRY(const json::Reader viewer, data.at("viewer"));
  Account account;
  CG_TRY(account.id, viewer.integer("databaseId"));
  CG_TRY(account.login, viewer.string("login"));
  return account;
}

struct Reading {
  std::vector<std::int64_t> ids;
  std::vector<IssueComment> wanted;
  int pages = 0;
};

Result<Reading> read_all(Session& session, const Query& query, const std::function<bool(const IssueComment&)>& wanted) {
  Reading reading;
  CG_CHECK(session.each_page(query, [&](const json::Reader& page) -> Result<void> {
    ++reading.pages;
    CG_TRY(const auto items, page.items());
    for (const json::Reader& item : items) {
      CG_TRY(IssueComment comment, read_comment(item));
      reading.ids.push_back(comment.id);
      if (wanted(comment)) reading.wanted.push_back(std::move(comment));
    }
    return {};
  }));
  return reading;
}

Result<IssueComment> write(Session& session, const Query& query) {
  CG_TRY(const json::Document document, session.read(query));
  return answer_to(query, read_comment(document.root()));
}

std::string body_json(const std::string& body) { return json::Value::object({{"body", body}}).canonical(); }

}  // namespace

Result<Account> RestGitHubClient::viewer() {
  const Query query{.method = "POST",
                    .url = session_->graphql(),
                    .task = "learn whose token it is",
                    .body = R"({"query":"query { viewer { databaseId login } }"})",
                    .only_reads = true};
  CG_TRY(const json::Document document, session_->read(query));
  return answer_to(query, read_viewer(document.root()));
}

Result<std::vector<IssueComment>> RestGitHubClient::issue_comments(
    const RepositoryName& repository, std::int64_t number, const std::function<bool(const IssueComment&)>& wanted) {
  const Query query{.path = concat("/repos/", repository.text(), "/issues/", number, "/comments?per_page=", kPerPage),
                    .task = concat("list the comments of pull request ", number, " of ", repository.text()),
                    .needs = std::string(kNeeds)};
  std::vector<std::int64_t> before;
  for (int readings = 1;; ++readings) {
    CG_TRY(Reading reading, read_all(*session_, query, wanted));
    const bool settled = reading.pages <= 1 || (readings > 1 && reading.ids == before);
    if (settled || !reading.wanted.empty() || readings == kReadings) return std::move(reading.wanted);
    before = std::move(reading.ids);
  }
}

Result<IssueComment> RestGitHubClient::create_comment(const RepositoryName& repository, std::int64_t number,
                                                      const std::string& body) {
  return write(*session_, {.method = "POST",
                           .path = concat("/repos/", repository.text(), "/issues/", number, "/comments"),
                           .task = concat("comment on pull request ", number, " of ", repository.text()),
                           .needs = std::string(kNeeds),
                           .body = body_json(body)});
}

Result<IssueComment> RestGitHubClient::update_comment(const RepositoryName& repository, std::int64_t id,
                                                      const std::string& body) {
  return write(*session_, {.method = "PATCH",
                           .path = concat("/repos/", repository.text(), "/issues/comments/", id),
                           .task = concat("update comment ", id, " of ", repository.text()),
                           .needs = std::string(kNeeds),
                           .body = body_json(body)});
}

}  // namespace crategate::github
