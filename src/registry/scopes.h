// What a token is for: actions on repositories
// (https://distribution.github.io/distribution/spec/auth/scope/).
// Belongs here: scopes as a set.  Not here: asking for them (authorizer).
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

namespace crategate::registry {

class Scopes {
 public:
  Scopes() = default;
  /// Each "repository:a/b:pull,push"; those of one repository become one.
  explicit Scopes(const std::vector<std::string>& texts);
  /// Whether a token for these may do everything that `wanted` names.
  bool cover(const Scopes& wanted) const;
  /// Sorted, one for each repository.
  std::vector<std::string> texts() const;
  std::string text() const;  ///< joined by spaces

 private:
  std::map<std::string, std::set<std::string>> actions_;  ///< by "repository:a/b"
};

}  // namespace crategate::registry
