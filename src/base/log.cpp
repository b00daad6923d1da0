// The process-wide logger: spdlog in front, our lines behind.
// Belongs here: what a line looks like.  Not here: what is worth a line.
#include "base/log.h"

#include <spdlog/fmt/chrono.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>

#include <cstdio>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "base/secret.h"
#include "base/strings.h"

namespace crategate::log {
namespace {

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warning:
      return spdlog::level::warn;
    case Level::error:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

Level from_spdlog(spdlog::level::level_enum level) {
  if (level <= spdlog::level::debug) return Level::debug;
  if (level == spdlog::level::info) return Level::info;
  return level == spdlog::level::warn ? Level::warning : Level::error;
}

std::string_view label(Level level) {
  switch (level) {
    case Level::debug:
      return "debug";
    case Level::info:
      return "info";
    case Level::warning:
      return "warning";
    case Level::error:
      return "error";
  }
  return "error";
}

std::string_view color(Level level) {
  switch (level) {
    case Level::debug:
      return "\x1B[2m";
    case Level::info:
      return "";
    case Level::warning:
      return "\x1B[33m";
    case Level::error:
      return "\x1B[31m";
  }
  return "";
}

/// Neutralised lines hold no control characters: quotes and backslashes are all that is left to escape.
std::string json_string(std::string_view line) {
  return concat('"', replace_all(replace_all(std::string(line), "\\", "\\\\"), "\"", "\\\""), '"');
}

/// Removing invisible characters can put a secret together, so the result is redacted again.
std::vector<std::string> harmless_lines(std::string_view text) {
  std::string unified = replace_all(replace_all(redact(text), "\r\n", "\n"), "\r", "\n");
  if (!unified.empty() && unified.back() == '\n') unified.pop_back();
  std::vector<std::string> lines = split(unified, '\n');
  for (std::string& line : lines) line = redact(neutralise(line));
  return lines;
}

void write_to_stderr(Level, std::string_view line) {
  const std::string text = concat(line, '\n');
  std::fwrite(text.data(), 1, text.size(), stderr);
}

class LineSink : public spdlog::sinks::base_sink<std::mutex> {
 public:
  LineSink(const Options& options, Sink target) : options_(options), sink_(std::move(target)) {}

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    const Level level = from_spdlog(message.level);
    const std::string_view text(message.payload.data(), message.payload.size());
    for (const std::string& line : harmless_lines(text)) {
      sink_(level, options_.format == Format::json ? json_line(level, message.time, line) : text_line(level, line));
    }
  }
  void flush_() override {}

 private:
  std::string text_line(Level level, const std::string& line) const {
    if (level == Level::info) return line;
    if (!options_.color) return concat(label(level), ": ", line);
    return concat(color(level), label(level), ":\x1B[0m ", line);
  }

  static std::string json_line(Level level, spdlog::log_clock::time_point time, const std::string& line) {
    const auto whole = std::chrono::time_point_cast<std::chrono::seconds>(time);
    const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(time - whole).count();
    const std::string stamp =
        fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(spdlog::log_clock::to_time_t(whole)), milliseconds);
    return concat("{\"time\":\"", stamp, "\",\"level\":\"", label(level), "\",\"message\":", json_string(line), "}");
  }

  Options options_;
  Sink sink_;
};

std::shared_ptr<spdlog::logger> make_logger(const Options& options, Sink sink) {
  auto lines = std::make_shared<LineSink>(options, sink ? std::move(sink) : Sink(write_to_stderr));
  auto logger = std::make_shared<spdlog::logger>("crategate", std::move(lines));
  logger->set_level(to_spdlog(options.threshold));
  return logger;
}

struct Process {
  std::mutex mutex;
  std::shared_ptr<spdlog::logger> logger = make_logger({}, {});
};

Process& process() {
  static Process instance;
  return instance;
}

void write(Level level, std::string_view text) {
  std::shared_ptr<spdlog::logger> logger;
  {
    const std::lock_guard lock(process().mutex);
    logger = process().logger;
  }
  logger->log(to_spdlog(level), spdlog::string_view_t(text.data(), text.size()));
}

}  // namespace

void configure(const Options& options, Sink sink) {
  auto logger = make_logger(options, std::move(sink));
  const std::lock_guard lock(process().mutex);
  process().logger = std::move(logger);
}

void debug(std::string_view text) { write(Level::debug, text); }
void info(std::string_view text) { write(Level::info, text); }
void warning(std::string_view text) { write(Level::warning, text); }
void error(std::string_view text) { write(Level::error, text); }

}  // namespace crategate::log
