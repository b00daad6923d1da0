#include "docker/cache_import.h"

#include "base/strings.h"

namespace crategate::docker {

std::optional<std::string> CacheImport::add(std::string_view line) {
  constexpr std::string_view kError = "ERROR: ";
  line = trim(line);
  const auto space = line.find(' ');
  if (failed_ || !line.starts_with('#') || space == std::string_view::npos) return std::nullopt;
  const std::string_view step = line.substr(0, space);
  const std::string_view text = line.substr(space + 1);
  if (text.starts_with("importing cache manifest from ")) step_ = step;
  if (step != step_ || !text.starts_with(kError)) return std::nullopt;
  failed_ = true;
  return neutralise(text.substr(kError.size()));
}

}  // namespace crategate::docker
