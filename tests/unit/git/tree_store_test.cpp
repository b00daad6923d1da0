// Trees and patches in real bare repositories, with git as the judge of every one.
#include "git/tree_store.h"

#include <gmock/gmock.h>

#include <chrono>

#include "base/strings.h"
#include "support/bare_repository.h"

namespace crategate::git {
namespace {

using test::RepositoryFile;
using test::RepositoryFiles;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::size_t kMost = 100'000;

struct TreeStoreTest : ::testing::Test {
  test::BareRepository repository;
  std::unique_ptr<TreeStore> store = open_tree_store(repository.path()).value();
};

std::string lines(int from, int to, const std::string& end = "\n") {
  std::string text;
  for (int i = from; i < to; ++i) text += concat("line ", i, end);
  return text;
}

std::string all_bytes() {
  std::string bytes;
  for (int i = 0; i < 4096; ++i) bytes += static_cast<char>(i * 7 % 256);
  return bytes;
}

struct Row {
  std::string name;
  RepositoryFiles before, after;
};
void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

std::vector<Row> rows() {
  const std::string text = lines(0, 40);
  std::string middle = text;
  middle.replace(middle.find("line 20"), 7, "another");
  RepositoryFiles many, many_after;
  for (int i = 0; i < 5000; ++i) {
    const std::string path = concat("d", i % 70, "/f", i);
    many[path] = {concat("content ", i, "\n")};
    if (i % 3 != 0) many_after[path] = {concat("content ", i % 2 == 0 ? i : -i, "\n")};
    many_after[concat("new/", i)] = {concat(i, "\n")};
  }
  const RepositoryFile odd{"odd\n"}, empty{""}, nul{std::string("a\0b", 3)}, nul_too{std::string("a\0c", 3)};
  std::string late = lines(0, 3000), later = late;
  late[late.size() - 9] = '\0';
  later[0] = 'L';
  std::vector<Row> all = {
      {"text", {{"a", {text}}}, {{"a", {middle}}}},
      {"two hunks", {{"a", {text}}}, {{"a", {"first\n" + middle + "last\n"}}}},
      {"shorter", {{"a", {text}}}, {{"a", {lines(0, 3) + lines(9, 40)}}}},
      {"no newline comes", {{"a", {text}}}, {{"a", {text + "end"}}}},
      {"no newline goes", {{"a", {text + "end"}}}, {{"a", {text + "end\n"}}}},
      {"no newline stays", {{"a", {text + "end"}}}, {{"a", {"new\n" + text + "other"}}}},
      {"no newline in the context", {{"a", {text + "end"}}}, {{"a", {lines(0, 39) + "new 39\nend"}}}},
      {"carriage returns", {{"a", {lines(0, 40, "\r\n")}}}, {{"a", {lines(0, 20, "\r\n") + lines(20, 41, "\n")}}}},
      {"lone carriage returns", {{"a", {"a\rb\n"}}}, {{"a", {"a\rc\r"}}}},
      {"empty becomes text", {{"a", empty}}, {{"a", {text}}}},
      {"text becomes empty", {{"a", {text}}}, {{"a", empty}}},
      {"new empty file", {{"a", odd}}, {{"a", odd}, {"b c", empty}}},
      {"deleted empty file", {{"a", odd}, {"b c", empty}}, {{"a", odd}}},
      {"new file", {{"a", odd}}, {{"a", odd}, {"d/e/f", {text}}}},
      {"deleted file", {{"a", odd}, {"d/e/f", {text}}}, {{"a", odd}}},
      {"everything deleted", {{"a", odd}, {"d/e/f", {text}}}, {}},
      {"from nothing", {}, {{"a", odd}, {"d/e/f", {text}}}},
      {"executable", {{"a", odd}}, {{"a", {"odd\n", "100755"}}}},
      {"executable, with a blank", {{"a b", odd}}, {{"a b", {"odd\n", "100755"}}}},
      {"executable and changed", {{"a", {"odd\n", "100755"}}}, {{"a", {"even\n"}}}},
      {"new executable", {}, {{"a", {"#!/bin/sh\n", "100755"}}}},
      {"new link", {{"a", odd}}, {{"a", odd}, {"l", {"a", "120000"}}}},
      {"other link", {{"l", {"a", "120000"}}}, {{"l", {"b/c", "120000"}}}},
      {"link goes", {{"a", odd}, {"l", {"a", "120000"}}}, {{"a", odd}}},
      {"binary comes", {{"a", odd}}, {{"a", odd}, {"bin", {all_bytes()}}}},
      {"binary changes", {{"bin", {all_bytes()}}}, {{"bin", {all_bytes() + "more"}}}},
      {"binary goes", {{"a", odd}, {"b n", {all_bytes()}}}, {{"a", odd}}},
      {"binary becomes empty", {{"b n", nul}}, {{"b n", empty}}},
      {"binary becomes text", {{"b n", nul}}, {{"b n", {text}}}},
      {"short binary", {{"b", nul}}, {{"b", nul_too}}},
      {"a NUL where nobody looks", {{"a", {late}}}, {{"a", {later}}}},
      {"no UTF-8 in a name", {{"caf\xE9", odd}}, {{"caf\xE9", {"even\n"}}, {"\xFF\xFE/x", odd}}},
      {"no UTF-8 in the text", {{"a", {"caf\xE9\n"}}}, {{"a", {"caf\xE9\xE9\n\xFF\n"}}}},
      {"blanks in names", {{"a b/c d", odd}}, {{"a b/c d", {"even\n"}}, {" x ", odd}, {"y /z", empty}}},
      {"quotes and tabs in names",
       {{"q\"uote", odd}, {"t\tab", odd}},
       {{"q\"uote", {"1\n"}}, {"t\tab", {"2\n"}}, {"back\\slash", odd}, {"n\nl", odd}, {"\x7f\x01", odd}}},
      {"names that look like prefixes", {{"a/a/b", odd}, {"b/b", odd}}, {{"a/a/b", {"1\n"}}, {"b/b", {"2\n"}}}},
      {"a file becomes a folder", {{"a", odd}}, {{"a/b", odd}}},
      {"a folder becomes a file", {{"a/b", odd}, {"a/c", odd}}, {{"a", odd}}},
      {"text like a patch", {{"a", odd}}, {{"a", {"diff --git a/x b/x\n@@ -1 +1 @@\n-- \n\\ No newline\n"}}}},
      {"blank lines", {{"a", {"\n\n\n\n"}}}, {{"a", {"\n\n \n\n\n"}}}},
      {"one long line", {{"a", {std::string(300'000, 'x')}}}, {{"a", {std::string(300'001, 'x')}}}},
      {"5,000 files", many, many_after}};
  return all;
}

class RoundTrip : public TreeStoreTest, public ::testing::WithParamInterface<Row> {};

TEST_P(RoundTrip, APatchOfTwoTreesMakesOneOfTheOther) {
  const std::string before = repository.tree(GetParam().before), after = repository.tree(GetParam().after);
  const std::string patch = store->patch(before, after).value();
  EXPECT_EQ(store->patch(before, after).value(), patch) << "the same patch every time";
  const auto applied = store->apply(before, patch);
  ASSERT_TRUE(applied) << describe(applied.error()) << "\n" << patch.substr(0, 3000);
  EXPECT_EQ(*applied, after);
  EXPECT_EQ(repository.applied_by_git(before, patch), after) << patch.substr(0, 3000);
  // And what it said would change.
  EXPECT_EQ(store->changes(before, *applied).value(), store->changes(before, after).value());
}

TEST_P(RoundTrip, EditsMakeTheTree) {
  const std::string before = repository.tree(GetParam().before), after = repository.tree(GetParam().after);
  std::vector<TreeEdit> edits;
  const auto changes = store->changes(before, after).value();
  for (const auto& change : changes) {
    TreeEdit edit{.path = change.path};
    if (change.after) {
      edit.blob = store->write_blob(GetParam().after.at(change.path).content).value();
      edit.mode = *change.after;
    }
    edits.push_back(edit);
  }
  const auto edited = store->edit(before, edits);
  ASSERT_TRUE(edited) << describe(edited.error());
  EXPECT_EQ(*edited, after);
}

INSTANTIATE_TEST_SUITE_P(Changes, RoundTrip, ::testing::ValuesIn(rows()));

TEST_F(TreeStoreTest, TreesAreReadWithTheirModes) {
  const std::string commit =
      repository.commit({{"a.b", {"1"}}, {"a/x", {"2", "100755"}}, {"a0", {"3"}}, {"link", {"a/x", "120000"}}});
  const std::string tree = store->tree_of(commit).value();
  EXPECT_EQ(tree, repository.git({"rev-parse", commit + "^{tree}"}));
  std::vector<std::string> paths;
  const auto entries = store->entries(tree, 4).value();
  for (const auto& entry : entries)
    paths.push_back(concat(entry.path, " ", static_cast<int>(entry.mode), " ", store->blob(entry.oid, 3).value()));
  EXPECT_THAT(paths, ElementsAre("a.b 0 1", "a/x 1 2", "a0 0 3", "link 2 a/x"));
  const auto fewer = store->entries(tree, 3);
  ASSERT_FALSE(fewer);
  EXPECT_EQ(fewer.error().message, concat("the tree ", tree, ": expected at most 3 files, found more"));
}

TEST_F(TreeStoreTest, ChangesNameKindsAndSizes) {
  const std::string submodule(40, '1');
  const std::string before = repository.tree({{"gone", {"1"}}, {"kept", {"2"}}, {"link", {"kept"}}, {"m", {"x"}}});
  const std::string after =
      repository.git({"mktree", "--missing"},
                     concat("120000 blob ", repository.git({"rev-parse", before + ":link"}), "\tlink\n100644 blob ",
                            repository.git({"rev-parse", before + ":kept"}), "\tkept\n100755 blob ",
                            repository.git({"rev-parse", before + ":m"}), "\tm\n160000 commit ", submodule, "\tsub\n"));
  EXPECT_THAT(store->changes(before, after).value(),
              ElementsAre(TreeChange{"gone", EntryMode::file, std::nullopt, 0},
                          TreeChange{"link", EntryMode::file, EntryMode::symlink, 4},
                          TreeChange{"m", EntryMode::file, EntryMode::executable, 1},
                          TreeChange{"sub", std::nullopt, EntryMode::submodule, 0}));
  EXPECT_TRUE(store->changes(before, before).value().empty());
}

TEST_F(TreeStoreTest, AnotherKindGoesAndComesInThePatch) {
  const std::string before = repository.tree({{"x", {"text\n"}}}), after = repository.tree({{"x", {"y", "120000"}}});
  const std::string patch = store->patch(before, after).value();
  EXPECT_EQ(repository.applied_by_git(before, patch), after);
  const auto applied = store->apply(before, patch);
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().message, R"(the patch's file "x": expected once, found twice)");
}

TEST_F(TreeStoreTest, NamesThatNoCheckoutTakesAreRefused) {
  const std::string blob = store->write_blob("x").value();
  for (const std::string name :
       {".git", ".GIT", ".Git", ".gi\xE2\x80\x8Ct", ".git\xE2\x80\x8C", "\xEF\xBB\xBF.git", "git~1", "GIT~1", ".git.",
        ".git ", ".git . .", ".git::$INDEX_ALLOCATION", ".git:x", "..", ".", "a\\.git", ".git\\config"}) {
    SCOPED_TRACE(quoted(name));
    const std::string tree = repository.git({"mktree", "-z"}, concat("100644 blob ", blob, "\t", name, '\0'));
    const std::string below = repository.git({"mktree"}, concat("040000 tree ", tree, "\tfolder\n"));
    for (const auto& each : {tree, below}) {
      const auto entries = store->entries(each, kMost);
      ASSERT_FALSE(entries);
      EXPECT_EQ(entries.error().code, ErrorCode::bad_input);
      EXPECT_FALSE(store->apply(each, "diff --git"));
    }
    EXPECT_FALSE(store->edit(repository.tree({}), {{.path = concat("d/", name, "/x"), .blob = blob}}));
  }
  for (const std::string name :
       {".github", ".gitignore", ".git2", "git", "..a", "...", "a.git", "x:y", "back\\slash"}) {
    const std::string tree = repository.git({"mktree", "-z"}, concat("100644 blob ", blob, "\t", name, '\0'));
    EXPECT_TRUE(store->entries(tree, kMost)) << name;
  }
}

TEST_F(TreeStoreTest, FoldersThatShareTheirContentEndAtTheLimit) {
  std::string tree = repository.tree({{"f", {"x"}}});
  for (int level = 0; level < 30; ++level) {
    std::string listed;
    for (int i = 0; i < 10; ++i) listed += concat("040000 tree ", tree, "\tx", i, "\n");
    tree = repository.git({"mktree"}, listed);
  }
  const auto began = std::chrono::steady_clock::now();
  EXPECT_FALSE(store->entries(tree, 10'000));
  EXPECT_FALSE(store->edit(tree, {}));
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(20));
}

TEST_F(TreeStoreTest, ANameThatAFolderHasTwiceIsRefused) {
  const std::string blob = store->write_blob("x").value();
  const std::string folder = repository.git({"mktree"}, concat("100644 blob ", blob, "\tb\n"));
  const auto raw = [](const std::string& hex) {
    std::string bytes;
    for (std::size_t i = 0; i < hex.size(); i += 2)
      bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
    return bytes;
  };
  const std::string twice = concat("100644 a", '\0', raw(blob), "40000 a", '\0', raw(folder));
  const std::string tree = repository.git({"hash-object", "-t", "tree", "-w", "--stdin", "--literally"}, twice);
  const auto entries = store->entries(tree, kMost);
  ASSERT_FALSE(entries);
  EXPECT_EQ(entries.error().message, R"(the path "a" of a tree is there twice)");
}

TEST_F(TreeStoreTest, EditsThatMakeNoTreeAreRefused) {
  const std::string tree = repository.tree({{"a", {"x"}}, {"d/b", {"x"}}}), blob = store->write_blob("y").value();
  const struct {
    std::string path, blob, message;
  } table[] = {{"a/b", blob, "is a file and a folder"},
               {"d", blob, "is a file and a folder"},
               {"d/../x", blob, R"(has the component "..")"},
               {"/x", blob, "has an empty component"},
               {"", blob, "has an empty component"},
               {"x//y", blob, "has an empty component"},
               {std::string("x\0y", 3), blob, "has a NUL"},
               {std::string(5000, 'x'), blob, "has 5000 bytes"},
               {"x", std::string(40, '1'), "writing a tree"},
               {"x", "1234", "expected the name of a git object"},
               {"x", tree, "writing a tree"}};
  for (const auto& row : table) {
    SCOPED_TRACE(quoted(row.path));
    const auto edited = store->edit(tree, {{.path = row.path, .blob = row.blob}});
    ASSERT_FALSE(edited);
    EXPECT_EQ(edited.error().code, ErrorCode::bad_input);
    EXPECT_THAT(edited.error().message, HasSubstr(row.message));
  }
  EXPECT_EQ(store->edit(tree, {{.path = "not there"}}).value(), tree);
}

TEST_F(TreeStoreTest, CommitsAreWhatGitReads) {
  const std::string parent = repository.commit({{"a", {"x"}}}), tree = repository.tree({{"a", {"y"}}});
  const NewCommit wanted{.tree = tree,
                         .parent = parent,
                         .message = "chore: regenerate files\n\nSigned-off-by: a\n",
                         .author = {"github-actions[bot]", "41898282+github-actions[bot]@users.noreply.github.com"},
                         .seconds = 1'700'000'000};
  const std::string commit = store->commit(wanted).value();
  EXPECT_EQ(store->commit(wanted).value(), commit);
  EXPECT_EQ(
      repository.git({"cat-file", "-p", commit}),
      concat("tree ", tree, "\nparent ", parent,
             "\nauthor github-actions[bot] <41898282+github-actions[bot]@users.noreply.github.com> 1700000000 +0000"
             "\ncommitter github-actions[bot] <41898282+github-actions[bot]@users.noreply.github.com> 1700000000 "
             "+0000\n\nchore: regenerate files\n\nSigned-off-by: a"));
  EXPECT_EQ(repository.git({"fsck", "--strict", "--no-dangling"}), "");
  NewCommit nobody = wanted;
  nobody.author.name = "";
  EXPECT_FALSE(store->commit(nobody));
}

TEST_F(TreeStoreTest, ObjectsThatAreNotThereAreNamed) {
  const std::string none(40, 'a'), tree = repository.tree({{"a", {"0123456789"}}});
  const std::string blob = repository.git({"rev-parse", tree + ":a"});
  for (const std::string& oid : {none, std::string("HEAD"), tree.substr(0, 39), tree + "0", std::string("")}) {
    for (const auto& error :
         {store->tree_of(oid).error(), store->entries(oid, kMost).error(), store->blob(oid, kMost).error(),
          store->edit(oid, {}).error(), store->changes(oid, tree).error(), store->changes(tree, oid).error(),
          store->patch(tree, oid).error(), store->apply(oid, "").error()})
      EXPECT_EQ(error.code, ErrorCode::bad_input) << describe(error);
  }
  EXPECT_THAT(store->blob(none, 1).error().message, HasSubstr(none));
  EXPECT_THAT(store->blob(tree, kMost).error().message, HasSubstr("expected a file, found a tree"));
  EXPECT_THAT(store->tree_of(tree).error().message, HasSubstr(tree));
  EXPECT_EQ(store->blob(blob, 10).value(), "0123456789");
  EXPECT_EQ(store->blob(blob, 9).error().message, concat("the file ", blob, ": expected at most 9 B, found 10 B"));
}

TEST_F(TreeStoreTest, AFolderThatIsNoRepositoryIsNamed) {
  const auto opened = open_tree_store(repository.directory() / "home");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::bad_input);
  EXPECT_THAT(opened.error().message, HasSubstr("home"));
}

// A36: what a repository asks for is not done.
TEST_F(TreeStoreTest, NoProgramIsStartedAndNoAttributeObeyed) {
  const auto canary = repository.directory() / "canary";
  for (const std::string key : {"core.fsmonitor", "core.sshCommand", "diff.external", "filter.x.clean",
                                "filter.x.smudge", "diff.x.textconv", "diff.x.command", "core.pager"})
    repository.git({"config", key, concat("touch ", canary.string())});
  repository.directory().write("repository.git/info/attributes", "* filter=x diff=x -text\n");
  const std::string before = repository.tree({{".gitattributes", {"* filter=x diff=x\n"}}, {"a", {"1\n"}}});
  const std::string after = repository.tree({{".gitattributes", {"* binary\n"}}, {"a", {"2\n"}}});
  const std::string patch = open_tree_store(repository.path()).value()->patch(before, after).value();
  EXPECT_THAT(patch, HasSubstr("-1\n+2\n"));
  EXPECT_EQ(open_tree_store(repository.path()).value()->apply(before, patch).value(), after);
  EXPECT_FALSE(repository.directory().exists("canary"));
}

}  // namespace
}  // namespace crategate::git
