// The project's git repository, read with the git program.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "sys/process.h"

namespace crategate::git {

/// Changed paths (old and new of a rename; deletions, modes and submodules count), relative to the project's directory
/// where they are in it, else to the top of the repository; or why they cannot be computed and what mends it.
struct Changes {
  std::optional<std::vector<std::string>> paths;
  std::string why_not;
};

class Repository {
 public:
  virtual ~Repository() = default;
  /// nullopt: not a git repository, or one without a commit.
  virtual Result<std::optional<std::string>> head() = 0;
  /// Branch or tag ref that HEAD is on (`refs/heads/main`); empty when detached.
  virtual Result<std::string> head_ref() = 0;
  virtual Result<bool> is_shallow() = 0;
  /// `from`..`to`, two dots, or with `merge_base` three dots. A shallow clone, a first commit or no merge base is an
  /// answer (`why_not`), not an error.
  virtual Result<Changes> changes(const std::string& from, const std::string& to, bool merge_base) = 0;
  /// Of the project's directory in the repository, with a slash at the end; empty at the top, and where there is none.
  virtual Result<std::string> prefix() = 0;
  /// Those of `paths` that are files of a commit, named as `changes` names them; without `paths` all its files. nullopt:
  /// the commit is not in this clone. A folder is none; a submodule is one.
  virtual Result<std::optional<std::vector<std::string>>> files_at(const std::string& commit,
                                                                   const std::vector<std::string>& paths) = 0;
  /// nullopt: cannot be told (shallow clone, unknown ref).
  virtual Result<std::optional<bool>> is_ancestor(const std::string& commit, const std::string& of) = 0;
  /// HEAD and the commit of a tag (empty: HEAD alone); each nullopt = unknown. Not a git repository: both.
  struct Position {
    std::optional<std::string> head, tag;
  };
  virtual Result<Position> position(const std::string& tag) = 0;
  /// Those of `paths` (as `files_at` takes them) whose files here, committed or not, differ from the merge base of HEAD and
  /// `with`; a new file counts also before git knows it. nullopt: cannot be told (shallow clone, unknown ref).
  virtual Result<std::optional<std::vector<std::string>>> changed_since(const std::string& with,
                                                                        const std::vector<std::string>& paths) = 0;
  /// Whether tracked files differ from HEAD.
  virtual Result<bool> is_modified() = 0;
  /// Full commit of a revision; nullopt = unknown.
  virtual Result<std::optional<std::string>> resolve(const std::string& revision) = 0;
  /// Commit time in seconds since the epoch (SOURCE_DATE_EPOCH), as text.
  virtual Result<std::string> commit_time(const std::string& commit) = 0;
  /// Tag at HEAD for `version: {git-tag: true}`; nullopt = none. More than one is an error that lists them.
  virtual Result<std::optional<std::string>> tag_at_head() = 0;
  virtual Result<std::string> remote_url() = 0;  ///< `origin`, credentials removed; empty = none
  /// Tracked files, and untracked ones that are not ignored, relative to the directory. nullopt: not a git repository.
  virtual Result<std::optional<std::vector<std::string>>> source_files() = 0;
};

/// Runs git with hooks, fsmonitor and external protocols off and `safe.directory` for the checkout alone (A91).
class GitProgram final : public Repository {
 public:
  /// `prefix`: where the project's directory is in the repository, if `directory` does not tell.
  GitProgram(sys::ProcessRunner& processes, const sys::Environment& environment, sys::Path directory,
             std::optional<std::string> prefix = std::nullopt);
  Result<std::optional<std::string>> head() override;
  Result<std::string> head_ref() override;
  Result<bool> is_shallow() override;
  Result<Changes> changes(const std::string& from, const std::string& to, bool merge_base) override;
  Result<std::optional<std::vector<std::string>>> files_at(const std::string& commit,
                                                           const std::vector<std::string>& paths) override;
  Result<std::string> prefix() override;
  Result<std::optional<bool>> is_ancestor(const std::string& commit, const std::string& of) override;
  Result<Position> position(const std::string& tag) override;
  Result<std::optional<std::vector<std::string>>> changed_since(const std::string& with,
                                                                const std::vector<std::string>& paths) override;
  Result<bool> is_modified() override;
  Result<std::optional<std::string>> resolve(const std::string& revision) override;
  Result<std::string> commit_time(const std::string& commit) override;
  Result<std::optional<std::string>> tag_at_head() override;
  Result<std::string> remote_url() override;
  Result<std::optional<std::vector<std::string>>> source_files() override;

 private:
  Result<sys::ProcessOutcome> git(std::vector<std::string> arguments,
                                  const std::map<std::string, std::string>& variables = {});
  Result<std::map<std::string, std::string>> without_filters();
  Result<sys::ProcessOutcome> diff_tree(const std::string& older, const std::string& newer);
  sys::ProcessRunner& processes_;
  std::map<std::string, std::string> environment_;
  sys::Path directory_;
  std::optional<std::string> prefix_;
  std::vector<std::string> options_;
};

}  // namespace crategate::git
