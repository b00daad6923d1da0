// CommitTransfer with the git program, through a repository of our own.
#pragma once

#include "git/commit_transfer.h"
#include "git/private_repository.h"

namespace crategate::git {

class GitCommitTransfer final : public CommitTransfer {
 public:
  explicit GitCommitTransfer(PrivateRepository repository) : repository_(std::move(repository)) {}
  Result<void> fetch(const std::string& commit, const std::string& hint_ref) override;
  Result<bool> push(const std::string& commit, const std::string& branch, const std::string& expected) override;
  sys::Path repository() const override { return repository_.path(); }
  std::string place() const override { return repository_.place(); }

 private:
  PrivateRepository repository_;
};

}  // namespace crategate::git
