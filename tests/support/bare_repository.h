// A real bare repository, and git as the judge of what was done in it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "support/test_directory.h"
#include "sys/process.h"

namespace crategate::test {

struct RepositoryFile {
  std::string content;
  std::string mode = "100644";
};
using RepositoryFiles = std::map<std::string, RepositoryFile>;  ///< by path

/// No configuration of a person or of the machine, no hooks; its home is empty.
class BareRepository {
 public:
  BareRepository();
  sys::Path path() const { return directory_ / "repository.git"; }
  const TestDirectory& directory() const { return directory_; }
  /// What git says; fails the test when git fails.
  std::string git(std::vector<std::string> arguments, std::string input = {}) const;
  sys::ProcessOutcome try_git(std::vector<std::string> arguments, std::string input = {}) const;
  /// A commit without parents, by git alone, and its tree.
  std::string commit(const RepositoryFiles& files) const;
  std::string tree(const RepositoryFiles& files) const { return git({"rev-parse", commit(files) + "^{tree}"}); }
  /// What `git apply --cached` makes of `tree`; nullopt when it refuses.
  std::optional<std::string> applied_by_git(const std::string& tree, const std::string& patch) const;

 private:
  TestDirectory directory_;
};

}  // namespace crategate::test
