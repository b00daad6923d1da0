#include "stages/resolve_image.h"

#include <algorithm>
#include <filesystem>
#include <future>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

#include "base/file_name.h"
#include "base/strings.h"
#include "oci/reference.h"
#include "pipeline/base_watch.h"
#include "registry/failure.h"
#include "stages/pull_request_changes.h"
#include "stages/tag_state.h"
#include "sys/cancel.h"

namespace crategate::stages {
namespace {

constexpr std::string_view kExact =
    "Watched paths are exact, from the project's folder or, outside of it, from the top of the repository; patterns "
    "match nothing. ";

/// The most similar path, else one of the same name in another folder.
std::optional<std::string> nearest_path(const std::string& path, const std::vector<std::string>& files) {
  if (auto near = nearest(path, files)) return near;
  const std::string name = to_lower(path.substr(path.rfind('/') + 1));
  const auto same_name = std::ranges::find_if(
      files, [&name](const std::string& file) { return to_lower(file.substr(file.rfind('/') + 1)) == name; });
  if (same_name == files.end()) return std::nullopt;
  return *same_name;
}

void erase_all(std::vector<std::string>& from, const std::vector<std::string>& paths) {
  std::erase_if(from, [&paths](const auto& path) { return std::ranges::find(paths, path) != paths.end(); });
}

/// A path that is nowhere watches nothing, and nobody would notice (C-4). Commits that are not in this clone are passed over;
/// where none is, nobody can tell.
Result<void> require_watched_files(std::vector<std::string> missing, const std::vector<std::string>& commits,
                                   std::string_view where, git::Repository& repository) {
  std::string known;
  for (const auto& commit : commits) {
    if (missing.empty()) return {};
    CG_TRY(const auto found, repository.files_at(commit, missing));
    if (!found) continue;
    if (known.empty()) known = commit;
    erase_all(missing, *found);
  }
  if (missing.empty() || known.empty()) return {};
  CG_TRY(const auto files, repository.files_at(known, {}));
  const auto near = files ? nearest_path(missing.front(), *files) : std::nullopt;
  return fail(
      ErrorCode::bad_input,
      concat("ci-image.watch: expected files of the repository, found none at ", quoted(missing.front()), ", ", where),
      concat(kExact, near ? concat("Did you mean ", *near, "?") : std::string("Correct the path or remove it.")));
}

/// Of an event that is compared with nothing. What the checkout has needs no git.
Result<void> require_checked_out(const std::vector<std::string>& watch, const pipeline::Event& event,
                                 const Workspace& workspace, git::Repository& repository) {
  std::vector<std::string> missing;
  std::ranges::copy_if(watch, std::back_inserter(missing), [&workspace](const std::string& path) {
    std::error_code ignored;
    const auto status = std::filesystem::symlink_status(workspace.root / path, ignored);
    return !std::filesystem::is_regular_file(status) && !std::filesystem::is_symlink(status);
  });
  const std::string commit = event.head_sha.empty() ? "HEAD" : event.head_sha;
  return require_watched_files(std::move(missing), {commit}, concat("neither in the checkout nor in ", commit),
                               repository);
}

/// What the API lists, as of the event's head: the list is that of the present one, which may be another by now. Named as
/// git::Repository names changes.
Result<github::PullRequestFiles> listed_changes(const pipeline::Event& event, const config::CiImage& settings,
                                                git::Repository& repository, const PullRequestApi& api) {
  CG_TRY(auto files, api.client.pull_request_files(api.repository, *event.pull_request));
  CG_TRY(const std::string inside, repository.prefix());
  for (std::string& path : files.paths) {
    if (!inside.empty() && path.starts_with(inside)) path.erase(0, inside.size());
  }
  CG_TRY(const auto pull, api.client.pull_request(api.repository, *event.pull_request));
  if (pull.head.sha != event.head_sha) {
    return fail(ErrorCode::conflict, concat("the pull request has moved on to ", pull.head.sha));
  }
  if (files.complete || !pipeline::find_watched(files.paths, settings.watch).empty()) return files;
  return fail(ErrorCode::github_api, concat("GitHub lists ", files.entries, " files at most"));
}

/// A whole list has whatever the pull request adds; all else must be in the commits that are here.
Result<void> require_watched_or_listed(std::vector<std::string> watch, const github::PullRequestFiles& listed,
                                       const Comparison& compared, git::Repository& repository) {
  if (!listed.complete) return {};
  erase_all(watch, listed.paths);
  return require_watched_files(std::move(watch), {"HEAD", compared.head, compared.base},
                               "neither in the checkout nor among the files that GitHub lists", repository);
}

/// What a source could not tell, added to what those before it could not.
void add_reason(std::string& why_not, const Error& error) {
  why_not += concat("; ", describe(error), error.hint.empty() ? "" : ": ", error.hint);
}

/// What the clone cannot tell, by the history that its remote has; `compared` has both commits in the answer then.
Result<git::Repository*> compare_deeper(Comparison& compared, const pipeline::Event& event, const PlanServices& svc) {
  if (compared.paths || compared.is_merged || svc.history == nullptr || event.base_branch.empty())
    return &svc.repository;
  auto remote = compare_with_remote(event, *svc.history);
  if (remote && remote->compared.paths) {
    compared = std::move(remote->compared);
    return remote->repository;
  }
  CG_CHECK(sys::check_cancelled());
  if (remote) {
    compared.why_not += concat("; of its remote: ", remote->compared.why_not);
  } else {
    add_reason(compared.why_not, remote.error());
  }
  return &svc.repository;
}

/// First the clone, then its remote, then GitHub's API, whose list has an end and is of this moment.
Result<void> read_changes(pipeline::CiImageFacts& facts, const config::CiImage& settings, const PlanServices& svc,
                          const PullRequestApi* api) {
  // Beside the comparison, for each costs a process. What this does not find, or cannot, is asked again below.
  auto of_head = std::async(std::launch::async, [&repository = svc.repository, &settings, &event = facts.event] {
    return repository.files_at(event.head_sha.empty() ? "HEAD" : event.head_sha, settings.watch);
  });
  CG_TRY(auto compared, compare_pull_request(facts.event, svc.repository));
  CG_TRY(git::Repository* const has_both, compare_deeper(compared, facts.event, svc));
  if (compared.paths) {
    auto watch = settings.watch;
    if (const auto found = of_head.get(); found && *found) erase_all(watch, **found);
    CG_CHECK(require_watched_files(std::move(watch), {compared.head, compared.base},
                                   "neither in the base branch nor in the pull request", *has_both));
  } else if (api != nullptr && facts.event.pull_request && facts.event.kind == pipeline::EventKind::pull_request) {
    auto listed = listed_changes(facts.event, settings, svc.repository, *api);
    if (listed) {
      CG_CHECK(require_watched_or_listed(settings.watch, *listed, compared, svc.repository));
      compared.paths = std::move(listed->paths);
    } else {
      add_reason(compared.why_not, listed.error());
    }
  }
  facts.why_unknown = std::move(compared.why_not);
  if (compared.paths) facts.changed = pipeline::find_watched(*compared.paths, settings.watch);
  return {};
}

/// A comment's payload says neither head nor base (actions-protocol: issue_comment).
void complete_comment(pipeline::Event& event, const github::PullRequest& pull) {
  event.kind = pipeline::EventKind::pull_request;
  event.head_sha = pull.head.sha;
  event.branch = pull.head.ref;
  event.base_branch = pull.base.ref;
  event.from_fork = pull.from_fork();
  event.closed = pull.state != "open";
}

struct Found {
  std::optional<oci::Digest> digest;
  bool is_other = false;
};

/// By digest throughout: between two questions by tag another push may come.
Result<Found> find_image(const oci::Reference& tag, const pipeline::CiImageDecision& decision,
                         registry::RegistryReader& reader) {
  if (decision.wait && decision.revision.empty()) return Found{};
  CG_TRY(const auto digest, reader.digest(tag));
  if (!digest || !decision.wait) return Found{digest};
  CG_TRY(const auto labels, image_labels({tag.repository, std::nullopt, digest}, reader));
  if (!labels) return Found{};
  const auto revision = labels->find(std::string(pipeline::kRevisionLabel));
  if (revision == labels->end() || revision->second != decision.revision) return Found{std::nullopt, true};
  return Found{digest};
}

std::string hint_of_login(const oci::Repository& repository, registry::RegistryReader& reader) {
  if (!reader.is_anonymous(repository.registry)) return {};
  return concat("If it is shown to nobody without a login: ", registry::login_hint(repository.registry, "pull", false),
                ".");
}

}  // namespace

Result<config::CiImage> ci_image_settings(const config::Configuration& configuration) {
  if (!configuration.ci_image) {
    return fail(ErrorCode::bad_input, "ci-image: expected a section that says which image, found none",
                std::string(kCiImageExample));
  }
  const auto& settings = *configuration.ci_image;
  if (settings.image.empty() || settings.watch.empty()) {
    return fail(ErrorCode::bad_input,
                concat("ci-image.", settings.image.empty() ? "image: expected a repository" : "watch: expected paths",
                       ", found none"),
                std::string(kCiImageExample));
  }
  const auto odd = std::ranges::find_if_not(settings.watch, has_one_spelling);
  if (odd == settings.watch.end()) return settings;
  return fail(ErrorCode::bad_input,
              concat("ci-image.watch: expected paths of the project or the repository, found ", quoted(*odd)),
              concat(kExact, "Write it without a leading slash, `.` and `..`."));
}

Result<pipeline::Event> complete_event(const PlanInputs& in, const PlanServices& svc, const PullRequestApi* api,
                                       const github::PullRequest* pinned) {
  CG_TRY(auto event, read_event(in, svc));
  if (pipeline::is_comment(event) && pinned != nullptr) {
    complete_comment(event, *pinned);
  } else if (pipeline::is_comment(event) && api != nullptr) {
    CG_TRY(const auto pull, api->client.pull_request(api->repository, *event.pull_request));
    complete_comment(event, pull);
  }
  if (event.head_sha.empty()) {
    CG_TRY(const auto head, svc.repository.head());
    event.head_sha = head.value_or("");
  }
  return event;
}

Result<pipeline::CiImageDecision> decide_ci_image(const PlanInputs& in, const PlanServices& svc,
                                                  const PullRequestApi* api, const github::PullRequest* pinned) {
  CG_TRY(const auto settings, ci_image_settings(in.configuration));
  pipeline::CiImageFacts facts;
  CG_TRY(facts.event, complete_event(in, svc, api, pinned));
  if (pipeline::needs_changes(facts.event)) {
    CG_CHECK(read_changes(facts, settings, svc, api));
  } else if (facts.event.kind != pipeline::EventKind::pull_request) {
    CG_CHECK(require_checked_out(settings.watch, facts.event, in.workspace, svc.repository));
  }
  return pipeline::decide_ci_image(facts, settings);
}

Result<ResolvedImage> look_up_image(pipeline::CiImageDecision decision, const config::CiImage& settings,
                                    registry::RegistryReader& reader) {
  auto repository = oci::parse_repository(settings.image);
  if (!repository) return fail(std::move(repository).error().within("ci-image.image"));
  const oci::Reference tag{*repository, decision.tag, std::nullopt};
  CG_TRY(const auto found, find_image(tag, decision, reader));
  if (found.digest) {
    const oci::Reference image{*repository, std::nullopt, found.digest};
    return ResolvedImage{std::move(decision), image.familiar(), tag.familiar()};
  }
  std::string login_hint = found.is_other ? std::string() : hint_of_login(*repository, reader);
  if (decision.wait)
    return ResolvedImage{std::move(decision), {}, tag.familiar(), found.is_other, std::move(login_hint)};
  return fail(
      ErrorCode::not_found,
      concat("CI image ", tag.familiar(), ": expected an image, found none",
             login_hint.empty() ? "" : ", or none that is shown without a login", " (", decision.reason, ")"),
      concat("Run the workflow that builds it on that branch first, or correct ci-image.branches and default-tag.",
             login_hint.empty() ? "" : " ", login_hint));
}

Result<ResolvedImage> resolve_image(const PlanInputs& in, const PlanServices& svc, registry::RegistryReader& reader,
                                    const PullRequestApi* api) {
  CG_TRY(auto decision, decide_ci_image(in, svc, api));
  return look_up_image(std::move(decision), *in.configuration.ci_image, reader);
}

Result<void> publish_image(const ResolvedImage& resolved, actions::Workflow& workflow) {
  const auto& decision = resolved.decision;
  CG_CHECK(workflow.set_output("image", resolved.image));
  CG_CHECK(workflow.set_output("tag", decision.tag));
  CG_CHECK(workflow.set_output("modified", decision.modified ? "true" : "false"));
  CG_CHECK(workflow.set_output("validated", decision.validated ? "true" : "false"));
  CG_CHECK(workflow.set_output("reason", decision.reason));
  notice_unvalidated(decision, workflow);
  return {};
}

void notice_unvalidated(const pipeline::CiImageDecision& decision, actions::Workflow& workflow) {
  if (!decision.modified || decision.validated) return;
  workflow.annotate({.severity = actions::Severity::notice,
                     .title = "crategate ci-image",
                     .message = decision.reason,
                     .location = {}});
}

}  // namespace crategate::stages
