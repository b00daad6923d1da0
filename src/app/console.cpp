#include "app/console.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <iostream>
#include <system_error>
#include <utility>

#include "base/secret.h"
#include "base/strings.h"
#include "render/line.h"

namespace crategate::app {
namespace {

constexpr std::chrono::milliseconds kRepaint{100}, kPatience{1'000};

std::string seconds_since(std::chrono::steady_clock::time_point since) {
  const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - since);
  return format_duration(elapsed.count());
}

/// At most `width` columns; a character of UTF-8 counts as one.
std::string cut(std::string text, std::size_t width) {
  std::size_t columns = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0U) != 0x80U && columns++ == width) {
      text.resize(i);
      break;
    }
  }
  return text;
}

std::string bar(std::size_t done, std::size_t total) {
  constexpr std::size_t kColumns = 24;
  const std::size_t filled = total == 0 ? 0 : done * kColumns / total;
  return concat("[", std::string(filled, '#'), std::string(kColumns - filled, '.'), "] ", done, "/", total, " cells");
}

}  // namespace

Console::~Console() {
  const std::lock_guard lock(mutex_);
  erase();
}

void Console::drop_lines(bool may_drop) {
  std::size_t dropped = 0;
  {
    const std::lock_guard lock(mutex_);
    dropped = may_drop ? 0 : std::exchange(dropped_, 0);
    may_drop_ = may_drop || dropped > 0;
  }
  if (dropped == 0) return;
  log::warning(concat(dropped, " lines of the log were dropped, for nobody read them"));
  const std::lock_guard lock(mutex_);
  may_drop_ = dropped_ > 0;
}

void Console::write_or_drop(int stream, std::string line) {
  // A pipe that takes anything takes this much at once.
  constexpr std::size_t kPiece = PIPE_BUF;
  if (std::exchange(torn_, false)) line.insert(line.begin(), '\n');
  for (std::string_view rest = line; !rest.empty();) {
    pollfd ready{.fd = stream, .events = POLLOUT, .revents = 0};
    const int wait = dropped_ == 0 ? static_cast<int>(kPatience.count()) : 0;
    const bool takes = ::poll(&ready, 1, wait) == 1 && (ready.revents & POLLOUT) != 0;
    const ssize_t written = takes ? ::write(stream, rest.data(), std::min(rest.size(), kPiece)) : -1;
    if (written < 0) {
      torn_ = rest.size() < line.size();
      ++dropped_;
      return;
    }
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
}

void Console::write_line(std::string_view line) {
  if (may_drop_) return write_or_drop(options_.one_stream ? STDOUT_FILENO : STDERR_FILENO, concat(line, "\n"));
  auto& stream = options_.one_stream ? std::cout : std::cerr;
  stream << line << '\n' << std::flush;
}

void Console::erase() {
  for (; painted_ > 0; --painted_) std::cerr << "\x1b[1A\x1b[2K";
  std::cerr << std::flush;
}

void Console::paint() {
  if (!options_.live) return;
  const auto width = static_cast<std::size_t>(std::max(options_.width, 20)) - 1;
  for (const auto& [label, running] : running_) {
    std::cerr << cut(concat("  ", label, "  ", running.stage, "  ", seconds_since(running.since), "  ", running.last),
                     width)
              << '\n';
    ++painted_;
  }
  if (total_ > 0 && finished_ < total_) {
    std::cerr << cut(concat("  ", bar(finished_, total_)), width) << '\n';
    ++painted_;
  }
  std::cerr << std::flush;
  last_paint_ = std::chrono::steady_clock::now();
}

void Console::log_line(log::Level level, std::string_view line) {
  if (options_.quiet && (level == log::Level::debug || level == log::Level::info)) return;
  const std::lock_guard lock(mutex_);
  erase();
  write_line(line);
  paint();
}

void Console::result(std::string_view text) {
  const std::lock_guard lock(mutex_);
  erase();
  const int number = print_out(redact(text));
  if (lost_ == 0) lost_ = number;
  paint();
}

Result<void> Console::check_results() {
  const std::lock_guard lock(mutex_);
  return check_printed(lost_);
}

void Console::lines(std::string_view text) { result(render::harmless_lines(text)); }

void Console::document(std::string_view json) { result(render::harmless_json(json)); }

void Console::command(std::string_view line) {
  const std::lock_guard lock(mutex_);
  erase();
  write_line(line);
}

void Console::begin(const std::string& label, const std::string& stage) {
  {
    const std::lock_guard lock(mutex_);
    erase();
    running_[label] = {stage, {}, std::chrono::steady_clock::now()};
    paint();
  }
  if (!options_.live) log::info(concat(label, ": ", stage));
}

void Console::tool_line(const std::string& label, std::string_view line) {
  if (options_.verbose) log::info(concat(label, " | ", line));
  const std::lock_guard lock(mutex_);
  const auto running = running_.find(label);
  if (!options_.live || running == running_.end()) return;
  running->second.last = redact(line);
  if (std::chrono::steady_clock::now() - last_paint_ < kRepaint) return;
  erase();
  paint();
}

void Console::end(const std::string& label, bool ok, const std::string& outcome) {
  std::string stage, elapsed;
  {
    const std::lock_guard lock(mutex_);
    erase();
    const auto running = running_.find(label);
    if (running != running_.end()) {
      stage = running->second.stage;
      elapsed = seconds_since(running->second.since);
      running_.erase(running);
    }
    paint();
  }
  const std::string line = concat(label, ": ", stage, " ", ok ? "ok" : "FAILED", outcome.empty() ? "" : ": ", outcome,
                                  elapsed.empty() ? "" : concat(" (", elapsed, ")"));
  ok ? log::info(line) : log::error(line);
}

void Console::total(std::size_t cells) {
  const std::lock_guard lock(mutex_);
  total_ = cells;
  finished_ = 0;
}

void Console::cell_finished() {
  const std::lock_guard lock(mutex_);
  ++finished_;
}

int print_out(std::string_view text) {
  errno = 0;
  std::cout << text << std::flush;
  if (std::cout) return 0;
  return errno == 0 ? EIO : errno;
}

Result<void> check_printed(int number) {
  if (number == 0) return {};
  return fail(
      number == ENOSPC ? ErrorCode::no_space : ErrorCode::bad_input,
      concat("standard output: expected it to take the result, found ", std::generic_category().message(number)),
      "What was to be done is done; only its result could not be printed.");
}

ConsoleOptions detect_console(bool no_color, bool in_runner) {
  ConsoleOptions options;
  const bool terminal = ::isatty(STDERR_FILENO) == 1;
  options.live = terminal && !in_runner;
  options.color = !no_color && ::isatty(STDOUT_FILENO) == 1;
  options.one_stream = in_runner;
  winsize size{};
  if (terminal && ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) options.width = size.ws_col;
  return options;
}

}  // namespace crategate::app
