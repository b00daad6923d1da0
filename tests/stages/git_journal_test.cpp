// Lease and journal in one ref of a real repository: two runs, clocks that jump, answers that are lost.
#include "stages/git_journal.h"

#include <gmock/gmock.h>

#include "stages/journal_sample.h"
#include "stages/project.h"
#include "unit/git/ref_store_fixture.h"

namespace crategate::stages {
namespace {

using pipeline::LeaseHolder;
using sample::journal;
using sample::kImages;
using std::chrono::hours;
using std::chrono::seconds;
using ::testing::HasSubstr;

/// A real store whose network fails where a test says so.
class UnreliableStore final : public git::RefStore {
 public:
  explicit UnreliableStore(git::RefStore& real) : real_(real) {}
  Result<std::optional<git::RefState>> read(const std::string& ref) override {
    if (down) return fail(ErrorCode::unavailable, "no network");
    return real_.read(ref);
  }
  Result<std::optional<std::string>> compare_and_swap(const std::string& ref,
                                                      const std::optional<std::string>& expected,
                                                      const std::map<std::string, std::string>& files,
                                                      const std::string& message) override {
    ++swaps;
    if (down) return fail(ErrorCode::unavailable, "no network");
    auto swapped = real_.compare_and_swap(ref, expected, files, message);
    if (std::exchange(lose_answer, false)) return fail(ErrorCode::unavailable, "the answer was lost");
    return swapped;
  }
  std::string place() const override { return real_.place(); }
  bool down = false, lose_answer = false;
  int swaps = 0;

 private:
  git::RefStore& real_;
};

class GitJournalTest : public ::testing::Test {
 protected:
  struct Run {
    Run(GitJournalTest& test, LeaseHolder self)
        : real(test.processes, test.environment, test.remote.directory().path(), test.remote.path().string(), Secret()),
          store(real),
          kept(store, clock, kImages, std::move(self)) {}
    test::FakeClock clock;  ///< of this run's machine
    git::GitRefStore real;
    UnreliableStore store;
    GitJournal kept;
  };
  /// Puts a file into the ref as somebody else might.
  void put(const std::string& name, const std::string& text) {
    const auto was = first.real.read(kRef).value();
    auto files = was ? was->files : std::map<std::string, std::string>{};
    files[name] = text;
    ASSERT_TRUE(first.real.compare_and_swap(kRef, was ? std::optional(was->oid) : std::nullopt, files, "m").value());
  }
  pipeline::Lease lease() {
    return pipeline::parse_lease(first.real.read(kRef).value()->files.at("lease.json"), "lease.json").value();
  }
  static void pass(std::initializer_list<Run*> runs, seconds time) {
    for (Run* run : runs) run->clock.advance(time);
  }

  const std::string kRef = concat("refs/crategate/", journal_name(kImages));
  test::GitRemote remote;
  test::FakeEnvironment environment = test::job_environment();
  sys::PosixProcessRunner processes;
  Run first{*this, {.run = "7", .attempt = "1", .id = "first"}};
  Run second{*this, {.run = "8", .attempt = "1", .id = "second"}};
};

TEST_F(GitJournalTest, KeepsTheJournalForWhoeverComesNext) {
  EXPECT_EQ(first.kept.read().value(), std::nullopt);
  const auto opened = first.kept.open().value();
  EXPECT_EQ(opened.journal, std::nullopt);
  EXPECT_FALSE(opened.taken_over);
  ASSERT_TRUE(first.kept.keep(journal(1)));
  EXPECT_EQ(second.kept.read().value(), journal(1)) << "reading needs no lease";
  ASSERT_TRUE(first.kept.keep(journal(1, pipeline::JournalState::done)));
  ASSERT_TRUE(first.kept.close());
  EXPECT_TRUE(first.kept.close()) << "twice is as good";
  EXPECT_EQ(lease(), (pipeline::Lease{.epoch = 1, .holder = {}, .until = {}}));
  const auto next = second.kept.open().value();
  EXPECT_EQ(next.journal, journal(1, pipeline::JournalState::done));
  EXPECT_FALSE(next.taken_over);
  EXPECT_EQ(lease().epoch, 2);
  EXPECT_THAT(second.kept.place(), HasSubstr(kRef));
}

TEST_F(GitJournalTest, SaysWhoHasTheLeaseAndUntilWhen) {
  ASSERT_TRUE(first.kept.open());
  const auto refused = second.kept.open();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::conflict);
  EXPECT_THAT(refused.error().message, HasSubstr("attempt 1 of the workflow run 7"));
  EXPECT_THAT(refused.error().message, HasSubstr("until 2026-11-20T09:31:18Z"));
  EXPECT_FALSE(refused.error().hint.empty());
  for (const auto& failed : {second.kept.keep(journal(1)), second.kept.hold()}) {
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, ErrorCode::internal) << "not without the lease";
  }
  EXPECT_TRUE(second.kept.close()) << "nothing to give back";
  EXPECT_EQ(lease().holder->id, "first");
}

// B27: a killed holder gives nothing back; its lease ends by itself, a margin later for clocks that differ.
TEST_F(GitJournalTest, B27TakesOverWhatRanOutAndNotBefore) {
  ASSERT_TRUE(first.kept.open());
  ASSERT_TRUE(first.kept.keep(journal(1)));
  pass({&first, &second}, pipeline::kLeaseLength + pipeline::kClockMargin - seconds(1));
  EXPECT_FALSE(second.kept.open());
  pass({&second}, seconds(1));
  const auto taken = second.kept.open();
  ASSERT_TRUE(taken) << describe(taken.error());
  EXPECT_TRUE(taken->taken_over);
  EXPECT_EQ(taken->journal, journal(1));
  // The one that was silent wakes up, and writes nothing.
  for (const auto& late : {first.kept.hold(), first.kept.keep(journal(9)), first.kept.keep(journal(9))}) {
    ASSERT_FALSE(late);
    EXPECT_THAT(describe(late.error()),
                ::testing::AnyOf(HasSubstr("the lease was lost"), HasSubstr("to be taken first")));
  }
  EXPECT_EQ(second.kept.read().value(), journal(1));
  EXPECT_TRUE(first.kept.close());
  EXPECT_EQ(lease().holder->id, "second");
}

TEST_F(GitJournalTest, TheNextAttemptOfTheSameRunNeedNotWait) {
  ASSERT_TRUE(first.kept.open());
  ASSERT_TRUE(first.kept.keep(journal(1)));
  Run again(*this, {.run = "7", .attempt = "2", .id = "again"});
  const auto taken = again.kept.open();
  ASSERT_TRUE(taken) << describe(taken.error());
  EXPECT_TRUE(taken->taken_over) << "a write of the earlier one may still be on its way";
  EXPECT_EQ(taken->journal, journal(1));
  const auto lost = first.kept.keep(journal(2));
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, ErrorCode::conflict);
  Run beside(*this, {.run = "7", .attempt = "2", .id = "beside"});
  EXPECT_FALSE(beside.kept.open()) << "another job of one attempt is another release";
}

TEST_F(GitJournalTest, RenewsAtTheThresholdOnly) {
  ASSERT_TRUE(first.kept.open());
  const int taken = first.store.swaps;
  pass({&first}, pipeline::kLeaseLength - pipeline::kRenewBelow);
  ASSERT_TRUE(first.kept.hold());
  EXPECT_EQ(first.store.swaps, taken);
  pass({&first}, seconds(1));
  ASSERT_TRUE(first.kept.hold());
  EXPECT_EQ(first.store.swaps, taken + 1);
  EXPECT_EQ(lease().until, sys::rfc3339(first.clock.now() + pipeline::kLeaseLength));
  EXPECT_EQ(lease().epoch, 1) << "renewed, not taken";
  ASSERT_TRUE(first.kept.hold());
  EXPECT_EQ(first.store.swaps, taken + 1);
}

TEST_F(GitJournalTest, WithoutTheRemoteTrustsWhatIsLeftDownToALimit) {
  ASSERT_TRUE(first.kept.open());
  first.store.down = true;
  pass({&first}, pipeline::kLeaseLength - pipeline::kTrustedAbove);
  EXPECT_TRUE(first.kept.hold());
  pass({&first}, seconds(1));
  const auto held = first.kept.hold();
  ASSERT_FALSE(held);
  EXPECT_EQ(held.error().code, ErrorCode::unavailable);
  first.store.down = false;
  EXPECT_TRUE(first.kept.hold()) << "nobody has taken it meanwhile";
}

// B28
TEST_F(GitJournalTest, B28TheHolderIsIndifferentToItsWallClock) {
  for (const auto jump : {hours(24), hours(-24), hours(-87600), hours(87600)}) {
    ASSERT_TRUE(first.kept.open());
    ASSERT_TRUE(first.kept.keep(journal(1)));
    first.clock.set_now(first.clock.now() + jump);
    EXPECT_TRUE(first.kept.hold()) << jump.count();
    EXPECT_TRUE(first.kept.keep(journal(2))) << jump.count();
    // Nor does a wall clock that went back make a lease longer: it is renewed when it is due.
    const int before = first.store.swaps;
    first.clock.advance(pipeline::kLeaseLength - pipeline::kRenewBelow + seconds(1));
    EXPECT_TRUE(first.kept.hold());
    EXPECT_EQ(first.store.swaps, before + 1) << jump.count();
    EXPECT_TRUE(first.kept.close());
    first.clock.set_now(first.clock.now() - jump);
  }
}

TEST_F(GitJournalTest, AMachineThatSleptRenewsBeforeItWrites) {
  ASSERT_TRUE(first.kept.open());
  // While a machine sleeps its monotonic clock stands.
  first.clock.set_now(first.clock.now() + pipeline::kLeaseLength + pipeline::kClockMargin);
  second.clock.set_now(first.clock.now());
  ASSERT_TRUE(second.kept.open());
  const auto held = first.kept.hold();
  ASSERT_FALSE(held);
  EXPECT_EQ(held.error().code, ErrorCode::conflict);
}

TEST_F(GitJournalTest, ClocksThatDifferByLessThanTheMarginTakeNothingAway) {
  ASSERT_TRUE(first.kept.open());
  second.clock.set_now(second.clock.now() + pipeline::kLeaseLength + pipeline::kClockMargin - seconds(1));
  EXPECT_FALSE(second.kept.open());
}

TEST_F(GitJournalTest, AWriteWithALostAnswerIsStillItsOwn) {
  ASSERT_TRUE(first.kept.open());
  first.store.lose_answer = true;
  EXPECT_FALSE(first.kept.keep(journal(1)));
  EXPECT_EQ(second.kept.read().value(), journal(1));
  ASSERT_TRUE(first.kept.keep(journal(2))) << "what is there is what it wrote";
  first.store.lose_answer = true;
  EXPECT_FALSE(first.kept.keep(journal(3)));
  ASSERT_TRUE(first.kept.close());
  EXPECT_EQ(second.kept.read().value(), journal(3)) << "giving back changes the lease alone";
  EXPECT_FALSE(lease().holder);
}

TEST_F(GitJournalTest, OfTwoThatOpenAtOnceOneWins) {
  // Between the look and the swap of the first the second one takes it.
  class Overtaken final : public git::RefStore {
   public:
    Overtaken(git::RefStore& real, GitJournal& other) : real_(real), other_(other) {}
    Result<std::optional<git::RefState>> read(const std::string& ref) override { return real_.read(ref); }
    Result<std::optional<std::string>> compare_and_swap(const std::string& ref,
                                                        const std::optional<std::string>& expected,
                                                        const std::map<std::string, std::string>& files,
                                                        const std::string& message) override {
      EXPECT_TRUE(other_.open());
      return real_.compare_and_swap(ref, expected, files, message);
    }
    std::string place() const override { return real_.place(); }

   private:
    git::RefStore& real_;
    GitJournal& other_;
  };
  Overtaken store(first.real, second.kept);
  GitJournal slow(store, first.clock, kImages, {.run = "7", .attempt = "1", .id = "slow"});
  const auto opened = slow.open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::conflict);
  EXPECT_THAT(opened.error().message, HasSubstr("workflow run 8"));
  EXPECT_TRUE(second.kept.keep(journal(1)));
}

TEST_F(GitJournalTest, ShowsWhoHasTheLeaseToWhoeverReads) {
  using pipeline::Claim, pipeline::SeenLease;
  EXPECT_EQ(second.kept.lease(), std::nullopt) << "nothing was read";
  ASSERT_TRUE(second.kept.read());
  EXPECT_EQ(second.kept.lease(), SeenLease{});
  ASSERT_TRUE(first.kept.open());
  ASSERT_TRUE(second.kept.read());
  const std::string holder = LeaseHolder{.run = "7", .attempt = "1", .id = "first"}.text();
  EXPECT_EQ(second.kept.lease(), (SeenLease{Claim::held, holder, "2026-11-20T09:31:18Z"}));
  EXPECT_EQ(lease().holder->id, "first") << "reading takes nothing";
  pass({&second}, pipeline::kLeaseLength + pipeline::kClockMargin);
  ASSERT_TRUE(second.kept.read());
  EXPECT_EQ(second.kept.lease()->claim, Claim::expired);
  ASSERT_TRUE(first.kept.close());
  ASSERT_TRUE(second.kept.read());
  EXPECT_EQ(second.kept.lease(), SeenLease{});
}

TEST_F(GitJournalTest, DoesNotPassOverWhatAFileHasOpen) {
  sample::Project project;
  sys::PosixFileSystem files;
  FileJournal file(files, project.workspace, kImages);
  GitJournal kept(first.store, first.clock, kImages, {.run = "7", .attempt = "1", .id = "first"}, &file);
  ASSERT_TRUE(kept.open()) << "there is no file";
  ASSERT_TRUE(kept.close());
  ASSERT_TRUE(file.keep(journal(4)));
  const auto refused = kept.open();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::conflict);
  EXPECT_THAT(refused.error().message, ::testing::AllOf(HasSubstr(file.place()), HasSubstr("v1.2.3")));
  EXPECT_THAT(refused.error().hint, HasSubstr("crategate recover --release-lease none --release-journal file"));
  EXPECT_FALSE(lease().holder) << "nothing was taken";
  EXPECT_TRUE(kept.read()) << "looking is free";
  ASSERT_TRUE(file.keep(journal(4, pipeline::JournalState::rolled_back)));
  EXPECT_TRUE(kept.open());
}

TEST_F(GitJournalTest, RefusesWhatIsNoJournalOfTheseImages) {
  pipeline::Journal foreign = journal(1);
  foreign.images = "me/other";
  const struct {
    std::string name, file, text, part;
  } rows[] = {
      {"cut", "journal.json", "{\"schema\":1", "journal.json"},
      {"foreign", "journal.json", pipeline::to_json(foreign), "found that of me/other"},
      {"a lease that is none", "lease.json", "[]", "lease.json"},
      {"another file", "README.md", "hello", "found \"README.md\""},
  };
  for (const auto& row : rows) {
    put(row.file, row.text);
    for (const auto& failed : {first.kept.open().error(), first.kept.read().error()}) {
      EXPECT_EQ(failed.code, ErrorCode::bad_input) << row.name;
      EXPECT_THAT(describe(failed), HasSubstr(row.part)) << row.name;
      EXPECT_THAT(describe(failed), HasSubstr(kRef)) << row.name;
      const bool of_others = row.name == "foreign";
      EXPECT_THAT(failed.hint, HasSubstr(of_others ? std::string("Put it back") : concat(" :", kRef, "`"))) << row.name;
    }
    remote.in_remote({"update-ref", "-d", kRef});
  }
}

}  // namespace
}  // namespace crategate::stages
