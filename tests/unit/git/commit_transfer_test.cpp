// One commit from a real remote and one back: exactly the one that was asked for, and only on top of what was expected.
#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <optional>
#include <thread>

#include "git/git_commit_transfer.h"
#include "unit/git/ref_store_fixture.h"

namespace crategate::git {
namespace {

using ::testing::HasSubstr;

const std::string kBranch = "refs/heads/topic", kPull = "refs/pull/7/head";

class CommitTransferTest : public ::testing::Test {
 protected:
  CommitTransferTest() {
    remote.check_out(remote.path().string());
    first = commit("first");
    remote.in_checkout({"push", "-q", "origin", concat("HEAD:", kBranch), concat("HEAD:", kPull)});
  }
  std::string commit(const std::string& text) {
    remote.directory().write("checkout/file", text);
    remote.in_checkout({"add", "file"});
    remote.in_checkout({"-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", text});
    return remote.in_checkout({"rev-parse", "HEAD"});
  }
  GitCommitTransfer transfer() {
    return GitCommitTransfer(PrivateRepository(processes, environment, remote.directory().path(),
                                               remote.path().string(), Secret(), Holds::commits));
  }
  /// On top of `parent`, made in the private repository.
  std::string next_in(const GitCommitTransfer& from, const std::string& parent, const std::string& message) const {
    const std::string at = from.repository().string();
    return remote.git({"-C", at, "-c", "user.name=a", "-c", "user.email=a@b", "commit-tree",
                       remote.git({"-C", at, "rev-parse", concat(parent, "^{tree}")}), "-p", parent, "-m", message});
  }

  test::GitRemote remote;
  test::FakeEnvironment environment = test::job_environment();
  test::RecordingProcessRunner processes;
  std::string first;
};

TEST_F(CommitTransferTest, FetchesTheCommitAloneAndPushesOnTopOfIt) {
  commit("second");
  auto transfer = this->transfer();
  ASSERT_TRUE(transfer.fetch(first, kPull));
  EXPECT_EQ(remote.git({"-C", transfer.repository().string(), "show", concat(first, ":file")}), "first");
  const std::string next = next_in(transfer, first, "next");
  EXPECT_TRUE(transfer.push(next, kBranch, first).value());
  EXPECT_EQ(remote.in_remote({"rev-parse", kBranch}), next);
  EXPECT_EQ(remote.in_remote({"rev-list", "--count", kBranch}), "2");
}

/// The branch has moved on, and the pull request with it: the pinned commit is still what comes.
// Commits go to the disk; where RUNNER_TEMP is /tmp itself, which jobs share, to memory.
TEST_F(CommitTransferTest, FindsAPlaceWhereTemporaryFilesAreShared) {
  environment.set("RUNNER_TEMP", "/tmp");
  auto transfer = this->transfer();
  const auto fetched = transfer.fetch(first, kPull);
  ASSERT_TRUE(fetched) << describe(fetched.error());
  EXPECT_TRUE(transfer.repository().string().starts_with("/dev/shm/")) << transfer.repository();
}

TEST_F(CommitTransferTest, FetchesACommitThatNoRefNames) {
  commit("second");
  remote.in_checkout({"push", "-q", "--force", "origin", concat("HEAD:", kBranch), concat("HEAD:", kPull)});
  remote.in_remote({"config", "uploadpack.allowAnySHA1InWant", "true"});
  auto transfer = this->transfer();
  const auto fetched = transfer.fetch(first, kPull);
  ASSERT_TRUE(fetched) << describe(fetched.error());
  EXPECT_EQ(remote.git({"-C", transfer.repository().string(), "show", concat(first, ":file")}), "first");
}

TEST_F(CommitTransferTest, SaysThatACommitIsNowhere) {
  auto transfer = this->transfer();
  const auto fetched = transfer.fetch(std::string(40, 'a'), kPull);
  ASSERT_FALSE(fetched);
  EXPECT_EQ(fetched.error().code, ErrorCode::not_found) << describe(fetched.error());
  EXPECT_THAT(fetched.error().message, HasSubstr(kPull));
  EXPECT_TRUE(transfer.fetch(first, kPull)) << "nothing is left of it";
}

TEST_F(CommitTransferTest, LeavesABranchThatHasMoved) {
  auto one = transfer(), two = transfer();
  ASSERT_TRUE(one.fetch(first, kPull));
  ASSERT_TRUE(two.fetch(first, kPull));
  const std::string winner = next_in(one, first, "winner");
  EXPECT_TRUE(one.push(winner, kBranch, first).value());
  EXPECT_FALSE(two.push(next_in(two, first, "loser"), kBranch, first).value());
  EXPECT_EQ(remote.in_remote({"rev-parse", kBranch}), winner);
  remote.in_remote({"update-ref", "-d", kBranch});
  EXPECT_FALSE(one.push(next_in(one, winner, "late"), kBranch, winner).value()) << "the branch was deleted";
}

// A34: whoever pushes at the same time, no commit is lost.
TEST_F(CommitTransferTest, LosesNoCommitInARace) {
  constexpr int kRounds = 100;
  std::string tip = first;
  for (int round = 0; round < kRounds; ++round) {
    std::array<std::optional<GitCommitTransfer>, 2> transfers = {transfer(), transfer()};
    std::array<std::string, 2> commits;
    for (std::size_t i = 0; i < 2; ++i) {
      ASSERT_TRUE(transfers[i]->fetch(tip, kPull));
      commits[i] = next_in(*transfers[i], tip, concat("round ", round, " of ", i));
    }
    std::array<Result<bool>, 2> pushed;
    std::thread other([&] { pushed[1] = transfers[1]->push(commits[1], kBranch, tip); });
    pushed[0] = transfers[0]->push(commits[0], kBranch, tip);
    other.join();
    ASSERT_TRUE(pushed[0] && pushed[1]);
    ASSERT_NE(*pushed[0], *pushed[1]) << "one of two wins";
    tip = commits[*pushed[0] ? 0 : 1];
    EXPECT_EQ(remote.in_remote({"rev-parse", kBranch}), tip);
  }
  EXPECT_EQ(remote.in_remote({"rev-list", "--count", kBranch}), std::to_string(kRounds + 1));
}

TEST_F(CommitTransferTest, TakesNothingElseForACommitOrABranch) {
  auto transfer = this->transfer();
  EXPECT_FALSE(transfer.fetch("--upload-pack=/bin/true", kPull));
  EXPECT_FALSE(transfer.fetch("main", kPull));
  EXPECT_FALSE(transfer.push(first, "refs/tags/v1", first));
  EXPECT_FALSE(transfer.push(first, "main", first));
  EXPECT_FALSE(transfer.push("main", kBranch, first));
}

/// Lets the server do all of it, and is out of time, or cancelled, before its answer is there.
class LostAnswer final : public sys::ProcessRunner {
 public:
  explicit LostAnswer(sys::ProcessRunner& processes) : processes_(processes) {}
  Result<sys::ProcessOutcome> run(const sys::Command& command, const sys::RunOptions& options) override {
    auto outcome = processes_.run(command, options);
    if (outcome && std::ranges::find(command.arguments, "push") != command.arguments.end()) outcome->timed_out = true;
    return outcome;
  }

 private:
  sys::ProcessRunner& processes_;
};

TEST_F(CommitTransferTest, LooksWhereTheBranchIsWhenTheAnswerIsLost) {
  LostAnswer lost(processes);
  GitCommitTransfer transfer(PrivateRepository(lost, environment, remote.directory().path(), remote.path().string(),
                                               Secret(), Holds::commits));
  ASSERT_TRUE(transfer.fetch(first, kPull));
  const std::string next = next_in(transfer, first, "next");
  const auto done = transfer.push(next, kBranch, first);
  ASSERT_TRUE(done) << describe(done.error());
  EXPECT_TRUE(*done);
  remote.hook("remote.git/hooks/pre-receive", "exit 1\n");
  const auto not_done = transfer.push(next_in(transfer, next, "later"), kBranch, next);
  ASSERT_FALSE(not_done);
  EXPECT_EQ(not_done.error().code, ErrorCode::unavailable);
  EXPECT_THAT(describe(not_done.error()), HasSubstr("took longer than"));
  remote.in_remote({"update-ref", "-d", kBranch});
  EXPECT_FALSE(transfer.push(next_in(transfer, next, "late"), kBranch, next).value()) << "it is another";
}

TEST_F(CommitTransferTest, SaysWhatAServerRefuses) {
  auto transfer = this->transfer();
  ASSERT_TRUE(transfer.fetch(first, kPull));
  remote.hook("remote.git/hooks/pre-receive", "echo 'this branch is protected' >&2; exit 1\n");
  const auto pushed = transfer.push(next_in(transfer, first, "next"), kBranch, first);
  ASSERT_FALSE(pushed);
  EXPECT_EQ(pushed.error().code, ErrorCode::forbidden);
  EXPECT_THAT(describe(pushed.error()), HasSubstr("this branch is protected"));
  EXPECT_THAT(pushed.error().hint, HasSubstr("rule or a hook of the branch"));
  EXPECT_EQ(remote.in_remote({"rev-parse", kBranch}), first);
}

}  // namespace
}  // namespace crategate::git
