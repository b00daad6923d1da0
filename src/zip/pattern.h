// One line of a list of paths: a file, a folder with all that is in it, a glob, or with `!` what is left out.
// Belongs here: what a pattern matches.  Not here: looking for files (selection).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sys/file_system.h"

namespace crategate::zip {

using Components = std::span<const std::string>;

/// `*` and `?` and `[a-z]`, `[!a-z]` within a component, `**` as a whole component, `\` before what is meant literally.
/// What a pattern matches brings its descendants along, as @actions/glob does it.
class Pattern {
 public:
  /// A relative pattern begins at `directory`, which is absolute and literal.
  /// Errors: bad_input for `.` and `..` behind the beginning, and `~`.
  static Result<Pattern> parse(std::string_view text, const sys::Path& directory);

  bool excludes() const { return excludes_; }
  /// The components before the first wildcard: where to look.
  std::vector<std::string> search_path() const;

  struct Match {
    bool whole = false;       ///< the path, or a directory on the way to it
    bool on_the_way = false;  ///< something below it could
  };
  /// `path` has at least one component. Of a pattern that ends in '/' only what is below it matches.
  Match match(Components path) const;

 private:
  struct Component {
    std::string text;
    bool wild = false, any_depth = false;
  };
  std::vector<bool> step(const std::vector<bool>& states, const std::string& component) const;
  void skip_empty(std::vector<bool>& states) const;

  std::vector<Component> components_;
  bool excludes_ = false, below_only_ = false;
};

/// The components of an absolute path.
std::vector<std::string> components_of(std::string_view path);

}  // namespace crategate::zip
