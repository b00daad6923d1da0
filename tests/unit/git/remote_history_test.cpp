// A pull request's history from a real remote: as deep as asked, and no nearer common commit is overlooked.
#include "git/remote_history.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <map>

#include "unit/git/ref_store_fixture.h"

namespace crategate::git {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr int kAll = 0x7fffffff;
const std::string kPull = "refs/pull/7/head", kBase = "refs/remotes/origin/main";

class RemoteHistoryTest : public ::testing::Test {
 protected:
  /// A commit with these files, in the remote alone.
  std::string commit(const std::map<std::string, std::string>& files, const std::vector<std::string>& parents) const {
    std::string tree;
    remote.in_remote({"read-tree", "--empty"});
    for (const auto& [name, text] : files) {
      remote.directory().write("content", text);
      const auto blob = remote.in_remote({"hash-object", "-w", (remote.directory() / "content").string()});
      remote.in_remote({"update-index", "--add", "--cacheinfo", concat("100644,", blob, ",", name)});
    }
    std::vector<std::string> arguments = {"-c",          "user.name=a", "-c", "user.email=a@b",
                                          "commit-tree", "-m",          "x",  remote.in_remote({"write-tree"})};
    for (const auto& parent : parents) arguments.insert(arguments.end(), {"-p", parent});
    return remote.in_remote(arguments);
  }
  std::string chain(std::string from, int length, const std::map<std::string, std::string>& files) const {
    for (int i = 0; i < length; ++i) from = commit(files, {from});
    return from;
  }
  void have(const std::string& main, const std::string& head) const {
    remote.in_remote({"update-ref", "refs/heads/main", main});
    remote.in_remote({"update-ref", kPull, head});
  }
  GitRemoteHistory history() {
    return {processes, environment, clone,
            PrivateRepository(processes, environment, remote.directory().path(), remote.path().string(), Secret(),
                              Holds::history)};
  }

  test::GitRemote remote;
  test::FakeEnvironment environment = test::job_environment();
  test::RecordingProcessRunner processes;
  GitProgram clone{processes, environment, remote.path(), std::string()};
};

TEST_F(RemoteHistoryTest, IsAsDeepAsAsked) {
  const auto root = commit({{"a", "1"}}, {});
  const auto head = commit({{"a", "1"}, {"b", "1"}}, {root});
  have(chain(root, 4, {{"a", "2"}}), head);
  auto history = this->history();
  auto shallow = history.fetch({"main", head, kPull}, 2);
  ASSERT_TRUE(shallow) << describe(shallow.error());
  EXPECT_THAT((*shallow)->changes(kBase, head, true).value().why_not,
              HasSubstr("no common commit in this shallow clone"));
  auto deeper = history.fetch({"main", head, kPull}, 5);
  ASSERT_TRUE(deeper) << describe(deeper.error());
  EXPECT_THAT((*deeper)->changes(kBase, head, true).value().paths.value(), ElementsAre("b"));
  EXPECT_EQ((*deeper)->files_at(head, {"a", "c"}).value(), std::vector<std::string>{"a"});
}

/// Behind the end of what was fetched is the commit that both have: an older one says that nothing has changed.
TEST_F(RemoteHistoryTest, TakesNoOlderCommonCommitForTheMergeBase) {
  const auto root = commit({{"f", "1"}}, {});
  const auto base = commit({{"f", "2"}}, {root});
  const auto side = commit({{"f", "1"}, {"s", "1"}}, {root});
  const auto main = commit({{"f", "2"}, {"s", "1"}}, {chain(base, 5, {{"f", "2"}}), side});
  const auto head = commit({{"f", "1"}}, {base});  // takes back what main did
  have(main, head);
  auto history = this->history();
  const auto shallow = history.fetch({"main", head, kPull}, 3).value()->changes(kBase, head, true).value();
  EXPECT_FALSE(shallow.paths) << "the older common commit is there, the nearer is not";
  EXPECT_THAT(shallow.why_not, HasSubstr("is not whole in this shallow clone"));
  EXPECT_THAT(history.fetch({"main", head, kPull}, kAll).value()->changes(kBase, head, true).value().paths.value(),
              ElementsAre("f"));
}

TEST_F(RemoteHistoryTest, AsksForTheRefWhereTheServerKnowsNoCommitByItsId) {
  const auto root = commit({}, {});
  const auto head = commit({{"b", "1"}}, {root});
  have(root, head);
  auto history = this->history();
  EXPECT_TRUE(history.fetch({"main", head, kPull}, 50));
  const auto moved = history.fetch({"main", std::string(40, 'a'), kPull}, 50);
  ASSERT_FALSE(moved);
  EXPECT_EQ(moved.error().code, ErrorCode::not_found) << describe(moved.error());
  EXPECT_EQ(history.fetch({"main", std::string(40, 'a'), "refs/pull/8/head"}, 50).error().code, ErrorCode::not_found);
  EXPECT_EQ(history.fetch({"main", "fix", kPull}, 50).error().code, ErrorCode::bad_input);
  EXPECT_EQ(history.fetch({"ma*n", head, kPull}, 50).error().code, ErrorCode::bad_input);
  const auto gone = history.fetch({"gone", head, kPull}, 50);
  ASSERT_FALSE(gone);
  EXPECT_THAT(describe(gone.error()), HasSubstr("refs/heads/gone"));
}

TEST_F(RemoteHistoryTest, FetchesNoFilesAndAsksForNoneLater) {
  const auto root = commit({{"large", std::string(100'000, 'x')}}, {});
  const auto head = commit({{"large", "small"}}, {root});
  have(root, head);
  remote.in_remote({"config", "uploadpack.allowFilter", "true"});
  auto history = this->history();
  auto fetched = history.fetch({"main", head, kPull}, 50);
  ASSERT_TRUE(fetched) << describe(fetched.error());
  std::filesystem::rename(remote.path(), remote.directory() / "away");
  EXPECT_THAT((*fetched)->changes(kBase, head, true).value().paths.value(), ElementsAre("large"));
  EXPECT_THAT(processes.arguments(), HasSubstr("--filter=blob:none"));
}

TEST_F(RemoteHistoryTest, NamesFilesFromTheProjectsFolder) {
  const auto root = commit({}, {});
  const auto head = commit({{"sub/x", "1"}, {"y", "1"}}, {root});
  have(root, head);
  GitProgram inside(processes, environment, remote.path(), "sub/");
  GitRemoteHistory history(processes, environment, inside,
                           PrivateRepository(processes, environment, remote.directory().path(), remote.path().string(),
                                             Secret(), Holds::history));
  auto fetched = history.fetch({"main", head, kPull}, 50);
  ASSERT_TRUE(fetched) << describe(fetched.error());
  EXPECT_THAT((*fetched)->changes(kBase, head, true).value().paths.value(), ElementsAre("x", "y"));
  EXPECT_EQ((*fetched)->files_at(head, {"x"}).value(), std::vector<std::string>{"x"});
}

}  // namespace
}  // namespace crategate::git
