// What a member of an archive may be called, and which names can stand beside each other.
// Belongs here: names alone.  Not here: what a member is (directory), where it is written (extract).
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace crategate::zip {

/// What is wrong with `name`; nullopt for a relative path of plain components, '/' between them and, for a directory,
/// behind them. Wrong: absolute, drive letter, backslash, control character, no UTF-8, a component that is empty, `.` or
/// `..` or has more than 255 bytes, more than 4096 bytes or `depth` components in all.
std::optional<std::string> fault_of_name(std::string_view name, std::size_t depth);

/// The tree that the names seen so far make. Its memory and time grow with the length of the names, whatever they are.
class NameTree {
 public:
  /// Errors: bad_input for a name seen before, one that differs from another (or from another's directory) by case only,
  /// and a file that is also a directory.
  Result<void> add(std::string_view name);

 private:
  enum class Kind : unsigned char { file, implied_directory, directory };
  struct Node {
    std::size_t number;
    std::string spelling;
    Kind kind;
  };
  /// The component of `name` from `begin` to `end` in the node `parent`; answers its own number.
  Result<std::size_t> add_component(std::size_t parent, std::string_view name, std::size_t begin, std::size_t end,
                                    Kind kind);

  std::map<std::pair<std::size_t, std::string>, Node> nodes_;  ///< by parent and folded component
  std::string parent_;                                         ///< of the last name, and its node
  std::size_t parent_number_ = 0;
};

}  // namespace crategate::zip
