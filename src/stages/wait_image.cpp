#include "stages/wait_image.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/strings.h"
#include "net/request_error.h"
#include "net/retry.h"
#include "pipeline/image_wait.h"
#include "stages/pull_request_changes.h"
#include "sys/cancel.h"

namespace crategate::stages {
namespace {

using std::chrono::milliseconds;
using Kind = pipeline::WaitVerdict::Kind;

constexpr std::string_view kWorkflows = ".github/workflows/";

/// `ci-image.workflow`, or the only watched file that is a workflow.
Result<std::string> workflow_of(const config::CiImage& settings) {
  std::vector<std::string> names;
  for (const auto& path : settings.watch) {
    if (path.starts_with(kWorkflows)) names.push_back(path.substr(kWorkflows.size()));
  }
  std::string name = settings.workflow.empty() && names.size() == 1 ? names.front() : settings.workflow;
  if (name.starts_with(kWorkflows)) name.erase(0, kWorkflows.size());
  if (!name.empty() && name.find('/') == std::string::npos) return name;
  return fail(ErrorCode::bad_input,
              concat("ci-image.workflow: expected the file name of the workflow that builds the image, found ",
                     name.empty() ? std::string("none") : quoted(name)),
              "Write `workflow: build-ci-image.yml` below `ci-image:`.");
}

/// Where the workflow may be. GitHub takes a pull request's from the merge of head and base: where that is checked out, it alone
/// counts, and else each of the two.
Result<std::vector<std::string>> places_of_workflow(const pipeline::CiImageDecision& decision,
                                                    git::Repository& repository) {
  CG_TRY(const auto merged, repository.resolve("HEAD^2"));
  if (merged && *merged == decision.revision) return std::vector<std::string>{"HEAD"};
  return std::vector<std::string>{decision.revision, "HEAD", base_ref(decision.base_branch)};
}

/// Whether that workflow is known to be there; false = not where one looks for it, but some of that is not in this clone.
/// Errors: bad_input with the nearest name when none has it: nobody would ever build.
Result<bool> require_workflow(const std::string& name, const pipeline::CiImageDecision& decision,
                              git::Repository& repository) {
  const std::string path = concat(kWorkflows, name);
  CG_TRY(const auto places, places_of_workflow(decision, repository));
  bool all_here = true;
  for (const std::string& commit : places) {
    CG_TRY(const auto found, repository.files_at(commit, {path}));
    if (found && !found->empty()) return true;
    all_here = all_here && found;
  }
  if (!all_here) return false;
  CG_TRY(const auto files, repository.files_at(places.front(), {}));
  const auto near = files ? nearest(path, *files) : std::nullopt;
  return fail(
      ErrorCode::bad_input,
      concat("ci-image.workflow: expected a file of ", join(places, ", or of "), ", found none at ", quoted(path)),
      near ? concat("Did you mean ", *near, "?") : std::string("Correct the name."));
}

pipeline::BuildRun build_run(const github::WorkflowRun& run) {
  return {.id = run.id,
          .attempt = run.attempt,
          .path = run.path,
          .event = run.event,
          .head_sha = run.head_sha,
          .head_repository = run.head_repository_id,
          .repository = run.repository_id,
          .status = run.status,
          .conclusion = run.conclusion};
}

/// What waiting may mend: bytes that contradict their digest are none of it.
bool passes(const Error& error) { return is_transient(error.code) || net::is_cut_short(error); }

std::string advice_of(const Error& error) { return error.hint.empty() ? describe(error) : error.hint; }

/// What is missing on our side, and might be why things look as they do. Each is told once, and again at the end.
struct Lacks {
  std::string runs, head, login;
  std::string text() const {
    std::vector<std::string> all = {runs, head, login};
    std::erase_if(all, [](const auto& each) { return each.empty(); });
    return join(all, " ");
  }
};

class Wait {
 public:
  Wait(pipeline::CiImageDecision decision, const config::CiImage& settings, const WaitPlace& place, PullRequestApi api,
       const WaitServices& svc)
      : decision_(std::move(decision)),
        settings_(settings),
        place_(place),
        api_(std::move(api)),
        svc_(svc),
        deadline_(svc.clock, settings.wait_timeout) {}

  Result<ResolvedImage> run() {
    CG_CHECK(prepare());
    while (true) {
      CG_CHECK(sys::check_cancelled());
      CG_TRY(const auto verdict, poll());
      say(verdict);
      if (verdict.kind == Kind::done) return std::move(resolved_);
      if (verdict.kind == Kind::failed) return give_up(verdict);
      if (deadline_.left() == milliseconds(0)) return time_out(verdict);
      deadline_.sleep(std::min<milliseconds>(settings_.wait_interval, deadline_.left()));
    }
  }

 private:
  Result<void> prepare() {
    if (decision_.revision.empty()) {
      return fail(ErrorCode::bad_input,
                  concat("expected the head commit of the event, found none (", decision_.reason, ")"),
                  "Give the event's payload, or --sha.");
    }
    CG_TRY(awaited_.workflow, workflow_of(settings_));
    CG_TRY(workflow_seen_, require_workflow(awaited_.workflow, decision_, svc_.plan.repository));
    awaited_.commit = decision_.revision;
    awaited_.event = decision_.pull_request ? "pull_request" : "merge_group";
    awaited_.repository = place_.id;
    awaited_.image = concat(settings_.image, ":", decision_.tag);
    return {};
  }

  /// One observation, with what its verdict makes worth asking.
  Result<pipeline::WaitVerdict> poll() {
    CG_TRY(seen_.emplace_back(), observe());
    if (judge().kind == Kind::look) CG_CHECK(look());
    const auto verdict = judge();
    // Of a poll that only finds the build at work the next one may tell: what ends the wait must not be the old head's.
    if (verdict.depends_on_head && (seen_.size() > 1 || verdict.kind == Kind::failed)) ask_for_head();
    return judge();
  }

  pipeline::WaitVerdict judge() const { return pipeline::judge_wait(seen_, awaited_); }

  Result<pipeline::WaitObservation> observe() {
    const auto runs = api_.client.workflow_runs(
        api_.repository, {.workflow = awaited_.workflow, .head_sha = awaited_.commit, .event = awaited_.event});
    pipeline::WaitObservation seen;
    lacks_.runs.clear();
    if (runs) {
      for (const auto& run : *runs) seen.runs.push_back(build_run(run));
      return seen;
    }
    const Error& error = runs.error();
    // GitHub does not know a workflow that has never run; of one that nobody has seen the error stands.
    if (error.code == ErrorCode::not_found && workflow_seen_) {
      lacks_.runs = concat(awaited_.workflow, " has never run, or the token does not see its runs: ", error.hint, ".");
      return seen;
    }
    if (!passes(error)) return fail(error);
    seen.unclear = error;
    seen.too_late = error.code == ErrorCode::rate_limited && api_.client.held() > deadline_.left();
    return seen;
  }

  /// What the registry has after a success.
  Result<void> look() {
    pipeline::WaitObservation& seen = seen_.back();
    auto found = look_up_image(decision_, settings_, svc_.reader);
    if (!found) {
      if (!passes(found.error())) return fail(std::move(found).error());
      seen.unclear = std::move(found).error();
      return {};
    }
    resolved_ = *std::move(found);
    lacks_.login = resolved_.login_hint;
    using pipeline::LabelSeen;
    const auto absent = resolved_.is_other ? LabelSeen::other : LabelSeen::none;
    seen.label = resolved_.image.empty() ? absent : LabelSeen::right;
    return {};
  }

  /// Without that permission the wait goes on, and the time limit decides.
  void ask_for_head() {
    if (!decision_.pull_request || !lacks_.head.empty()) return;
    const auto pull = api_.client.pull_request(api_.repository, *decision_.pull_request);
    if (pull) {
      seen_.back().head = pull->head.sha;
    } else if (!passes(pull.error())) {
      lacks_.head = concat("Nobody can tell whether the pull request has moved on: ", advice_of(pull.error()), ".");
    }
  }

  void say(const pipeline::WaitVerdict& verdict) {
    const auto elapsed = settings_.wait_timeout - deadline_.left();
    const std::string lacks = lacks_.text(), news = lacks == told_ || lacks.empty() ? "" : concat(" ", lacks);
    told_ = lacks;
    svc_.status(concat("waiting for ", awaited_.image, ": ", verdict.text, address_of(verdict), " (",
                       format_duration(elapsed.count()), " of ", format_duration(settings_.wait_timeout.count()), ")",
                       news));
  }

  std::string address_of(const pipeline::WaitVerdict& verdict) const {
    if (verdict.run == 0 || place_.address.empty()) return {};
    return concat(", ", place_.address, "/actions/runs/", verdict.run);
  }

  /// `lacks_` explains nothing where the pull request is known to have moved on.
  std::string hint_of(const pipeline::WaitVerdict& verdict) const {
    const std::string lacks = verdict.code == ErrorCode::conflict ? "" : lacks_.text();
    if (verdict.hint.empty() || lacks.empty()) return concat(verdict.hint, lacks);
    return concat(verdict.hint, verdict.hint.ends_with('.') ? " " : ". ", lacks);
  }

  Failure give_up(const pipeline::WaitVerdict& verdict) const {
    return fail(verdict.code,
                concat("CI image ", awaited_.image, ": expected its build by ", awaited_.workflow,
                       " to succeed, found ", verdict.text, address_of(verdict)),
                hint_of(verdict));
  }

  Failure time_out(const pipeline::WaitVerdict& last) const {
    return fail(ErrorCode::wait_timed_out,
                concat("CI image ", awaited_.image, ": expected the end of its build within ",
                       format_duration(settings_.wait_timeout.count()), ", found ", last.text, address_of(last)),
                hint_of(last));
  }

  pipeline::CiImageDecision decision_;
  const config::CiImage& settings_;
  const WaitPlace& place_;
  PullRequestApi api_;
  const WaitServices& svc_;
  net::Deadline deadline_;
  pipeline::AwaitedBuild awaited_;
  bool workflow_seen_ = false;
  std::vector<pipeline::WaitObservation> seen_;
  Lacks lacks_;
  std::string told_;
  ResolvedImage resolved_;
};

/// The API for the polls.
Result<PullRequestApi> api_for_polls(const WaitPlace& place, const WaitServices& svc) {
  if (place.repository.empty()) {
    return fail(ErrorCode::bad_input,
                "GITHUB_REPOSITORY: expected OWNER/NAME, whose workflow is waited for, found none",
                "Run this in a job of GitHub Actions, or set GITHUB_REPOSITORY, and the token as INPUT_GITHUB-TOKEN.");
  }
  if (svc.api == nullptr) {
    return fail(
        ErrorCode::bad_input, "github-token: expected a token that may list the runs of the build, found none",
        "Set github-token to ${{ github.token }}, in a job with `permissions: {actions: read, pull-requests: read}`.");
  }
  CG_TRY(github::GitHubClient* const client, svc.github());
  return PullRequestApi{*client, svc.api->repository};
}

}  // namespace

Result<ResolvedImage> wait_for_image(const PlanInputs& in, const WaitPlace& place, const WaitServices& svc,
                                     const github::PullRequest* pinned) {
  CG_TRY(auto decision, decide_ci_image(in, svc.plan, svc.api, pinned));
  const auto& settings = *in.configuration.ci_image;
  if (!decision.wait) return look_up_image(std::move(decision), settings, svc.reader);
  CG_TRY(auto api, api_for_polls(place, svc));
  return Wait(std::move(decision), settings, place, std::move(api), svc).run();
}

}  // namespace crategate::stages
