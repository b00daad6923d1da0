// One commit from a remote into a private repository, and one back.
// Belongs here: fetch by commit, push with a lease.  Not here: what the commits hold (tree_store).
#pragma once

#include <string>

#include "base/result.h"
#include "sys/file_system.h"

namespace crategate::git {

class CommitTransfer {
 public:
  virtual ~CommitTransfer() = default;
  /// The commit alone, without its history, into the private repository; `hint_ref` (`refs/pull/7/head`) is asked where the
  /// server does not hand out a commit by its name.
  /// Errors: not_found (no such commit there), unauthenticated, forbidden, unavailable.
  virtual Result<void> fetch(const std::string& commit, const std::string& hint_ref) = 0;
  /// `branch` (`refs/heads/x`) names `commit`, if it still was `expected` and the new one is on top of that; false = it
  /// was another. After `unavailable` it may or may not have moved.
  /// Errors: forbidden when the server refused.
  virtual Result<bool> push(const std::string& commit, const std::string& branch, const std::string& expected) = 0;
  /// The private bare repository; it is there after the first fetch.
  virtual sys::Path repository() const = 0;
  /// The remote, for people.
  virtual std::string place() const = 0;
};

}  // namespace crategate::git
