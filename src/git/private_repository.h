// A bare repository of our own, with one remote: the checkout's files, index, refs and objects are never touched, and its
// hooks and helpers never run.
// Belongs here: starting git there, one ref of the remote read and swapped.  Not here: what commits hold (ref_store,
// tree_store).
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "git/remote_access.h"
#include "sys/private_directory.h"
#include "sys/process.h"

namespace crategate::git {

/// For all that is done after a cancellation, and for each command before.
inline constexpr std::chrono::milliseconds kPuttingAway{3000};
inline constexpr std::chrono::milliseconds kTimeLimit{60'000};

enum class Holds : unsigned char {
  texts,    ///< a few; kept in memory where the machine has that
  commits,  ///< with all their files
  history   ///< commits and folders that are only compared
};

/// Made with the first command; what a killed process leaves of it, the next one removes. Not thread-safe.
class PrivateRepository {
 public:
  /// See find_remote_access for `remote` and `token`.
  PrivateRepository(sys::ProcessRunner& processes, const sys::Environment& environment, sys::Path checkout,
                    std::string remote, Secret token, Holds holds);
  /// Any exit code is an answer. Errors: unavailable after the time limit; those of find_remote_access.
  Result<sys::ProcessOutcome> git(std::vector<std::string> arguments, std::string input = {},
                                  std::chrono::milliseconds limit = kTimeLimit);
  /// The one line of output of a command that must succeed.
  Result<std::string> line(std::vector<std::string> arguments, std::string input = {});
  /// Whether the commit is here.
  Result<bool> has(const std::string& oid);
  /// What the remote's ref names; nullopt: there is no such ref.
  Result<std::optional<std::string>> look(const std::string& ref);
  /// The newest commit of the remote's ref without its history; nullopt: there is no such ref.
  Result<std::optional<std::string>> fetch(const std::string& ref);
  struct CommitQuery {
    std::string commit;                                ///< a whole id
    std::string hint_ref = {};                         ///< asked for where the server hands out no commit by its id
    std::vector<std::string> options = {"--depth=1"};  ///< of `git fetch`
    std::vector<std::string> also = {};                ///< more refspecs
  };
  /// Whether the commit is here then. All its files take a while: 10 minutes are allowed.
  Result<bool> fetch_commit(const CommitQuery& query);
  /// The remote's ref names `next`, if it still was `expected` (nullopt: absent); false = it was another.
  Result<bool> swap(const std::string& ref, const std::optional<std::string>& expected, const std::string& next);
  /// What git said when it did not do `doing`.
  Error remote_error(std::string_view doing, std::string_view said) const;
  /// From the next command on the remote is asked with this token.
  void ask_as(Secret token);
  /// Empty before the first command.
  sys::Path path() const { return directory_ ? directory_->path() : sys::Path(); }
  /// The remote, for people.
  std::string place() const { return access_ ? access_->address.shown : remote_; }

 private:
  Result<void> prepare();
  Result<sys::PrivateDirectory> make_directory() const;
  sys::ProcessRunner& processes_;
  const sys::Environment& environment_;
  sys::Path checkout_;
  std::string remote_;
  Secret token_;
  Holds holds_;
  std::chrono::milliseconds left_to_put_away_ = kPuttingAway;
  std::optional<RemoteAccess> access_;
  std::optional<sys::PrivateDirectory> directory_;
};

}  // namespace crategate::git
