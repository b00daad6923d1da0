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
constexpr std::size_t kWorthWriting = 512;

}  // namespace

RunnerWorkflow::RunnerWorkflow(const sys::Environment& environment, sys::FileSystem& files,
                               std::function<void(std::string_view)> print)
    : output_path_(environment.get(kOutput).value_or("")),
      summary_path_(environment.get(kSummary).value_or("")),
      in_runner_(environment.get(kActions) == "true"),
      files_(files),
      print_(std::move(print)) {}

Result<void> RunnerWorkflow::set_output(std::string_view name, std::string_view value) {
  CG_TRY(const std::string entry,
         encode_entry(name, value, concat("ghadelimiter_", sys::random_hex(kDelimiterDigits))));
  if (output_path_.empty()) return {};
  auto written = files_.append(output_path_, entry);
  if (!written) return fail(std::move(written).error().within(concat("writing the output ", name)));
  return {};
}

Result<void> RunnerWorkflow::add_summary(std::string_view markdown) {
  const std::size_t room = kSummaryRoom - summary_written_;
  if (summary_path_.empty() || room < kWorthWriting) return {};
  std::string text = redact(markdown);
  if (!text.ends_with('\n')) text += '\n';
  text = cut_summary(text, room);
  auto written = files_.append(summary_path_, text);
  if (!written) return fail(std::move(written).error().within("writing the job summary"));
  summary_written_ += text.size();
  return {};
}

void RunnerWorkflow::annotate(const Annotation& annotation) {
  if (in_runner_) print_(encode_annotation(annotation));
}

void RunnerWorkflow::begin_group(std::string_view title) {
  if (in_runner_) print_(concat("::group::", escape_data(presentable(title))));
}

void RunnerWorkflow::end_group() {
  if (in_runner_) print_("::endgroup::");
}

}  // namespace crategate::actions
