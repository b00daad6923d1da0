// What two trees of files do not share: found by git, judged by pipeline/regen_policy.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace crategate {

enum class EntryMode : unsigned char { file, executable, symlink, submodule };

/// One path that two trees do not share alike. A rename is one that goes and one that comes.
struct TreeChange {
  std::string path;
  std::optional<EntryMode> before, after;  ///< nullopt = absent
  std::uint64_t size = 0;                  ///< bytes of the new content
  bool operator==(const TreeChange&) const = default;
};

}  // namespace crategate
