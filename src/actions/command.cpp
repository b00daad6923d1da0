// Escapes and annotations.
#include "actions/command.h"

#include "actions/workflow.h"
#include "base/secret.h"
#include "base/strings.h"

namespace crategate::actions {
namespace {

constexpr std::size_t kMessageLimit = 4000;  ///< the runner cuts at 4096 characters

std::string_view command_name(Severity severity) {
  switch (severity) {
    case Severity::notice:
      return "notice";
    case Severity::warning:
      return "warning";
    case Severity::error:
      return "error";
  }
  return "error";
}

void add_property(std::string& properties, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  properties += concat(properties.empty() ? " " : ",", name, "=", escape_property(value));
}

}  // namespace

std::string escape_data(std::string_view text) {
  std::string escaped = replace_all(std::string(text), "%", "%25");
  escaped = replace_all(std::move(escaped), "\r", "%0D");
  return replace_all(std::move(escaped), "\n", "%0A");
}

std::string escape_property(std::string_view text) {
  return replace_all(replace_all(escape_data(text), ":", "%3A"), ",", "%2C");
}

std::string presentable(std::string_view text) {
  std::vector<std::string> lines = split(redact(text), '\n');
  for (std::string& line : lines) line = neutralise(line);
  std::string shown = join(lines, "\n");
  if (shown.size() <= kMessageLimit) return shown;
  std::size_t end = kMessageLimit;
  while (end > 0 && (static_cast<unsigned char>(shown[end]) & 0xC0u) == 0x80u) --end;
  return shown.substr(0, end) + " …";
}

std::string encode_annotation(const Annotation& annotation) {
  std::string properties;
  if (annotation.location && !annotation.location->file.empty()) {
    const Location& location = *annotation.location;
    add_property(properties, "file", presentable(location.file));
    if (location.line > 0) {
      add_property(properties, "line", std::to_string(location.line));
      if (location.column > 0) add_property(properties, "col", std::to_string(location.column));
    }
  }
  add_property(properties, "title", presentable(annotation.title));
  return concat("::", command_name(annotation.severity), properties,
                "::", escape_data(presentable(annotation.message)));
}

}  // namespace crategate::actions
