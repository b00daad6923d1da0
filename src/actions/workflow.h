// The runner's side of a step: outputs, summary, annotations, groups.
// Belongs here: the protocol's grammar.  Not here: which outputs a stage has.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/result.h"
#include "base/secret.h"
#include "sys/environment.h"
#include "sys/file_system.h"

namespace crategate::actions {

inline constexpr std::size_t kSummaryLimit = 1u << 20;  ///< bytes; a larger summary is dropped whole by the runner
inline constexpr std::string_view kSummaryFile = "summary.md";
inline constexpr std::size_t kAnnotationLimit = 10;  ///< of each severity; a runner shows no more of one step

/// `name<<ghadelimiter_<32 hex>\nvalue\nghadelimiter_…\n`; the delimiter does not occur in the value.
/// `delimiter`: all of it, `ghadelimiter_` and the random digits.
/// Errors: bad_input for a name outside `[A-Za-z_][A-Za-z0-9_-]*`; internal if the delimiter occurs in the value.
Result<std::string> encode_entry(std::string_view name, std::string_view value, std::string_view delimiter);

/// `text` cut at a line boundary so that it, and the note that says so, fit in `limit` bytes.
/// `whole`: where all of it is.
std::string cut_summary(std::string_view text, std::size_t limit, std::string_view whole);

enum class Severity : unsigned char { notice, warning, error };

struct Annotation {
  Severity severity = Severity::error;
  std::string title, message;
  std::optional<Location> location;
};

/// `::error file=…,line=…,col=…,title=…::message` with the protocol's escapes.
std::string encode_annotation(const Annotation& annotation);

/// What a stage tells the runner. Outside a runner everything but `outputs` on request is silent.
class Workflow {
 public:
  virtual ~Workflow() = default;
  virtual Result<void> set_output(std::string_view name, std::string_view value) = 0;
  virtual Result<void> add_summary(std::string_view markdown) = 0;
  virtual void annotate(const Annotation& annotation) = 0;
  virtual void begin_group(std::string_view title) = 0;
  virtual void end_group() = 0;
  /// Has the runner mask what was made of a secret, for the steps that follow.
  virtual void mask(const Secret& secret) = 0;
};

/// Writes to the files that GITHUB_OUTPUT and GITHUB_STEP_SUMMARY name; commands go to `print` as one line each. The
/// tenth annotation of a severity, and all after it, are one annotation at the end.
class RunnerWorkflow final : public Workflow {
 public:
  RunnerWorkflow(const sys::Environment& environment, sys::FileSystem& files,
                 std::function<void(std::string_view)> print);
  ~RunnerWorkflow() override;
  RunnerWorkflow(const RunnerWorkflow&) = delete;
  RunnerWorkflow& operator=(const RunnerWorkflow&) = delete;
  /// Inside a runner its files must be there before anything is done: what is appended to a file that the runner did not
  /// make is lost.
  /// Errors: bad_input for one that is absent or cannot be written.
  Result<void> check_files() const;
  /// Summaries that are too long for the runner are kept whole in `directory`/summary.md, which people know as `shown`.
  void keep_long_summaries(const sys::Path& directory, const std::string& shown);
  Result<void> set_output(std::string_view name, std::string_view value) override;
  Result<void> add_summary(std::string_view markdown) override;
  void annotate(const Annotation& annotation) override;
  void begin_group(std::string_view title) override;
  void end_group() override;
  void mask(const Secret& secret) override;

 private:
  std::string output_path_, summary_path_;
  bool in_runner_ = false;
  sys::FileSystem& files_;
  std::function<void(std::string_view)> print_;
  std::string summary_;  ///< all of it
  std::size_t summary_written_ = 0;
  bool summary_full_ = false;
  sys::Path whole_directory_;
  std::string whole_shown_ = "the log of this step";
  std::mutex annotating_;  ///< cells annotate side by side
  std::map<Severity, std::vector<Annotation>> annotations_;
};

/// `INPUT_*` of the runner as option name → value, trimmed; both spellings (`INPUT_CACHE-FROM`, `INPUT_CACHE_FROM`),
/// empty ones left out.
/// Errors: bad_input when both spellings of one input are set to different values.
Result<std::map<std::string, std::string>> read_inputs(const sys::Environment& environment,
                                                       const std::vector<std::string>& names);

/// Inputs that are set and not among `names`, in kebab-case: a runner only warns about them.
std::vector<std::string> find_unknown_inputs(const sys::Environment& environment,
                                             const std::vector<std::string>& names);

}  // namespace crategate::actions
