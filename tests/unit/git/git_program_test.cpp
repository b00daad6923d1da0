// The git program on real repositories.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/strings.h"
#include "git/repository.h"
#include "git/revision.h"
#include "support/fakes.h"
#include "support/scripted_process_runner.h"
#include "support/test_directory.h"

namespace crategate::git {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

class GitProgramTest : public ::testing::Test {
 protected:
  /// Runs git as a person would, outside of what is tested.
  std::string git(std::vector<std::string> arguments, const sys::Path& in = "repo") {
    sys::Command command{
        .program = "git",
        .arguments = {"-C", (directory_ / in).string(), "-c", "user.name=T", "-c", "user.email=t@example.org", "-c",
                      "init.defaultBranch=main", "-c", "protocol.file.allow=always"},
        .environment = {
            {"PATH", "/usr/bin:/bin"}, {"GIT_CONFIG_GLOBAL", "/dev/null"}, {"GIT_COMMITTER_DATE", "1700000000 +0000"}}};
    command.arguments.insert(command.arguments.end(), arguments.begin(), arguments.end());
    const auto outcome = processes_.run(command, {}).value();
    EXPECT_EQ(outcome.exit_code, 0) << command.text() << "\n" << outcome.err;
    return std::string(trim(outcome.out));
  }
  void init() {
    fs::create_directories(directory_ / "repo");
    git({"init", "-q"});
  }
  std::string commit(const std::string& message) {
    git({"add", "-A"});
    git({"commit", "-q", "--allow-empty", "-m", message});
    return git({"rev-parse", "HEAD"});
  }
  GitProgram repository(const sys::Path& in = "repo") { return GitProgram(processes_, environment_, directory_ / in); }
  std::vector<std::string> changed(const std::string& from, const std::string& to) {
    const Changes changes = repository().changes(from, to, false).value();
    EXPECT_TRUE(changes.paths) << changes.why_not;
    return changes.paths.value_or(std::vector<std::string>{});
  }

  /// Root alone can give files away; for anybody else git is told to assume it, by its own switch.
  void give_away(const sys::Path& name) {
    if (::geteuid() != 0) {
      directory_.write("bin/git", "#!/bin/sh\nGIT_TEST_ASSUME_DIFFERENT_OWNER=1 exec /usr/bin/git \"$@\"\n");
      fs::permissions(directory_ / "bin/git", fs::perms(0755));
      environment_ = test::FakeEnvironment({{"PATH", concat((directory_ / "bin").string(), ":/usr/bin:/bin")}});
      return;
    }
    for (const auto& entry : fs::recursive_directory_iterator(directory_ / name))
      ASSERT_EQ(::lchown(entry.path().c_str(), 1001, 1001), 0);
    ASSERT_EQ(::chown((directory_ / name).c_str(), 1001, 1001), 0);
  }

  test::TestDirectory directory_;
  sys::PosixProcessRunner processes_;
  test::FakeEnvironment environment_{{{"PATH", "/usr/bin:/bin"}}};
};

TEST_F(GitProgramTest, TellsThatThereIsNoRepositoryOrNoCommit) {
  fs::create_directories(directory_ / "repo");
  EXPECT_EQ(repository().head().value(), std::nullopt);
  EXPECT_EQ(repository().is_shallow().error().code, ErrorCode::bad_input);
  EXPECT_THAT(repository().head_ref().error().message, HasSubstr("not a git repository"));
  init();
  EXPECT_EQ(repository().head().value(), std::nullopt);
  EXPECT_EQ(repository().head_ref().value(), "refs/heads/main");
}

TEST_F(GitProgramTest, DescribesHead) {
  init();
  const std::string first = commit("first");
  EXPECT_EQ(repository().head().value(), first);
  EXPECT_EQ(repository().commit_time(first).value(), "1700000000");
  EXPECT_EQ(repository().resolve("HEAD").value(), first);
  EXPECT_EQ(repository().resolve(first.substr(0, 10)).value(), first);
  EXPECT_EQ(repository().resolve("refs/heads/main").value(), first);
  EXPECT_EQ(repository().resolve("HEAD~1").value(), std::nullopt);
  EXPECT_EQ(repository().resolve("none").value(), std::nullopt);
  EXPECT_EQ(repository().resolve(std::string(40, '0')).value(), std::nullopt);
  EXPECT_FALSE(repository().is_shallow().value());
  EXPECT_FALSE(repository().commit_time("none"));
  git({"checkout", "-q", "--detach"});
  EXPECT_EQ(repository().head_ref().value(), "");
}

TEST_F(GitProgramTest, ListsTheFilesOfACommit) {
  init();
  for (const char* name : {"a", "part/b", "part/a", "-x", "[ab]", "caf\xC3\xA9"})
    directory_.write(sys::Path("repo") / name, "1");
  const std::string first = commit("first");
  git({"rm", "-q", "a"});
  commit("second");
  using ::testing::Optional;
  EXPECT_THAT(repository().files_at(first, {}).value(),
              Optional(UnorderedElementsAre("a", "part/b", "part/a", "-x", "[ab]", "caf\xC3\xA9")));
  EXPECT_THAT(repository().files_at("HEAD", {"a", "part", "[ab]", "part/*", ":(top)-x", "-x", "b"}).value(),
              Optional(UnorderedElementsAre("[ab]", "-x")));
  EXPECT_THAT(repository("repo/part").files_at("HEAD", {"b", "[ab]", "part/a"}).value(),
              Optional(UnorderedElementsAre("b", "[ab]")))
      << "from the project's directory where they are in it, else from the top";
  EXPECT_EQ(repository().files_at(std::string(40, '1'), {"a"}).value(), std::nullopt);
  EXPECT_FALSE(repository().files_at("HEAD", {"../outside"}));
  EXPECT_FALSE(repository().files_at("--all", {}));
}

TEST_F(GitProgramTest, FindsTheOneTagAtHead) {
  init();
  commit("first");
  git({"tag", "v0.9.0"});
  commit("second");
  EXPECT_EQ(repository().tag_at_head().value(), std::nullopt);
  git({"tag", "-a", "-m", "annotated", "v1.0.0"});
  EXPECT_EQ(repository().tag_at_head().value(), "v1.0.0");
  git({"tag", "latest"});
  const auto two = repository().tag_at_head();
  ASSERT_FALSE(two);
  EXPECT_EQ(two.error().code, ErrorCode::bad_input);
  EXPECT_THAT(two.error().message, HasSubstr("latest, v1.0.0"));
}

TEST_F(GitProgramTest, ListsEveryKindOfChange) {
  init();
  const std::string content = "a file that is long enough to be recognised when it moves\n";
  for (const char* name : {"kept", "edited", "deleted", "old name", "mode.sh", "Case", "type"})
    directory_.write(sys::Path("repo") / name, content + name);
  commit("first");
  directory_.write("repo/edited", "x");
  directory_.write("repo/added/deep", "x");
  fs::remove(directory_ / "repo/deleted");
  fs::rename(directory_ / "repo/old name", directory_ / "repo/new name");
  fs::rename(directory_ / "repo/Case", directory_ / "repo/case");
  fs::permissions(directory_ / "repo/mode.sh", fs::perms(0755));
  fs::remove(directory_ / "repo/type");
  fs::create_symlink("kept", directory_ / "repo/type");
  commit("second");
  EXPECT_THAT(changed("HEAD~1", "HEAD"), UnorderedElementsAre("edited", "added/deep", "deleted", "old name", "new name",
                                                              "Case", "case", "mode.sh", "type"));
  EXPECT_TRUE(changed("HEAD", "HEAD").empty());
}

TEST_F(GitProgramTest, CountsASubmoduleEvenWhereItAsksToBeIgnored) {
  init();
  fs::create_directories(directory_ / "other");
  git({"init", "-q"}, "other");
  git({"commit", "-q", "--allow-empty", "-m", "one"}, "other");
  git({"submodule", "--quiet", "add", (directory_ / "other").string(), "sub"});
  git({"config", "-f", ".gitmodules", "submodule.sub.ignore", "all"});
  commit("first");
  git({"commit", "-q", "--allow-empty", "-m", "two"}, "repo/sub");
  git({"update-index", "--cacheinfo", "160000," + git({"rev-parse", "HEAD"}, "repo/sub") + ",sub"});
  git({"commit", "-q", "-m", "second"});
  git({"config", "diff.ignoreSubmodules", "all"});
  EXPECT_THAT(changed("HEAD~1", "HEAD"), UnorderedElementsAre("sub"));
}

TEST_F(GitProgramTest, A25KeepsUnusualNamesAsTheyAre) {
  init();
  commit("first");
  const std::vector<std::string> names = {"line\nfeed", "quo\"te",  "-option",         "esc\x1b[0m", " space ",
                                          "tab\there",  "\xff\xfe", "umlaut-\xc3\xbc", "back\\slash"};
  for (const std::string& name : names) directory_.write(sys::Path("repo") / name, "x");
  commit("second");
  EXPECT_THAT(changed("HEAD~1", "HEAD"), ::testing::UnorderedElementsAreArray(names));
  const std::string longest = replace_all(std::string(20, '/'), "/", "/" + std::string(250, 'x')).substr(1);
  git({"update-index", "--add", "--cacheinfo", "100644," + git({"rev-parse", "HEAD:-option"}) + "," + longest});
  git({"commit", "-q", "-m", "longer than a path of the system can be"});
  EXPECT_THAT(changed("HEAD~1", "HEAD"), UnorderedElementsAre(longest));
}

TEST_F(GitProgramTest, NamesPathsFromTheProjectsDirectory) {
  init();
  commit("first");
  directory_.write("repo/project/src/a", "x");
  directory_.write("repo/.github/workflows/x.yml", "x");
  commit("second");
  const Changes changes = repository("repo/project").changes("HEAD~1", "HEAD", false).value();
  EXPECT_THAT(changes.paths.value(), UnorderedElementsAre("src/a", ".github/workflows/x.yml"));
}

TEST_F(GitProgramTest, ComparesWithTheMergeBaseOnRequest) {
  init();
  commit("first");
  git({"branch", "topic"});
  directory_.write("repo/on-main", "x");
  commit("main moves on");
  git({"checkout", "-q", "topic"});
  directory_.write("repo/on-topic", "x");
  commit("topic");
  EXPECT_THAT(repository().changes("main", "topic", true).value().paths.value(), UnorderedElementsAre("on-topic"));
  EXPECT_THAT(repository().changes("main", "topic", false).value().paths.value(),
              UnorderedElementsAre("on-topic", "on-main"));
  EXPECT_EQ(repository().is_ancestor("main", "topic").value(), false);
  EXPECT_EQ(repository().is_ancestor("main~1", "topic").value(), true);
  EXPECT_EQ(repository().is_ancestor("none", "topic").value(), std::nullopt);
  git({"checkout", "-q", "--orphan", "unrelated"});
  commit("no common commit");
  const Changes unrelated = repository().changes("main", "unrelated", true).value();
  EXPECT_FALSE(unrelated.paths);
  EXPECT_THAT(unrelated.why_not, HasSubstr("no common commit"));
}

TEST_F(GitProgramTest, SaysWhyAFirstCommitAndAShallowCloneCannotBeCompared) {
  init();
  commit("first");
  const Changes first = repository().changes("HEAD~1", "HEAD", false).value();
  EXPECT_FALSE(first.paths);
  EXPECT_THAT(first.why_not, HasSubstr("first commit"));
  commit("second");
  git({"clone", "-q", "--depth", "1", "file://" + (directory_ / "repo").string(), "shallow"}, ".");
  GitProgram shallow = repository("shallow");
  EXPECT_TRUE(shallow.is_shallow().value());
  const Changes changes = shallow.changes("HEAD~1", "HEAD", false).value();
  EXPECT_FALSE(changes.paths);
  EXPECT_THAT(changes.why_not, HasSubstr("fetch-depth: 2"));
  EXPECT_EQ(shallow.is_ancestor("HEAD", "HEAD").value(), true);
}

TEST_F(GitProgramTest, CannotTellAnAncestorInAShallowClone) {
  init();
  commit("first");
  git({"branch", "side"});
  commit("second");
  git({"checkout", "-q", "side"});
  commit("third");
  git({"clone", "-q", "--depth", "1", "--no-single-branch", "file://" + (directory_ / "repo").string(), "shallow"},
      ".");
  EXPECT_EQ(repository("shallow").is_ancestor("origin/main", "origin/side").value(), std::nullopt);
}

TEST_F(GitProgramTest, RemovesCredentialsFromTheRemote) {
  init();
  EXPECT_EQ(repository().remote_url().value(), "");
  const std::pair<std::string, std::string> rows[] = {
      {"https://user:hunter2@github.com/a/b.git", "https://github.com/a/b.git"},
      {"https://x-access-token:p@ss@github.com/a/b", "https://github.com/a/b"},
      {"https://github.com/a@b/c", "https://github.com/a@b/c"},
      {"git@github.com:a/b.git", "git@github.com:a/b.git"},
  };
  for (const auto& [url, expected] : rows) {
    git({"config", "remote.origin.url", url});
    EXPECT_EQ(repository().remote_url().value(), expected);
  }
}

TEST_F(GitProgramTest, RunsNothingThatTheRepositoryNames) {
  init();
  directory_.write("repo/.gitattributes", "* diff=evil filter=evil\n");
  directory_.write("repo/file", "1");
  commit("first");
  directory_.write("repo/file", "2");
  commit("second");
  const std::string evil = "touch " + (directory_ / "ran").string() + "; cat";
  for (const char* key :
       {"core.fsmonitor", "core.pager", "core.sshCommand", "diff.external", "diff.evil.command", "diff.evil.textconv",
        "filter.evil.clean", "filter.evil.smudge", "gpg.program", "core.alternateRefsCommand"})
    git({"config", key, evil});
  git({"config", "log.showSignature", "true"});
  git({"config", "remote.origin.url", "ext::sh -c touch% " + (directory_ / "ran").string()});
  git({"config", "remote.origin.promisor", "true"});
  GitProgram repository(processes_, environment_, directory_ / "repo");
  EXPECT_TRUE(repository.changes("HEAD~1", "HEAD", true).value().paths);
  EXPECT_TRUE(repository.commit_time("HEAD"));
  EXPECT_TRUE(repository.head_ref());
  EXPECT_EQ(repository.resolve(std::string(40, 'a')).value(), std::nullopt);
  EXPECT_FALSE(directory_.exists("ran"));
}

/// A91
TEST_F(GitProgramTest, ReadsACheckoutOfAnotherUser) {
  init();
  const std::string head = commit("first");
  give_away("repo");
  EXPECT_EQ(repository().head().value(), head);
  fs::create_directory_symlink("repo", directory_ / "link");
  EXPECT_EQ(repository("link").head().value(), head);
  const auto below = repository("repo/.git/..").head();
  EXPECT_TRUE(below);
  fs::create_directories(directory_ / "repo/sub");
  const auto sub = repository("repo/sub").head();
  ASSERT_FALSE(sub) << "trust is given to exactly the named directory";
  EXPECT_THAT(sub.error().message, HasSubstr("another user"));
  for (const bool ours : {true, false}) {
    const test::FakeEnvironment job({{"PATH", environment_.get("PATH").value()},
                                     {"GITHUB_WORKSPACE", (directory_ / (ours ? "repo" : "other")).string()}});
    GitProgram below_it(processes_, job, directory_ / "repo/sub");
    EXPECT_EQ(below_it.head().has_value(), ours) << "and to the checkout that it is a folder of";
  }
}

TEST(GitProgram, ReportsAMissingGitAndASlowOne) {
  test::ScriptedProcessRunner processes;
  const test::FakeEnvironment environment({{"PATH", "/usr/bin"}, {"GIT_DIR", "/evil"}, {"GITHUB_TOKEN", "t"}});
  GitProgram repository(processes, environment, "/tmp");
  const auto any = [](const sys::Command& command) { return command.program == "git"; };
  processes.expect_where("missing", any, [](const auto&, const auto&) -> Result<sys::ProcessOutcome> {
    return fail(ErrorCode::not_found, "cannot find git");
  });
  EXPECT_EQ(repository.head().error().code, ErrorCode::not_found);
  processes.expect_where(
      "slow", any, [](const auto&, const auto&) { return sys::ProcessOutcome{.exit_code = 143, .timed_out = true}; });
  EXPECT_EQ(repository.head().error().code, ErrorCode::unavailable);
  const sys::Command command = processes.commands().front();
  EXPECT_THAT(command.arguments, Contains("safe.directory=/tmp"));
  EXPECT_FALSE(command.environment.contains("GIT_DIR"));
  EXPECT_FALSE(command.environment.contains("GITHUB_TOKEN"));
  EXPECT_EQ(command.environment.at("GIT_CONFIG_GLOBAL"), "/dev/null");
}

/// Answers everything, and keeps what it was asked.
class RecordingGit final : public sys::ProcessRunner {
 public:
  Result<sys::ProcessOutcome> run(const sys::Command& command, const sys::RunOptions&) override {
    commands.push_back(command);
    return sys::ProcessOutcome{.out = std::string(40, 'a') + "\n"};
  }
  std::vector<sys::Command> commands;
};

/// A73: what comes from an event stands behind --end-of-options, or git is not asked at all.
TEST(GitProgram, TakesNoNameForAnOption) {
  const std::vector<std::string> names = {"--upload-pack=evil", "-x",   "main", "a..b", "--", "x y",
                                          "v1\n--all",          "^main"};
  RecordingGit git;
  GitProgram repository(git, test::FakeEnvironment(), "/tmp");
  for (const std::string& name : names) {
    static_cast<void>(repository.resolve(name));
    static_cast<void>(repository.position(name));
    static_cast<void>(repository.commit_time(name));
    static_cast<void>(repository.is_ancestor(name, "main"));
    static_cast<void>(repository.changes("main", name, false));
    static_cast<void>(repository.changes(name, "main", true));
  }
  ASSERT_GT(git.commands.size(), 5U);
  for (const sys::Command& command : git.commands) {
    const auto& words = command.arguments;
    const auto end = std::ranges::find(words, "--end-of-options");
    for (const std::string& name : names) {
      const auto found =
          std::find_if(words.begin(), end, [&](const auto& word) { return word.find(name) != word.npos; });
      const bool before = found != end && name != "-x" && name != "--";
      EXPECT_FALSE(before) << command.text();
      const auto behind = std::find_if(end, words.end(), [](const auto& word) { return word.starts_with("-x"); });
      EXPECT_EQ(behind, words.end()) << "such a name is refused before git sees it: " << command.text();
    }
  }
}

TEST(Revision, IsNeverAnOptionASearchOrAPath) {
  for (const char* good : {"HEAD", "HEAD~1", "main^2", "refs/tags/v1.0.0", "feature/x", "a@{upstream}", "0123abc",
                           "\xc3\xbc", "v1.0.0+x#y"})
    EXPECT_TRUE(check_revision(good)) << good;
  for (const std::string bad : {"", "-x", "--upload-pack=evil", "^main", "a..b", "a b", "a\nb", "a\tb", ":/fix",
                                "HEAD:file", "a*", "a?", "a[b", "a\\b", "a\x7f"})
    EXPECT_EQ(check_revision(bad).error().code, ErrorCode::bad_input) << bad;
  EXPECT_FALSE(check_revision(std::string("a\0b", 3)));
  EXPECT_FALSE(check_revision(std::string(2000, 'a')));
}

TEST_F(GitProgramTest, RunsNoFilterOfTheRepository) {
  init();
  directory_.write("repo/a", "one\n");
  commit("first");
  directory_.write("repo/.gitattributes", "* filter=evil\n");
  const std::string evil = concat("touch ", (directory_ / "ran").string(), "; cat");
  git({"config", "filter.evil.clean", evil});
  git({"config", "filter.a=b.clean", evil});
  git({"config", "filter.evil.required", "true"});
  directory_.write("repo/a", "two\n");
  EXPECT_TRUE(repository().is_modified().value());
  EXPECT_FALSE(directory_.exists("ran"));
  git({"status"});
  EXPECT_TRUE(directory_.exists("ran")) << "the filter works";
}

TEST_F(GitProgramTest, TellsWhatDiffersHereFromWhereABranchBegan) {
  init();
  for (const char* file : {"repo/a", "repo/b", "repo/part/c", "repo/same"}) directory_.write(file, "one\n");
  commit("first");
  git({"checkout", "-q", "-b", "fix"});
  directory_.write("repo/a", "two\n");
  commit("here");
  git({"checkout", "-q", "main"});
  directory_.write("repo/same", "two\n");
  commit("there, since then");
  git({"checkout", "-q", "fix"});
  const std::vector<std::string> watched{"a", "b", "part/c", "same", "new", "*", ":(top)b"};
  const auto differing = [&] { return repository().changed_since("refs/heads/main", watched).value().value(); };
  EXPECT_THAT(differing(), UnorderedElementsAre("a"));
  directory_.write("repo/b", "not committed\n");
  directory_.write("repo/new", "not added\n");
  directory_.write("repo/unwatched", "x\n");
  EXPECT_THAT(differing(), UnorderedElementsAre("a", "b", "new"));
  directory_.write("repo/a", "one\n");
  EXPECT_THAT(differing(), UnorderedElementsAre("b", "new")) << "as it was";
  directory_.write("repo/part/c", "two\n");
  EXPECT_THAT(repository("repo/part").changed_since("main", {"c", "b"}).value().value(),
              UnorderedElementsAre("c", "b"));
  EXPECT_EQ(repository().changed_since("refs/remotes/origin/main", watched).value(), std::nullopt);
  EXPECT_FALSE(repository().changed_since("--output=evil", watched));
}

}  // namespace
}  // namespace crategate::git
