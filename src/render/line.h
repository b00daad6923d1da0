// Untrusted text as one harmless line, and lines in columns.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace crategate::render {

/// `text` without secrets and control bytes, line ends as spaces; never a workflow command.
/// Effects: none (redact).
std::string one_line(std::string_view text);

/// The same for the lines of a text.
/// Effects: none (redact).
std::string harmless_lines(std::string_view text);

/// A JSON document with the same meaning, whose lines are neither a workflow command nor a control sequence; redacted.
/// Effects: none (redact).
std::string harmless_json(std::string_view json);

/// Rows with their columns aligned, two spaces between; no trailing spaces. Width counts code points.
std::vector<std::string> align(const std::vector<std::vector<std::string>>& rows);

/// At most `width` code points, the last one '…' where something was cut; 0 = no limit.
std::string cut(std::string_view line, std::size_t width);

/// Number of code points of UTF-8 text.
std::size_t length(std::string_view text);

}  // namespace crategate::render
