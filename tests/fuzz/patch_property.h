// What holds for any bytes as a patch (A35), on a small tree in a repository of its own. The seeds in seeds/patch fit to it.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/strings.h"
#include "fuzz/plain.h"
#include "git/tree_store.h"
#include "pipeline/regen_policy.h"
#include "sys/file_system.h"

namespace crategate::fuzz {

class PatchProperty {
 public:
  PatchProperty() : directory_(sys::TemporaryDirectory::create().value()) {
    sys::PosixFileSystem files;
    for (const auto& [file, text] :
         {std::pair{"objects/kept", ""}, std::pair{"refs/kept", ""}, std::pair{"HEAD", "ref: refs/heads/main\n"},
          std::pair{"config", "[core]\n\tbare = true\n"}})
      hold(files.write_below(directory_.path(), file, text, sys::Durability::process).has_value());
    store_ = git::open_tree_store(directory_.path()).value();
    std::string lines, bytes;
    for (int i = 0; i < 40; ++i) lines += concat("line ", i, "\n");
    for (int i = 0; i < 300; ++i) bytes += static_cast<char>(i * 37 % 256);
    const auto edit = [this](const std::string& path, std::string_view content, EntryMode mode = EntryMode::file) {
      return git::TreeEdit{path, store_->write_blob(content).value(), mode};
    };
    tree_ =
        store_
            ->edit(std::string(kEmptyTree), {edit("a.txt", lines), edit("bin", bytes), edit("dir/b", "b\n"),
                                             edit("empty", ""), edit("exec.sh", "#!/bin/sh\n", EntryMode::executable),
                                             edit("link", "dir", EntryMode::symlink), edit("noeol", "one\ntwo")})
            .value();
  }

  const std::string& tree() const { return tree_; }

  /// Aborts where something does not hold; false: refused.
  bool accepts(std::string_view patch) {
    const auto applied = store_->apply(tree_, patch);
    if (!applied) {
      const Error& error = applied.error();
      hold(error.code == ErrorCode::bad_input && !error.message.empty() && is_plain(error.message));
      return false;
    }
    const auto changes = store_->changes(tree_, *applied).value();
    hold(!changes.empty() && *applied != tree_);
    std::vector<std::string> paths;
    const auto entries = store_->entries(*applied, kMost).value();
    for (const auto& entry : entries) paths.push_back(entry.path);
    for (const auto& finding : pipeline::judge_regen(changes, paths, {}, {.configuration = "crategate.yml"}))
      hold(!finding.text.empty() && neutralise(finding.text) == finding.text);
    // What becomes of another kind goes and comes in a patch of ours, which names it twice.
    const auto of_one_kind = [](const TreeChange& change) {
      return !change.before || !change.after ||
             (*change.before == EntryMode::symlink) == (*change.after == EntryMode::symlink);
    };
    if (std::ranges::all_of(changes, of_one_kind))
      hold(store_->apply(tree_, store_->patch(tree_, *applied).value()) == *applied);
    return true;
  }

 private:
  static constexpr std::string_view kEmptyTree = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
  static constexpr std::size_t kMost = 100'000;
  static void hold(bool fact) {
    if (!fact) std::abort();
  }

  sys::TemporaryDirectory directory_;
  std::unique_ptr<git::TreeStore> store_;
  std::string tree_;
};

}  // namespace crategate::fuzz
