// Which directories may be emptied to free disk space, and which never are.
// Belongs here: the decision.  Not here: removing (sys/empty_directory), where it happens (stages/cleanup).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/configuration.h"

namespace crategate::pipeline {

/// apt's directories unless they are not wanted, then `cleanup.paths`; each once.
std::vector<std::string> cleanup_directories(const config::Cleanup& cleanup);

/// Something that must stay whole: neither it, nor what holds it, nor anything in it is emptied.
struct Protected {
  std::string path, what;
  bool content_too = true;  ///< false: only it and what holds it; directories in it may be emptied
};

/// The engine's and BuildKit's usual places.
const std::vector<Protected>& engine_directories();

/// Errors: bad_input naming the path and what it is: a root of the system, a home, or something protected.
Result<void> check_cleanup_path(std::string_view path, const std::vector<Protected>& others);

/// True for the names in the state directory of an engine, of containerd or of BuildKit, wherever it was put.
bool is_engine_state(const std::vector<std::string>& names);

}  // namespace crategate::pipeline
