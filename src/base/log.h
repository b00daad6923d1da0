// Log lines. Sinks redact secrets and neutralise control characters and workflow commands.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace crategate::log {

enum class Level : unsigned char { debug, info, warning, error };
enum class Format : unsigned char { text, json };

struct Options {
  Level threshold = Level::info;
  Format format = Format::text;
  bool color = false;
};

/// Receives each finished, redacted line (without line feed). The default writes to stderr.
using Sink = std::function<void(Level, std::string_view line)>;

/// Effects: replaces the process-wide logger. Thread-safe afterwards.
void configure(const Options& options, Sink sink = {});

void debug(std::string_view text);
void info(std::string_view text);
void warning(std::string_view text);
void error(std::string_view text);

}  // namespace crategate::log
