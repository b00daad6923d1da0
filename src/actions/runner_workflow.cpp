// The runner's files and log, through the seams.
#include "actions/command.h"
#include "actions/names.h"
#include "actions/workflow.h"
#include "base/secret.h"
#include "base/strings.h"

namespace crategate::actions {
namespace {

constexpr std::size_t kSummaryRoom = kSummaryLimit - 4096;
constexpr std::size_t kDelimiterDigits = 32;
Error missing_file(std::string_view variable, const std::string& path, std::string_view found) {
  return {ErrorCode::bad_input,
          concat(variable, ": expected the runner's file, which it makes before the step, found ", found, " at ",
                 quoted(path)),
          "Start the action as the runner does, with its folder of file commands mounted; outside a runner unset "
          "GITHUB_ACTIONS.",
          {},
          {},
          {}};
}

}  // namespace

RunnerWorkflow::RunnerWorkflow(const sys::Environment& environment, sys::FileSystem& files,
                               std::function<void(std::string_view)> print)
    : output_path_(environment.get(kOutput).value_or("")),
      summary_path_(environment.get(kSummary).value_or("")),
      in_runner_(environment.get(kActions) == "true"),
      files_(files),
      print_(std::move(print)) {}

RunnerWorkflow::~RunnerWorkflow() {
  for (const auto& [severity, all] : annotations_) {
    if (all.size() < kAnnotationLimit) continue;
    Annotation last = all.at(kAnnotationLimit - 1);
    const std::size_t more = all.size() - kAnnotationLimit + 1;
    if (more > 1) {
      last = {.severity = severity, .title = concat(more, " more"), .message = {}, .location = {}};
      for (std::size_t i = kAnnotationLimit - 1; i < all.size(); ++i) last.message += concat(all[i].message, "\n");
    }
    print_(encode_annotation(last));
  }
}

Result<void> RunnerWorkflow::check_files() const {
  if (!in_runner_) return {};
  for (const auto& [variable, path] : {std::pair(kOutput, output_path_), std::pair(kSummary, summary_path_)}) {
    if (path.empty()) continue;
    if (!files_.exists(path)) return fail(missing_file(variable, path, "nothing"));
    if (const auto appended = files_.append(path, ""); !appended)
      return fail(missing_file(variable, path, concat("one that cannot be written (", appended.error().message, ")")));
  }
  return {};
}

void RunnerWorkflow::keep_long_summaries(const sys::Path& directory, const std::string& shown) {
  whole_directory_ = directory;
  whole_shown_ = shown;
}

Result<void> RunnerWorkflow::set_output(std::string_view name, std::string_view value) {
  CG_TRY(const std::string entry,
         encode_entry(name, value, concat("ghadelimiter_", sys::random_hex(kDelimiterDigits))));
  if (output_path_.empty()) return {};
  auto written = files_.append(output_path_, entry);
  if (!written) return fail(std::move(written).error().within(concat("writing the output ", name)));
  return {};
}

Result<void> RunnerWorkflow::add_summary(std::string_view markdown) {
  if (summary_path_.empty()) return {};
  std::string text = redact(markdown);
  if (!text.ends_with('\n')) text += '\n';
  summary_ += text;
  const bool fits = summary_.size() <= kSummaryRoom;
  if (!fits && !whole_directory_.empty()) {
    CG_CHECK(files_.make_directories(whole_directory_));
    CG_CHECK(files_.write_below(whole_directory_, kSummaryFile, summary_));
  }
  if (summary_full_) return {};
  summary_full_ = !fits;
  text = cut_summary(text, kSummaryRoom - summary_written_, whole_shown_);
  auto written = files_.append(summary_path_, text);
  if (!written) return fail(std::move(written).error().within("writing the job summary"));
  summary_written_ += text.size();
  return {};
}

void RunnerWorkflow::annotate(const Annotation& annotation) {
  if (!in_runner_) return;
  const std::lock_guard lock(annotating_);
  auto& same = annotations_[annotation.severity];
  same.push_back(annotation);
  if (same.size() < kAnnotationLimit) print_(encode_annotation(annotation));
}

void RunnerWorkflow::mask(const Secret& secret) {
  constexpr std::size_t kWorthMasking = 6;  // fewer characters would turn whole logs into asterisks
  if (in_runner_ && secret.reveal().size() >= kWorthMasking)
    print_(concat("::add-mask::", escape_data(secret.reveal())));
}

void RunnerWorkflow::begin_group(std::string_view title) {
  if (in_runner_) print_(concat("::group::", escape_data(presentable(title))));
}

void RunnerWorkflow::end_group() {
  if (in_runner_) print_("::endgroup::");
}

}  // namespace crategate::actions
