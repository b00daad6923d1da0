// A repository with a small tree, what becomes of a patch there, and patches that no program writes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "config/configuration.h"
#include "git/tree_store.h"
#include "support/bare_repository.h"

namespace crategate::test {

/// Of "x\n", and of no file.
inline constexpr std::string_view kOidOfX = "587be6b4c3f93f93c489c0111bba5596147a26cb";
inline constexpr std::string_view kNoOid = "0000000000000000000000000000000000000000";

class PatchScene {
 public:
  PatchScene();
  /// "accepted"; else the ids of the policy, or the error's message.
  std::string outcome(const std::string& patch) const;
  /// What `edit` of the tree's files would be as our patch.
  std::string patch_to(const RepositoryFiles& files) const;
  /// The same with one file changed, or new.
  std::string change(const std::string& path, const RepositoryFile& file) const;
  std::string oid_of(std::string_view content) const { return store->write_blob(content).value(); }
  /// A change of `bin` to `after`, by what stands for both sides.
  std::string binary_change(std::string_view after, std::string_view sides) const;

  BareRepository repository;
  std::unique_ptr<git::TreeStore> store;
  RepositoryFiles files;
  std::string tree;
  config::Regen regen;
};

std::string numbered_lines(int from, int to);
/// All 256 bytes, no zeros in a row.
std::string binary_content();

/// A new file "x\n"; `name` is written as it is, behind its prefix or between quotes.
std::string new_file(std::string_view name, std::string_view mode = "100644");
std::string quoted_new_file(std::string_view name);
/// `text` with the first `from` replaced; fails the test when there is none.
std::string with(std::string text, std::string_view from, std::string_view to);

std::string deflated(std::string_view content);
/// The lines of `packed` in base 85 and the empty one behind them.
std::string base85_lines(std::string_view packed);
/// `literal SIZE` or `delta SIZE` and the lines of the content.
std::string binary_side(std::string_view type, std::string_view content);
/// A size in front of a delta.
std::string delta_size(std::uint64_t size);

}  // namespace crategate::test
