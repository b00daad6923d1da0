// RestGitHubClient: who may do what, pull requests, workflow runs
// (https://docs.github.com/rest/collaborators/collaborators, …/pulls/pulls, …/actions/workflow-runs).
#include <algorithm>
#include <array>

#include "base/strings.h"
#include "github/client.h"
#include "github/failure.h"
#include "github/session.h"

namespace crategate::github {
namespace {

using Level = Permission::Level;

constexpr std::array<std::pair<std::string_view, Level>, 4> kLevels{
    {{"none", Level::none}, {"read", Level::read}, {"write", Level::write}, {"admin", Level::admin}}};

constexpr std::size_t kMostFiles = 3000;  ///< of a pull request that the API lists
constexpr int kReadings = 3;              ///< of a list on several pages, until two are the same

/// A commit id: SHA-1 or SHA-256.
bool is_commit(std::string_view text) {
  return (text.size() == 40 || text.size() == 64) &&
         std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_login(std::string_view text) {
  return !text.empty() && text.size() <= 100 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '[' || c == ']';
  });
}

Failure malformed(std::string_view what, std::string_view text) {
  return fail(ErrorCode::bad_input, concat(quoted(text), ": expected ", what));
}

Result<Permission> read_permission(const json::Reader& root, const std::string& user) {
  Permission permission;
  CG_TRY(const auto about, root.find("user"));
  if (about) {
    CG_TRY(const std::string login, about->string("login"));
    if (to_lower(login) != to_lower(user)) return about->expected(concat("the user ", user));
    CG_TRY(permission.user, about->integer("id"));
  }
  CG_TRY(permission.role, root.string_or("role_name", ""));
  CG_TRY(const json::Reader level, root.at("permission"));
  CG_TRY(const std::string text, level.as_string());
  const auto* const known =
      std::find_if(kLevels.begin(), kLevels.end(), [&text](const auto& each) { return each.first == text; });
  if (known == kLevels.end()) return level.expected("none, read, write or admin");
  permission.level = known->second;
  return permission;
}

Result<PullRequest::Side> read_side(const json::Reader& pull, std::string_view key) {
  CG_TRY(const json::Reader object, pull.at(key));
  PullRequest::Side side;
  CG_TRY(side.ref, object.string("ref"));
  CG_TRY(side.sha, object.string("sha"));
  if (!is_commit(side.sha)) return object.expected("a commit id as sha");
  CG_TRY(const auto repository, object.find("repo"));
  if (!repository) return side;
  CG_TRY(side.repository_id, repository->integer("id"));
  CG_TRY(side.repository, repository->string("full_name"));
  CG_TRY(side.pushed_at, repository->string_or("pushed_at", ""));
  return side;
}

Result<bool> flag(const json::Reader& object, std::string_view key) {
  CG_TRY(const auto found, object.find(key));
  return found ? found->as_bool() : Result<bool>(false);
}

Result<PullRequest> read_pull_request(const json::Reader& root, std::int64_t number) {
  PullRequest pull;
  CG_TRY(pull.number, root.integer("number"));
  if (pull.number != number) return root.expected(concat("pull request ", number));
  CG_TRY(pull.state, root.string("state"));
  CG_TRY(pull.head, read_side(root, "head"));
  CG_TRY(pull.base, read_side(root, "base"));
  CG_TRY(const auto user, root.find("user"));
  if (user) {
    CG_TRY(pull.author, user->string("login"));
  }
  CG_TRY(pull.draft, flag(root, "draft"));
  CG_TRY(pull.merged, flag(root, "merged"));
  CG_TRY(pull.maintainer_can_modify, flag(root, "maintainer_can_modify"));
  return pull;
}

Result<WorkflowRun> read_run(const json::Reader& item) {
  WorkflowRun run;
  CG_TRY(run.id, item.integer("id"));
  CG_TRY(run.workflow_id, item.integer("workflow_id"));
  CG_TRY(const auto attempt, item.find("run_attempt"));
  if (attempt) {
    CG_TRY(run.attempt, attempt->as_integer());
  }
  CG_TRY(run.path, item.string_or("path", ""));
  CG_TRY(run.event, item.string("event"));
  CG_TRY(run.status, item.string_or("status", ""));
  CG_TRY(run.conclusion, item.string_or("conclusion", ""));
  CG_TRY(run.head_sha, item.string("head_sha"));
  if (!is_commit(run.head_sha)) return item.expected("a run with a commit id as head_sha");
  CG_TRY(run.head_branch, item.string_or("head_branch", ""));
  CG_TRY(run.created_at, item.string("created_at"));
  CG_TRY(const auto head, item.find("head_repository"));
  if (head) {
    CG_TRY(run.head_repository_id, head->integer("id"));
  }
  CG_TRY(const auto repository, item.find("repository"));
  if (repository) {
    CG_TRY(run.repository_id, repository->integer("id"));
  }
  return run;
}

struct FileList {
  PullRequestFiles files;
  int pages = 0;
};
Result<FileList> read_files(Session& session, const Query& query) {
  FileList list;
  CG_CHECK(session.each_page(query, [&list](const json::Reader& page) -> Result<void> {
    ++list.pages;
    CG_TRY(const auto items, page.items());
    for (const json::Reader& item : items) {
      CG_TRY(list.files.paths.emplace_back(), item.string("filename"));
      CG_TRY(auto before, item.string_or("previous_filename", ""));
      if (!before.empty()) list.files.paths.push_back(std::move(before));
    }
    list.files.entries += items.size();
    return {};
  }));
  list.files.complete = list.files.entries < kMostFiles;
  return list;
}

std::string runs_path(const RepositoryName& repository, const RunFilter& filter) {
  std::string path = concat("/repos/", repository.text(), "/actions/");
  if (!filter.workflow.empty()) path += concat("workflows/", net::url_encode(filter.workflow), "/");
  path += "runs?per_page=100";
  for (const auto& [key, value] : {std::pair<std::string_view, const std::string&>{"head_sha", filter.head_sha},
                                   {"event", filter.event},
                                   {"status", filter.status}})
    if (!value.empty()) path += concat('&', key, '=', net::url_encode(value));
  return path;
}

}  // namespace

Result<Permission> RestGitHubClient::permission_of(const RepositoryName& repository, const std::string& user) {
  if (!is_login(user)) return malformed("the login name of a user", user);
  const Query query{
      .path = concat("/repos/", repository.text(), "/collaborators/", net::url_encode(user), "/permission"),
      .task = concat("tell what ", user, " may do in ", repository.text())};
  CG_TRY(const json::Document document, session_->read(query));
  return answer_to(query, read_permission(document.root(), user));
}

Result<PullRequest> RestGitHubClient::pull_request(const RepositoryName& repository, std::int64_t number) {
  const Query query{.path = concat("/repos/", repository.text(), "/pulls/", number),
                    .task = concat("read pull request ", number, " of ", repository.text()),
                    .needs = "pull-requests: read"};
  CG_TRY(const json::Document document, session_->read(query));
  return answer_to(query, read_pull_request(document.root(), number));
}

Result<PullRequestFiles> RestGitHubClient::pull_request_files(const RepositoryName& repository, std::int64_t number) {
  const Query query{.path = concat("/repos/", repository.text(), "/pulls/", number, "/files?per_page=100"),
                    .task = concat("list the files of pull request ", number, " of ", repository.text()),
                    .needs = "pull-requests: read"};
  PullRequestFiles before;
  for (int readings = 1; readings <= kReadings; ++readings) {
    CG_TRY(FileList list, read_files(*session_, query));
    // What leaves the list between two pages moves another file to a page that was read already.
    if (list.pages <= 1 || (readings > 1 && list.files.paths == before.paths)) return std::move(list.files);
    before = std::move(list.files);
  }
  return fail(ErrorCode::conflict, concat("cannot ", query.task, ": the list changed each time that it was read"),
              "Run this job again.");
}

Result<std::vector<WorkflowRun>> RestGitHubClient::workflow_runs(const RepositoryName& repository,
                                                                 const RunFilter& filter) {
  if (filter.workflow == "." || filter.workflow == "..") return malformed("a workflow's file name", filter.workflow);
  const Query query{.path = runs_path(repository, filter),
                    .task = concat("list the workflow runs of ", repository.text()),
                    .needs = "actions: read"};
  std::vector<WorkflowRun> runs;
  CG_CHECK(session_->each_page(query, [&runs](const json::Reader& page) -> Result<void> {
    CG_TRY(const json::Reader list, page.at("workflow_runs"));
    CG_TRY(const auto items, list.items());
    for (const json::Reader& item : items) {
      CG_TRY(WorkflowRun run, read_run(item));
      runs.push_back(std::move(run));
    }
    return {};
  }));
  return runs;
}

}  // namespace crategate::github
