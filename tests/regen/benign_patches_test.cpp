// Patches that should be applied: ours and git's own make exactly the tree that `git apply --cached` makes.
#include <gmock/gmock.h>

#include "base/strings.h"
#include "regen/patch_scene.h"

namespace crategate::test {
namespace {

/// What becomes of the scene's files; nullopt removes one.
struct Row {
  std::string name;
  std::map<std::string, std::optional<RepositoryFile>> edits;
  bool by_git = true;  ///< git writes it as libgit2 reads it: without blanks in names
};

std::vector<Row> rows() {
  const std::string text = numbered_lines(0, 40), bytes = binary_content();
  std::string middle = with(text, "line 20\n", "changed\n"), far = with(middle, "line 2\n", "");
  std::string one_byte = bytes;
  one_byte[500] = static_cast<char>(one_byte[500] + 1);
  std::map<std::string, std::optional<RepositoryFile>> many;
  for (int i = 0; i < 900; ++i) many[concat("gen/", i % 30, "/", i)] = RepositoryFile{concat(i, "\n")};
  return {{"a line", {{"a.txt", {{middle}}}}},
          {"two hunks", {{"a.txt", {{far}}}}},
          {"first line", {{"a.txt", {{"new\n" + text}}}}},
          {"last line", {{"a.txt", {{text + "new\n"}}}}},
          {"first line goes", {{"a.txt", {{numbered_lines(1, 40)}}}}},
          {"all but one go", {{"a.txt", {{"line 20\n"}}}}},
          {"all lines are others", {{"a.txt", {{numbered_lines(100, 150)}}}}},
          {"becomes empty", {{"a.txt", {{""}}}}},
          {"is empty no more", {{"empty", {{text}}}}},
          {"no newline stays", {{"noeol", {{"1\ntwo"}}}}},
          {"no newline goes", {{"noeol", {{"one\ntwo\n"}}}}},
          {"no newline comes", {{"a.txt", {{text + "end"}}}}},
          {"carriage returns", {{"crlf.txt", {{"one\r\n2\r\nthree\r\n"}}}}},
          {"carriage returns go", {{"crlf.txt", {{"one\ntwo\nthree\n"}}}}},
          {"a new file", {{"gen/n.txt", {{text}}}}},
          {"a new empty file", {{"gen/n.txt", {{""}}}}},
          {"a new executable", {{"gen/n.sh", RepositoryFile{"#!/bin/sh\n", "100755"}}}},
          {"an executable changes", {{"exec.sh", RepositoryFile{"#!/bin/bash\n", "100755"}}}},
          {"a file goes", {{"x", std::nullopt}}},
          {"an empty file goes", {{"empty", std::nullopt}}},
          {"an empty file goes among others", {{"a.txt", {{middle}}}, {"empty", std::nullopt}, {"x", std::nullopt}}},
          {"an empty file comes among others", {{"a.txt", {{middle}}}, {"b", {{""}}}, {"x", std::nullopt}}},
          {"an empty file goes after another", {{"a.txt", std::nullopt}, {"empty", std::nullopt}, {"z", {{""}}}}},
          {"a folder goes", {{"dir/b.txt", std::nullopt}}},
          {"an executable goes", {{"exec.sh", std::nullopt}}},
          {"moved", {{"x", std::nullopt}, {"gen/x", {{"x\n"}}}}},
          {"copied", {{"gen/a.txt", {{text}}}}},
          {"a file becomes a folder", {{"x", std::nullopt}, {"x/y", {{"y\n"}}}}},
          {"a folder becomes a file", {{"dir/b.txt", std::nullopt}, {"dir", {{"d\n"}}}}},
          {"a byte of a binary", {{"bin", {{one_byte}}}}},
          {"a binary grows", {{"bin", {{bytes + bytes}}}}},
          {"a binary shrinks", {{"bin", {{bytes.substr(0, 300)}}}}},
          {"a binary goes", {{"bin", std::nullopt}}},
          {"a new binary", {{"gen/n.bin", {{bytes}}}}},
          {"a binary becomes text", {{"bin", {{text}}}}},
          {"a binary becomes empty", {{"bin", {{""}}}}},
          {"a text becomes binary", {{"a.txt", {{bytes}}}}},
          {"a megabyte of zeros", {{"gen/zeros", {{std::string(1u << 20, '\0')}}}}},
          {"accents", {{"gen/caf\xC3\xA9.txt", {{"\xC3\xA9\n"}}}}},
          {"a new name with blanks", {{"gen/a b.txt", {{"x\n"}}}}, false},
          {"a new empty file with blanks", {{"gen/a b", {{""}}}}, false},
          {"a new binary with blanks", {{"gen/a b", {{bytes}}}}, false},
          {"a name with quotes", {{"gen/\"a\"'b'", {{"x\n"}}}}},
          {"names like prefixes", {{"a/b/a/b", {{"x\n"}}}, {"b/a", {{"y\n"}}}}},
          {"text like a patch", {{"gen/n.patch", {{with(new_file("y"), "+x", "+x\n-- \n")}}}}},
          {"text like a hunk", {{"a.txt", {{"@@ -1 +1 @@\n--- a\n+++ b\n" + text}}}}},
          {"Latin-1", {{"gen/latin.txt", {{"caf\xE9\n"}}}}},
          {"a long line", {{"gen/min.js", {{std::string(1u << 20, 'j')}}}}},
          {"everything at once",
           {{"a.txt", {{middle}}}, {"x", std::nullopt}, {"gen/n", {{"n"}}}, {"bin", {{one_byte}}}, {"empty", {{"1"}}}}},
          {"900 files", many}};
}

TEST(BenignPatches, MakeTheTreeThatGitMakes) {
  const PatchScene scene;
  for (const Row& row : rows()) {
    SCOPED_TRACE(row.name);
    RepositoryFiles files = scene.files;
    for (const auto& [path, file] : row.edits) {
      if (file) {
        files[path] = *file;
      } else {
        files.erase(path);
      }
    }
    const std::string after = scene.repository.tree(files);
    std::vector<std::string> patches = {scene.store->patch(scene.tree, after).value()};
    if (row.by_git) {
      const std::vector<std::string> diff = {"diff", "--binary", "--full-index", "--no-renames", scene.tree, after};
      patches.push_back(scene.repository.try_git(diff).out);
    }
    for (const std::string& patch : patches) {
      const auto applied = scene.store->apply(scene.tree, patch);
      ASSERT_TRUE(applied) << describe(applied.error()) << "\n" << patch.substr(0, 2000);
      EXPECT_EQ(*applied, after);
      EXPECT_EQ(scene.repository.applied_by_git(scene.tree, patch), after) << patch.substr(0, 2000);
      EXPECT_EQ(scene.outcome(patch), "accepted");
    }
  }
}

}  // namespace
}  // namespace crategate::test
