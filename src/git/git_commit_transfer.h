// CommitTransfer with the git program, through a repository of our own.
#pragma once

#include <functional>
#include <utility>

#include "git/commit_transfer.h"
#include "git/private_repository.h"

namespace crategate::git {

/// The token of whoever pushes, made when there is something to push.
using PushLogin = std::function<Result<Secret>()>;

class GitCommitTransfer final : public CommitTransfer {
 public:
  /// Without `login` whoever reads pushes, too.
  explicit GitCommitTransfer(PrivateRepository repository, PushLogin login = {})
      : repository_(std::move(repository)), login_(std::move(login)) {}
  Result<void> fetch(const std::string& commit, const std::string& hint_ref) override;
  Result<bool> push(const std::string& commit, const std::string& branch, const std::string& expected) override;
  sys::Path repository() const override { return repository_.path(); }
  std::string place() const override { return repository_.place(); }

 private:
  PrivateRepository repository_;
  PushLogin login_;
};

}  // namespace crategate::git
