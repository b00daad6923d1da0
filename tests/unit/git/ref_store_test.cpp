// Compare and swap on real repositories: one wins, and everybody knows who.
#include "git/ref_store.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "sys/cancel.h"
#include "unit/git/ref_store_fixture.h"

namespace crategate::git {
namespace {

using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

const std::string kRef = "refs/crategate/app";
using Files = std::map<std::string, std::string>;

std::string all_of(const Error& error) { return concat(describe(error), "\n", error.hint); }

struct Fixture : ::testing::Test {
  GitRefStore store(const std::string& at) { return {processes, environment, remote.directory().path(), at, Secret()}; }
  GitRefStore store() { return store(remote.path().string()); }

  test::GitRemote remote;
  test::FakeEnvironment environment = test::job_environment();
  test::RecordingProcessRunner processes;
};
using RefStoreTest = Fixture;

TEST_F(RefStoreTest, ReadsWhatAnotherOneWrote) {
  GitRefStore one = store(), two = store();
  EXPECT_EQ(one.read(kRef).value(), std::nullopt);
  const Files files = {{"a.json", "{}\n"}, {"b", std::string(100'000, 'x')}, {"empty", ""}};
  const auto first = one.compare_and_swap(kRef, std::nullopt, files, "first").value();
  ASSERT_TRUE(first);
  const auto seen = two.read(kRef).value();
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->oid, *first);
  EXPECT_EQ(seen->files, files);
  const auto second = two.compare_and_swap(kRef, first, {{"a.json", "[]\n"}}, "second").value();
  ASSERT_TRUE(second);
  EXPECT_THAT(one.read(kRef).value()->files, UnorderedElementsAre(Pair("a.json", "[]\n")));
  // A chain: nothing that was there is lost.
  EXPECT_EQ(remote.in_remote({"rev-list", "--count", kRef}), "2");
  EXPECT_EQ(remote.in_remote({"log", "-1", "--format=%an %s", kRef}), "crategate second");
  EXPECT_EQ(remote.in_remote({"for-each-ref", "--format=%(refname)"}), kRef);
}

TEST_F(RefStoreTest, SwapsOnlyWhatWasExpected) {
  GitRefStore one = store(), two = store();
  const auto first = one.compare_and_swap(kRef, std::nullopt, {{"a", "1"}}, "first").value();
  const std::string unknown(40, 'a');
  const struct {
    const char* name;
    std::optional<std::string> expected;
  } rows[] = {{"absent, and it is there", std::nullopt}, {"never was", unknown}};
  for (const auto& row : rows)
    EXPECT_EQ(two.compare_and_swap(kRef, row.expected, {{"a", "2"}}, "m").value(), std::nullopt) << row.name;
  const auto second = one.compare_and_swap(kRef, first, {{"a", "3"}}, "second").value();
  ASSERT_TRUE(second);
  EXPECT_EQ(two.compare_and_swap(kRef, first, {{"a", "4"}}, "m").value(), std::nullopt) << "stale";
  EXPECT_EQ(two.read(kRef).value()->files.at("a"), "3");
  remote.in_remote({"update-ref", "-d", kRef});
  EXPECT_EQ(one.compare_and_swap(kRef, second, {{"a", "5"}}, "m").value(), std::nullopt) << "removed meanwhile";
  EXPECT_EQ(one.read(kRef).value(), std::nullopt);
}

// The same files, parent and moment: only one of two equal writers may believe that it has won.
TEST_F(RefStoreTest, OneOfTwoWritersWinsEachRound) {
  constexpr int kRounds = 50;
  GitRefStore stores[] = {store(), store()};
  std::optional<std::string> value;
  for (int round = 0; round < kRounds; ++round) {
    Result<std::optional<std::string>> swapped[2];
    std::thread other([&] { swapped[1] = stores[1].compare_and_swap(kRef, value, {{"a", "same"}}, "m"); });
    swapped[0] = stores[0].compare_and_swap(kRef, value, {{"a", "same"}}, "m");
    other.join();
    ASSERT_TRUE(swapped[0]) << all_of(swapped[0].error());
    ASSERT_TRUE(swapped[1]) << all_of(swapped[1].error());
    ASSERT_NE(swapped[0]->has_value(), swapped[1]->has_value()) << "round " << round;
    value = *swapped[0] ? *swapped[0] : *swapped[1];
    EXPECT_EQ(remote.in_remote({"rev-parse", kRef}), *value);
  }
  EXPECT_EQ(remote.in_remote({"rev-list", "--count", kRef}), std::to_string(kRounds));
}

TEST_F(RefStoreTest, SaysWhatTheServerRefused) {
  remote.hook("remote.git/hooks/pre-receive", "echo 'not in this repository' >&2\nexit 1\n");
  const auto refused = store().compare_and_swap(kRef, std::nullopt, {{"a", "1"}}, "m");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::forbidden);
  EXPECT_THAT(refused.error().message, HasSubstr("pre-receive hook declined"));
  EXPECT_THAT(refused.error().hint, HasSubstr("contents: write"));
  EXPECT_EQ(store().read(kRef).value(), std::nullopt);
}

// The push is done and its answer lost: what the ref says counts.
TEST_F(RefStoreTest, BelievesTheRefRatherThanALostAnswer) {
  remote.hook("remote.git/hooks/post-receive", "kill -9 $PPID\n");
  GitRefStore one = store();
  const auto swapped = one.compare_and_swap(kRef, std::nullopt, {{"a", "1"}}, "m");
  ASSERT_TRUE(swapped) << all_of(swapped.error());
  ASSERT_TRUE(*swapped);
  EXPECT_EQ(remote.in_remote({"rev-parse", kRef}), **swapped);
}

/// A remote that takes what it is sent and never answers: its commands last as long as they are let.
struct HangingRemote final : sys::ProcessRunner {
  Result<sys::ProcessOutcome> run(const sys::Command& command, const sys::RunOptions& options) override {
    const bool asks = std::ranges::any_of(
        command.arguments, [](const auto& word) { return word == "push" || word == "ls-remote" || word == "fetch"; });
    if (!hangs || !asks) return processes.run(command, options);
    sys::ProcessOutcome outcome{.exit_code = 143, .timed_out = true};
    outcome.elapsed = options.timeout.value() + options.grace;
    lasted += outcome.elapsed;
    return outcome;
  }
  bool hangs = false;
  std::chrono::milliseconds lasted{0};
  sys::PosixProcessRunner processes;
};

TEST_F(RefStoreTest, ACancelledRunDoesNotWaitForAHangingRemote) {
  HangingRemote hanging;
  GitRefStore store(hanging, environment, remote.directory().path(), remote.path().string(), Secret());
  const auto first = store.compare_and_swap(kRef, std::nullopt, {{"a", "1"}}, "first").value();
  ASSERT_TRUE(first);
  hanging.hangs = true;
  EXPECT_FALSE(store.compare_and_swap(kRef, first, {{"a", "2"}}, "renewed"));
  EXPECT_GE(hanging.lasted, std::chrono::seconds(60)) << "a run that goes on has time";
  hanging.lasted = {};
  sys::request_cancellation(ErrorCode::terminated);
  {
    const sys::CancellationPause pause;
    for (int tried = 0; tried < 3; ++tried) {
      const auto given_back = store.compare_and_swap(kRef, first, {{"a", "2"}}, "given back");
      ASSERT_FALSE(given_back);
      EXPECT_EQ(given_back.error().code, ErrorCode::unavailable);
      EXPECT_THAT(given_back.error().message, HasSubstr("longer than"));
    }
  }
  sys::reset_cancellation();
  EXPECT_GT(hanging.lasted, std::chrono::seconds(1));
  EXPECT_LE(hanging.lasted, std::chrono::milliseconds(3500)) << "of all together";
}

TEST_F(RefStoreTest, SaysThatThereIsNoSuchRemote) {
  remote.check_out("https://127.0.0.1:1/me/app.git");
  const sys::Path checkout = remote.checkout();
  const struct {
    std::string name, at;
    ErrorCode code;
    std::string part;
  } rows[] = {
      {"no repository", (remote.directory() / "none.git").string(), ErrorCode::not_found, "lease-remote"},
      {"nobody listens", "https://127.0.0.1:1/me/app.git", ErrorCode::unavailable, "127.0.0.1:1/me/app.git"},
      {"nobody listens, by name", "origin", ErrorCode::unavailable, "127.0.0.1:1/me/app.git"},
      {"no such name", "upstream", ErrorCode::bad_input, "\"upstream\": expected one of the checkout"},
      {"a name that is an option", "--upload-pack=x", ErrorCode::bad_input, "expected a name"},
      {"plain http", "http://127.0.0.1:1/a", ErrorCode::bad_input, "expected https, ssh, file"},
      {"an external protocol", "ext::sh -c touch% canary", ErrorCode::bad_input, "another protocol"},
      {"a login in a setting", "https://me:s3cret-word@h/a", ErrorCode::bad_input, "expected no login"},
  };
  for (const auto& row : rows) {
    GitRefStore at(processes, environment, checkout, row.at, Secret());
    const auto read = at.read(kRef);
    ASSERT_FALSE(read) << row.name;
    EXPECT_EQ(read.error().code, row.code) << row.name << ": " << all_of(read.error());
    EXPECT_THAT(all_of(read.error()), HasSubstr(row.part)) << row.name;
    EXPECT_EQ(all_of(read.error()).find("s3cret-word"), std::string::npos) << row.name;
  }
}

TEST_F(RefStoreTest, RefusesATreeThatIsNoneOfOurs) {
  remote.check_out(remote.path().string());
  remote.directory().write("checkout/folder/file", "x");
  std::filesystem::create_symlink("/etc/passwd", remote.checkout() / "link");
  for (const std::string name : {"folder", "link"}) {
    remote.in_checkout({"add", name});
    remote.in_checkout({"-c", "user.name=T", "-c", "user.email=t@example.org", "commit", "-q", "-m", "m"});
    remote.in_checkout({"push", "-q", "--force", "origin", concat("HEAD:", kRef)});
    const auto read = store().read(kRef);
    ASSERT_FALSE(read) << name;
    EXPECT_EQ(read.error().code, ErrorCode::bad_input);
    EXPECT_THAT(read.error().message, HasSubstr(name));
    remote.in_checkout({"rm", "-q", "-r", "--cached", name});
  }
}

}  // namespace
}  // namespace crategate::git
