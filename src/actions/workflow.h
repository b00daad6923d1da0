// The runner's side of a step: outputs, summary, annotations, groups.
// Belongs here: the protocol's grammar.  Not here: which outputs a stage has.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/result.h"
#include "sys/environment.h"
#include "sys/file_system.h"

namespace crategate::actions {

inline constexpr std::size_t kSummaryLimit = 1u << 20;  ///< bytes; a larger summary is dropped whole by the runner

/// `name<<ghadelimiter_<32 hex>\nvalue\nghadelimiter_…\n`; the delimiter does not occur in the value.
/// `delimiter`: all of it, `ghadelimiter_` and the random digits.
/// Errors: bad_input for a name outside `[A-Za-z_][A-Za-z0-9_-]*`; internal if the delimiter occurs in the value.
Result<std::string> encode_entry(std::string_view name, std::string_view value, std::string_view delimiter);

/// `text` cut at a line boundary so that it, and the note that says so, fit in `limit` bytes.
std::string cut_summary(std::string_view text, std::size_t limit = kSummaryLimit - 4096);

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
};

/// Writes to the files that GITHUB_OUTPUT and GITHUB_STEP_SUMMARY name; commands go to `print` as one line each.
class RunnerWorkflow final : public Workflow {
 public:
  RunnerWorkflow(const sys::Environment& environment, sys::FileSystem& files,
                 std::function<void(std::string_view)> print);
  Result<void> set_output(std::string_view name, std::string_view value) override;
  Result<void> add_summary(std::string_view markdown) override;
  void annotate(const Annotation& annotation) override;
  void begin_group(std::string_view title) override;
  void end_group() override;

 private:
  std::string output_path_, summary_path_;
  bool in_runner_ = false;
  sys::FileSystem& files_;
  std::function<void(std::string_view)> print_;
  std::size_t summary_written_ = 0;
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
