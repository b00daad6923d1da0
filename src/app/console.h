// The terminal: results on stdout, everything else as lines on stderr, and the live view of running cells.
// Belongs here: printing.  Not here: what is printed (render).
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "base/result.h"

namespace crategate::app {

struct ConsoleOptions {
  bool live = false;  ///< stderr is a terminal: one live line per running cell
  bool color = false;
  bool verbose = false;  ///< tools' own lines, too
  bool quiet = false;
  bool one_stream = false;  ///< in a runner, which does not keep two streams in order: everything on stdout
  int width = 80;
};

/// Thread-safe. Every line it prints is neutralised and redacted before.
class Console {
 public:
  explicit Console(ConsoleOptions options) : options_(options) {}
  ~Console();
  const ConsoleOptions& options() const { return options_; }

  /// The sink of base/log.
  void log_line(log::Level level, std::string_view line);
  /// A table, harmless and perhaps coloured already: as it is.
  void result(std::string_view text);
  /// Lines with a project's own words in them, such as the commands of a dry run.
  void lines(std::string_view text);
  /// JSON for programs.
  void document(std::string_view json);
  /// Whether all of these arrived. Errors: no_space; bad_input for a standard output that takes nothing.
  Result<void> check_results();
  /// A workflow command for the runner, as it is.
  void command(std::string_view line);

  /// A cell's stage begins; `label` is the cell, or the stage's own name when there is no cell.
  void begin(const std::string& label, const std::string& stage);
  /// A tool's line: shown live, or printed with --verbose.
  void tool_line(const std::string& label, std::string_view line);
  /// The stage ended; `outcome` is one short phrase.
  void end(const std::string& label, bool ok, const std::string& outcome);
  /// Whether log lines wait for their reader for a moment only. Where nobody reads, those that follow are dropped and
  /// counted, and go on being dropped afterwards unless somebody reads the count.
  void drop_lines(bool may_drop);
  /// Total and finished cells, for the bar.
  void total(std::size_t cells);
  void cell_finished();

 private:
  struct Running {
    std::string stage, last;
    std::chrono::steady_clock::time_point since;
  };
  void write_line(std::string_view line);  // lock held
  void write_or_drop(int stream, std::string line);
  void erase();
  void paint();
  ConsoleOptions options_;
  std::mutex mutex_;
  std::map<std::string, Running> running_;
  std::size_t painted_ = 0, total_ = 0, finished_ = 0;
  bool may_drop_ = false, torn_ = false;
  std::size_t dropped_ = 0;
  int lost_ = 0;  ///< errno of the first result that did not arrive
  std::chrono::steady_clock::time_point last_paint_{};
};

/// While one lives a reader that does not read stops nothing: between the first tag that is written and the end of the
/// journal nobody waits for a log.
class DroppedLines {
 public:
  explicit DroppedLines(Console& console) : console_(console) { console_.drop_lines(true); }
  ~DroppedLines() { console_.drop_lines(false); }
  DroppedLines(const DroppedLines&) = delete;
  DroppedLines& operator=(const DroppedLines&) = delete;

 private:
  Console& console_;
};

/// Writes to standard output at once. Returns: errno, 0 = it arrived.
int print_out(std::string_view text);
/// The error for that number.
/// Errors: no_space; bad_input for a standard output that takes nothing.
Result<void> check_printed(int number);

/// What the process' standard streams are.
ConsoleOptions detect_console(bool no_color, bool in_runner);

}  // namespace crategate::app
