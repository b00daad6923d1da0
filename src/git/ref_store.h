// A small tree of text files behind one ref, changed by compare and swap.
// Belongs here: the role, and a git server in it.  Not here: what the files say (stages/git_journal).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "base/result.h"
#include "git/private_repository.h"

namespace crategate::git {

struct RefState {
  std::string oid;                           ///< of the commit
  std::map<std::string, std::string> files;  ///< name → text
};

class RefStore {
 public:
  virtual ~RefStore() = default;
  /// nullopt: there is no such ref.
  /// Errors: unauthenticated, forbidden, not_found (the repository), unavailable; bad_input for what is no such tree.
  virtual Result<std::optional<RefState>> read(const std::string& ref) = 0;
  /// The ref names these files, if it still was `expected` (nullopt: absent), and the new value is returned; nullopt
  /// when it was another. Of two that expect the same, one wins. After `unavailable` the ref may or may not have moved.
  /// Errors: those of read; forbidden when the server refused.
  virtual Result<std::optional<std::string>> compare_and_swap(const std::string& ref,
                                                              const std::optional<std::string>& expected,
                                                              const std::map<std::string, std::string>& files,
                                                              const std::string& message) = 0;
  /// The remote, for people.
  virtual std::string place() const = 0;
};

/// Through a temporary bare repository: the checkout's files, index, refs and objects are never touched, and its hooks
/// and helpers never run. Every swap is a commit on top of the one before. Not thread-safe.
class GitRefStore final : public RefStore {
 public:
  /// See find_remote_access for `remote` and `token`.
  GitRefStore(sys::ProcessRunner& processes, const sys::Environment& environment, sys::Path checkout,
              std::string remote, Secret token)
      : repository_(processes, environment, std::move(checkout), std::move(remote), std::move(token), Holds::texts) {}
  Result<std::optional<RefState>> read(const std::string& ref) override;
  Result<std::optional<std::string>> compare_and_swap(const std::string& ref,
                                                      const std::optional<std::string>& expected,
                                                      const std::map<std::string, std::string>& files,
                                                      const std::string& message) override;
  std::string place() const override { return repository_.place(); }

 private:
  Result<std::map<std::string, std::string>> files_of(const std::string& oid);
  Result<std::string> commit(const std::optional<std::string>& parent, const std::map<std::string, std::string>& files,
                             const std::string& message);

  PrivateRepository repository_;
};

}  // namespace crategate::git
