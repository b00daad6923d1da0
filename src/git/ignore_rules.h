// The `.gitignore` files of a tree (https://git-scm.com/docs/gitignore#_pattern_format).
// Belongs here: text → which paths are ignored.  Not here: reading the files; what is tracked, which rules never touch.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace crategate::git {

class IgnoreRules {
 public:
  /// The text of the `.gitignore` in `folder` (empty = the top; no slash at the end).
  void add(const std::string& folder, std::string_view text);
  /// Whether a path, or a folder that it is in, is ignored. A pattern with a named class (`[[:alpha:]]`) ignores nothing.
  /// The time is bounded by the lengths of patterns and path, whoever wrote them.
  bool is_ignored(std::string_view path, bool is_directory) const;

 private:
  struct Rule {
    std::vector<std::string> segments;  ///< of the pattern, from the folder of its file
    bool takes_back = false, directories_only = false;
  };
  static bool read_rule(std::string line, Rule& rule);
  bool is_named(std::string_view path, bool is_directory) const;
  std::map<std::string, std::vector<Rule>, std::less<>> rules_;  ///< by folder
};

}  // namespace crategate::git
