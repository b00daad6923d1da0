#include "stages/wait_image.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/strings.h"
#include "net/retry.h"
#include "pipeline/image_wait.h"
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

/// Whether the commit has that workflow; nullopt = it is not in this clone.
/// Errors: bad_input with the nearest name when it has not: nobody would ever build.
Result<std::optional<bool>> require_workflow(const std::string& name, const std::string& commit,
                                             git::Repository& repository) {
  const std::string path = concat(kWorkflows, name);
  CG_TRY(const auto found, repository.files_at(commit, {path}));
  if (!found) return std::nullopt;
  if (!found->empty()) return true;
  CG_TRY(const auto files, repository.files_at(commit, {}));
  const auto near = files ? nearest(path, *files) : std::nullopt;
  return fail(ErrorCode::bad_input,
              concat("ci-image.workflow: expected a file of commit ", commit, ", found none at ", quoted(path)),
              near ? concat("Did you mean ", *near, "?") : std::string("Correct the name."));
}

pipeline::BuildRun build_run(const github::WorkflowRun& run) {
  return {.id = run.id,
          .attempt = run.attempt,
          .path = run.path,
          .event = run.event,
          .head_sha = run.head_sha,
          .repository = run.head_repository_id,
          .status = run.status,
          .conclusion = run.conclusion};
}

bool may_pass(ErrorCode code) { return code == ErrorCode::unavailable || code == ErrorCode::rate_limited; }

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
    CG_TRY(in_commit_, require_workflow(awaited_.workflow, decision_.revision, svc_.plan.repository));
    awaited_.commit = decision_.revision;
    awaited_.event = decision_.pull_request ? "pull_request" : "merge_group";
    awaited_.repository = place_.id;
    awaited_.image = concat(settings_.image, ":", decision_.tag);
    return {};
  }

  /// One observation, with what its verdict makes worth asking.
  Result<pipeline::WaitVerdict> poll() {
    CG_TRY(seen_.emplace_back(), observe());
    auto verdict = pipeline::judge_wait(seen_, awaited_);
    if (verdict.kind == Kind::look) {
      CG_TRY(resolved_, look_up_image(decision_, settings_, svc_.reader));
      using pipeline::LabelSeen;
      const auto absent = resolved_.is_other ? LabelSeen::other : LabelSeen::none;
      seen_.back().label = resolved_.image.empty() ? absent : LabelSeen::right;
      verdict = pipeline::judge_wait(seen_, awaited_);
    }
    if (!verdict.is_doubtful || !decision_.pull_request) return verdict;
    // Without that permission the time limit decides.
    const auto pull = api_.client.pull_request(api_.repository, *decision_.pull_request);
    if (!pull) return verdict;
    seen_.back().head = pull->head.sha;
    return pipeline::judge_wait(seen_, awaited_);
  }

  Result<pipeline::WaitObservation> observe() {
    const auto runs = api_.client.workflow_runs(
        api_.repository, {.workflow = awaited_.workflow, .head_sha = awaited_.commit, .event = awaited_.event});
    pipeline::WaitObservation seen;
    if (runs) {
      for (const auto& run : *runs) seen.runs.push_back(build_run(run));
      return seen;
    }
    // GitHub does not know a workflow that has never run; of one that nobody has seen the error stands.
    if (runs.error().code == ErrorCode::not_found && in_commit_.value_or(false)) return seen;
    if (!may_pass(runs.error().code)) return fail(runs.error());
    seen.unclear = true;
    seen.why = describe(runs.error());
    return seen;
  }

  void say(const pipeline::WaitVerdict& verdict) const {
    const auto elapsed = settings_.wait_timeout - deadline_.left();
    svc_.status(concat("waiting for ", awaited_.image, ": ", verdict.text, address_of(verdict), " (",
                       format_duration(elapsed.count()), " of ", format_duration(settings_.wait_timeout.count()), ")"));
  }

  std::string address_of(const pipeline::WaitVerdict& verdict) const {
    if (verdict.run == 0 || place_.address.empty()) return {};
    return concat(", ", place_.address, "/actions/runs/", verdict.run);
  }

  Failure give_up(const pipeline::WaitVerdict& verdict) const {
    return fail(verdict.code,
                concat("CI image ", awaited_.image, ": expected its build by ", awaited_.workflow,
                       " to succeed, found ", verdict.text, address_of(verdict)),
                verdict.hint);
  }

  Failure time_out(const pipeline::WaitVerdict& last) const {
    const std::string hint =
        last.run == 0 ? concat("Check that ", awaited_.workflow, " runs on `", awaited_.event,
                               "` when a watched file changes, that ci-image.workflow names it, and that this job has "
                               "`permissions: actions: read`.")
                      : std::string("See its log; give ci-image.wait-timeout more if the build takes so long.");
    return fail(ErrorCode::wait_timed_out,
                concat("CI image ", awaited_.image, ": expected the end of its build within ",
                       format_duration(settings_.wait_timeout.count()), ", found ", last.text, address_of(last)),
                hint);
  }

  pipeline::CiImageDecision decision_;
  const config::CiImage& settings_;
  const WaitPlace& place_;
  PullRequestApi api_;
  const WaitServices& svc_;
  net::Deadline deadline_;
  pipeline::AwaitedBuild awaited_;
  std::optional<bool> in_commit_;
  std::vector<pipeline::WaitObservation> seen_;
  ResolvedImage resolved_;
};

/// The API where the event is one that it knows more about; a job without a token goes on without.
Result<std::optional<PullRequestApi>> find_api(const WaitPlace& place, const WaitServices& svc) {
  if (place.repository.empty()) return std::nullopt;
  CG_TRY(auto repository, github::RepositoryName::parse(place.repository));
  CG_TRY(github::GitHubClient* const client, svc.github());
  return PullRequestApi{*client, std::move(repository)};
}

}  // namespace

Result<ResolvedImage> wait_for_image(const PlanInputs& in, const WaitPlace& place, const WaitServices& svc) {
  CG_TRY(auto api, find_api(place, svc));
  CG_TRY(auto decision, decide_ci_image(in, svc.plan, api ? &*api : nullptr));
  const auto& settings = *in.configuration.ci_image;
  if (!decision.wait) return look_up_image(std::move(decision), settings, svc.reader);
  if (!api) {
    return fail(ErrorCode::bad_input,
                "GITHUB_REPOSITORY: expected OWNER/NAME, whose workflow is waited for, found none",
                "Run this in a job of GitHub Actions, or set GITHUB_REPOSITORY and --github-token.");
  }
  return Wait(std::move(decision), settings, place, *std::move(api), svc).run();
}

}  // namespace crategate::stages
