#include "pipeline/image_wait.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <tuple>
#include <utility>

#include "base/strings.h"

namespace crategate::pipeline {
namespace {

using Kind = WaitVerdict::Kind;

constexpr std::string_view kFolder = ".github/workflows/", kCompleted = "completed", kSuccess = "success",
                           kCancelled = "cancelled", kSkipped = "skipped";

struct Remedy {
  std::string_view conclusion, text;
};

constexpr std::string_view kReadLog = "Read its log, mend the build, and push.";
constexpr std::array<Remedy, 6> kRemedies = {{
    {"action_required", "Approve the run (Actions → the run → Approve and run), then run this job again."},
    {"stale", "GitHub gave it up after two weeks; run it again, then this job."},
    {"startup_failure", "The workflow's file is not valid; its page on GitHub says where."},
    {"timed_out", "Give its job more `timeout-minutes`, or find out what hangs; then run it again, and this job."},
    {kSkipped, "An `if:` of its job or a filter left it out, though it changes the image: correct that."},
    {kCancelled, "Run it again, then this job."},
}};

std::string_view remedy_for(std::string_view conclusion) {
  const auto* const found = std::ranges::find(kRemedies, conclusion, &Remedy::conclusion);
  return found == kRemedies.end() ? kReadLog : found->text;
}

bool is_of(const BuildRun& run, const AwaitedBuild& awaited) {
  const std::string_view path = std::string_view(run.path).substr(0, run.path.find('@'));
  return run.head_sha == awaited.commit && run.event == awaited.event && path == concat(kFolder, awaited.workflow) &&
         run.head_repository == awaited.repository.value_or(run.repository);
}

bool is_set_aside(const BuildRun& run) { return run.conclusion == kCancelled || run.conclusion == kSkipped; }

bool is_completed(const BuildRun& run) { return run.status == kCompleted && !run.conclusion.empty(); }
bool has_succeeded(const BuildRun& run) { return is_completed(run) && run.conclusion == kSuccess; }

/// The newest run of the build besides the one that decides for which `holds`. nullptr = none.
template <class Predicate>
const BuildRun* other_run(const std::vector<BuildRun>& runs, const AwaitedBuild& awaited, const Predicate& holds) {
  const BuildRun* const deciding = deciding_run(runs, awaited);
  const BuildRun* best = nullptr;
  for (const BuildRun& run : runs) {
    if (!is_of(run, awaited) || run.id == deciding->id || !holds(run)) continue;
    if (best == nullptr || run.id > best->id) best = &run;
  }
  return best;
}

const BuildRun* unfinished_other(const std::vector<BuildRun>& runs, const AwaitedBuild& awaited) {
  return other_run(runs, awaited, [](const BuildRun& run) { return !is_completed(run); });
}

/// The run after which the image is looked at: the one that decides, else, once that one has ended, another one.
const BuildRun* succeeded_run(const std::vector<BuildRun>& runs, const AwaitedBuild& awaited) {
  const BuildRun* const deciding = deciding_run(runs, awaited);
  if (deciding == nullptr || !is_completed(*deciding)) return nullptr;
  return has_succeeded(*deciding) ? deciding : other_run(runs, awaited, has_succeeded);
}

std::string name_of(const BuildRun& run) {
  const std::string number = concat("run ", run.id);
  return run.attempt > 1 ? concat(number, ", attempt ", run.attempt, ",") : number;
}

std::string short_commit(const std::string& commit) {
  constexpr std::size_t kShort = 12;
  return commit.substr(0, kShort);
}

/// How many of the newest observations fulfil `holds`; those without an answer of GitHub are passed over.
template <class Predicate>
int length_of_end(const std::vector<WaitObservation>& seen, const Predicate& holds) {
  int length = 0;
  for (auto each = seen.rbegin(); each != seen.rend(); ++each) {
    if (each->unclear && each->runs.empty()) continue;
    if (!holds(*each)) break;
    ++length;
  }
  return length;
}

WaitVerdict poll_again(std::string text, std::string hint) {
  return {.kind = Kind::poll_again, .text = std::move(text), .hint = std::move(hint)};
}

WaitVerdict failed(std::string text, std::string hint, ErrorCode code = ErrorCode::awaited_build_failed) {
  return {.kind = Kind::failed, .text = std::move(text), .code = code, .hint = std::move(hint)};
}

class Judge {
 public:
  Judge(const std::vector<WaitObservation>& seen, const AwaitedBuild& awaited)
      : seen_(seen),
        now_(seen.back()),
        awaited_(awaited),
        run_(deciding_run(now_.runs, awaited)),
        succeeded_(succeeded_run(now_.runs, awaited)) {}

  WaitVerdict verdict() const {
    WaitVerdict verdict = now_.unclear ? of_silence(*now_.unclear) : of_answer();
    if (verdict.run == 0 && run_ != nullptr) verdict.run = run_->id;
    return verdict;
  }

 private:
  WaitVerdict of_silence(const Error& error) const {
    const std::string succeeded =
        succeeded_ == nullptr ? std::string() : concat(name_of(*succeeded_), " has succeeded; ");
    const std::string text = concat(succeeded, describe(error));
    return now_.too_late ? failed(text, error.hint, error.code) : poll_again(text, error.hint);
  }

  WaitVerdict of_answer() const {
    if (succeeded_ != nullptr) {
      const std::string done = concat(name_of(*succeeded_), " has succeeded");
      if (now_.label == LabelSeen::right) return {.kind = Kind::done, .text = done, .hint = {}};
      if (now_.label == LabelSeen::not_asked) return {.kind = Kind::look, .text = done, .hint = {}};
    }
    if (const auto head = newest_head(); head && *head != awaited_.commit) return moved_to(*head);
    WaitVerdict verdict = run_ == nullptr ? of_absence() : of_run(*run_);
    verdict.depends_on_head = true;
    return verdict;
  }

  WaitVerdict of_run(const BuildRun& run) const {
    if (!is_completed(run)) return of_unfinished(run);
    if (run.conclusion == kCancelled) return of_cancelled(run);
    if (const BuildRun* const other = unfinished_other(now_.runs, awaited_)) return of_unfinished(*other);
    if (run.conclusion == kSuccess) return of_imageless(run);
    return failed(concat(name_of(run), " ended as ", quoted(run.conclusion)), std::string(remedy_for(run.conclusion)));
  }

  static WaitVerdict of_unfinished(const BuildRun& run) {
    WaitVerdict verdict =
        poll_again(concat(name_of(run), " is ", run.status.empty() ? "not completed" : neutralise(run.status)),
                   "See its log; give ci-image.wait-timeout more if the build takes so long.");
    verdict.run = run.id;
    return verdict;
  }

  WaitVerdict of_imageless(const BuildRun& run) const {
    const int asked = length_of_end(seen_, [this](const auto& each) {
      const bool imageless = each.label == LabelSeen::other || each.label == LabelSeen::none;
      return imageless && unfinished_other(each.runs, awaited_) == nullptr;
    });
    const bool is_other = now_.label == LabelSeen::other;
    const std::string text = concat(name_of(run), " has succeeded, but ", awaited_.image,
                                    is_other ? " is labelled with another commit" : " is not there");
    std::string hint = concat("Its build must push ", awaited_.image,
                              " with the label org.opencontainers.image.revision of the pull request's head commit, as "
                              "`ci-image build` does.");
    if (is_other) {
      hint +=
          concat(" If it did, the build of an older commit ended after it: give ", awaited_.workflow,
                 " `concurrency: {group: \"build-ci-image-${{ github.ref }}\", cancel-in-progress: true}`, and run it "
                 "again.");
    }
    return asked < kWaitGrace ? poll_again(text, hint) : failed(text, hint);
  }

  WaitVerdict of_cancelled(const BuildRun& run) const {
    const int cancelled = length_of_end(seen_, [&](const auto& each) {
      const BuildRun* const then = deciding_run(each.runs, awaited_);
      return then != nullptr && *then == run;
    });
    const std::string text = concat(name_of(run), " was cancelled"), hint(remedy_for(kCancelled));
    if (cancelled < kWaitGrace) return poll_again(concat(text, "; another may take its place"), hint);
    return failed(concat(text, ", and no other took its place"), hint);
  }

  WaitVerdict of_absence() const {
    const auto before =
        std::ranges::find_if(seen_, [this](const auto& each) { return deciding_run(each.runs, awaited_) != nullptr; });
    if (before == seen_.end()) return of_none();
    const int absent =
        length_of_end(seen_, [this](const auto& each) { return deciding_run(each.runs, awaited_) == nullptr; });
    const std::string text = concat(name_of(*deciding_run(before->runs, awaited_)), " is gone"),
                      hint = "It was deleted. Push again, or run it once more.";
    if (absent < kWaitGrace) return poll_again(text, hint);
    return failed(concat(text, ", and no other took its place"), hint);
  }

  WaitVerdict of_none() const {
    return poll_again(
        concat("no run of ", awaited_.workflow, " for ", awaited_.event, " at ", short_commit(awaited_.commit), " yet"),
        concat(
            "Check that ", awaited_.workflow, " runs on `", awaited_.event,
            "` when a watched file changes (GitHub looks for `paths:` in the first 300 changed files only: larger pull "
            "requests need a workflow without it), that ci-image.workflow names it, and that this job has "
            "`permissions: "
            "actions: read`."));
  }

  WaitVerdict moved_to(const std::string& head) const {
    return failed(concat("the pull request has moved on from ", short_commit(awaited_.commit), " to ",
                         short_commit(neutralise(head))),
                  "Nothing is to be done: the checks of the newer commit wait for its own build.", ErrorCode::conflict);
  }

  std::optional<std::string> newest_head() const {
    const auto asked =
        std::find_if(seen_.rbegin(), seen_.rend(), [](const auto& each) { return each.head.has_value(); });
    return asked == seen_.rend() ? std::nullopt : asked->head;
  }

  const std::vector<WaitObservation>& seen_;
  const WaitObservation& now_;
  const AwaitedBuild& awaited_;
  const BuildRun* const run_;        ///< that decides; nullptr = none
  const BuildRun* const succeeded_;  ///< whose image is looked at; nullptr = none
};

}  // namespace

const BuildRun* deciding_run(const std::vector<BuildRun>& runs, const AwaitedBuild& awaited) {
  const BuildRun* best = nullptr;
  for (const BuildRun& run : runs) {
    if (!is_of(run, awaited)) continue;
    const auto rank = [](const BuildRun& each) { return std::tuple(!is_set_aside(each), each.id, each.attempt); };
    if (best == nullptr || rank(run) > rank(*best)) best = &run;
  }
  return best;
}

WaitVerdict judge_wait(const std::vector<WaitObservation>& seen, const AwaitedBuild& awaited) {
  return Judge(seen, awaited).verdict();
}

}  // namespace crategate::pipeline
