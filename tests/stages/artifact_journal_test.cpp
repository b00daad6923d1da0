// The journal as artifacts: through a client of ours and the strict service on loopback.
#include "stages/artifact_journal.h"

#include <gmock/gmock.h>

#include "stages/journal_sample.h"
#include "stages/project.h"
#include "wire/actions/artifact_fixture.h"
#include "zip/write.h"

namespace crategate::stages {
namespace {

using sample::journal;
using sample::kImages;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ArtifactJournalTest : public ::testing::Test {
 protected:
  /// As another job of the run has it, on a machine of its own.
  struct Job {
    Job(ArtifactJournalTest& test, const std::string& name, const std::string& attempt)
        : store(test.service.http, test.service.clock, test.service.access(name), test::small_limits()),
          kept([this] { return Result<actions::ArtifactStore*>(&store); }, files, machine.workspace, kImages,
               {.retention_days = 3, .maker = {.run = "7", .attempt = attempt, .job = name}}) {}
    actions::ServiceArtifactStore store;
    sample::Project machine;
    sys::PosixFileSystem files;
    ArtifactJournal kept;
  };
  std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (const auto& stored : service.service.stored()) found.push_back(stored.name);
    return found;
  }
  void add(const std::string& name, const std::string& member, const std::string& text, const std::string& job = "x",
           bool finished = true) {
    std::string bytes;
    ASSERT_TRUE(zip::write({{.name = member, .kind = zip::Member::Kind::text, .content = text}}, {},
                           [&](std::string_view piece) -> Result<void> {
                             bytes += piece;
                             return {};
                           }));
    service.service.add(name, bytes, job, finished);
  }

  test::ArtifactFixture service;
  const std::string prefix = concat("release-journal-", journal_name(kImages), "-");
  Job first{*this, "push", "1"};
};

TEST_F(ArtifactJournalTest, EachStateIsAnArtifactAndTheHighestCounts) {
  EXPECT_EQ(first.kept.open().value().journal, std::nullopt);
  for (int epoch = 1; epoch <= 3; ++epoch) {
    const auto kept = first.kept.keep(journal(epoch));
    ASSERT_TRUE(kept) << describe(kept.error());
  }
  EXPECT_THAT(names(), ElementsAre(prefix + "0001", prefix + "0002", prefix + "0003"));
  // The next attempt, on another machine.
  Job again(*this, "push-again", "2");
  EXPECT_EQ(again.kept.open().value().journal, journal(3));
  ASSERT_TRUE(again.kept.keep(journal(4)));
  EXPECT_EQ(first.kept.read().value(), journal(4));
  EXPECT_TRUE(first.kept.hold() && first.kept.close());
  EXPECT_TRUE(service.service.complaints().empty());
}

TEST_F(ArtifactJournalTest, KeepsTheSameInTheLocalFile) {
  ASSERT_TRUE(first.kept.keep(journal(1)));
  FileJournal local(first.files, first.machine.workspace, kImages);
  EXPECT_EQ(local.read().value(), journal(1));
  // A new run of the workflow sees no artifact of this one; a machine that was kept has the file.
  test::ArtifactFixture other;
  ArtifactJournal next([&] { return Result<actions::ArtifactStore*>(&other.store); }, first.files,
                       first.machine.workspace, kImages, {});
  EXPECT_EQ(next.open().value().journal, journal(1));
  sample::Project fresh;
  ArtifactJournal nothing([&] { return Result<actions::ArtifactStore*>(&other.store); }, first.files, fresh.workspace,
                          kImages, {});
  EXPECT_EQ(nothing.open().value().journal, std::nullopt);
}

using pipeline::JournalState;

pipeline::Journal of_another_run(std::int64_t epoch, const std::string& started, JournalState state) {
  auto made = journal(epoch, state);
  made.run = "6";
  made.plan_id = "other";
  made.started_at = started;
  return made;
}
pipeline::Journal undone_from(pipeline::TagRank rank, JournalState state) {
  auto made = journal(5, state);
  made.undone_from = rank;
  return made;
}
const std::string kEarly = "2026-11-20T08:00:00Z", kLate = "2026-11-20T10:00:00Z";

// A machine that is kept has the file of whatever ran there last.
TEST_F(ArtifactJournalTest, NoFileHidesWhatTheRunHasOpenUnlessItContinuesThat) {
  FileJournal file(first.files, first.machine.workspace, kImages);
  using pipeline::TagRank;
  const auto open = JournalState::open, done = JournalState::done, rolled_back = JournalState::rolled_back;
  auto moved = journal(5, done);
  moved.moves.push_back({.cell = "c", .repository = "r", .tag = "t", .to = oci::Digest::of("x")});
  const auto forward = journal(5), back = undone_from(TagRank::moving, open);
  const struct {
    std::string name;
    pipeline::Journal of_run, file;
    bool counts;
  } rows[] = {
      {"another run's, later and closed", forward, of_another_run(3, kLate, done), false},
      {"another run's, later and counted further", forward, of_another_run(9, kLate, done), false},
      {"another run's, later and open", forward, of_another_run(6, kLate, open), false},
      {"another run's, earlier", forward, of_another_run(3, kEarly, done), false},
      {"the same", forward, forward, false},
      {"the end of the same", forward, journal(5, done), true},
      {"the undoing of the same", forward, back, true},
      {"the same, undone", forward, undone_from(TagRank::version, rolled_back), true},
      {"of that name, with other tags", forward, moved, false},
      {"of that name, counted elsewhere", forward, journal(6, done), false},
      {"from before the undoing", back, forward, false},
      {"an end from before the undoing", back, journal(5, done), false},
      {"more of it undone", back, undone_from(TagRank::version, open), true},
      {"the end of the undoing", back, undone_from(TagRank::moving, rolled_back), true},
  };
  int number = 0;
  for (const auto& row : rows) {
    ++number;
    add(concat(prefix, number < 10 ? "000" : "00", number), "journal.json", pipeline::to_json(row.of_run));
    ASSERT_TRUE(file.keep(row.file));
    EXPECT_EQ(first.kept.open().value().journal, row.counts ? row.file : row.of_run) << row.name;
  }
  first.machine.write(file.place(), "{");
  EXPECT_EQ(first.kept.open().value().journal, back) << "a file that is damaged hides nothing";
}

TEST_F(ArtifactJournalTest, WhatAnotherRunLeftOpenInTheFileIsNotPassedOver) {
  FileJournal file(first.files, first.machine.workspace, kImages);
  auto settled = of_another_run(4, kEarly, JournalState::done), begun_here = journal(4);
  begun_here.started_at = kEarly;
  const auto open = JournalState::open, done = JournalState::done;
  const auto of_run = journal(5, done);
  const struct {
    std::string name;
    pipeline::Journal of_run, file;
    bool counts;
  } rows[] = {
      {"open, of before", of_run, of_another_run(3, kEarly, open), true},
      {"open, begun later", of_run, of_another_run(6, kLate, open), true},
      {"open, and this run has settled it", settled, of_another_run(4, kEarly, open), false},
      {"open, begun by this run, which has gone on", of_run, begun_here, false},
      {"open, and this run has closed it", of_run, journal(5), false},
      {"closed, begun later", of_run, of_another_run(6, kLate, done), true},
      {"closed, of before", of_run, of_another_run(9, kEarly, done), false},
  };
  int number = 0;
  for (const auto& row : rows) {
    add(concat(prefix, "000", ++number), "journal.json", pipeline::to_json(row.of_run));
    ASSERT_TRUE(file.keep(row.file));
    EXPECT_EQ(first.kept.open().value().journal, row.counts ? row.file : row.of_run) << row.name;
  }
}

TEST_F(ArtifactJournalTest, OfTwoOpenReleasesNeitherIsLost) {
  FileJournal file(first.files, first.machine.workspace, kImages);
  const auto of_run = journal(5), elsewhere = of_another_run(3, kLate, JournalState::open);
  add(prefix + "0001", "journal.json", pipeline::to_json(of_run));
  ASSERT_TRUE(file.keep(elsewhere));
  EXPECT_EQ(first.kept.open().value().journal, of_run);
  ASSERT_TRUE(first.kept.keep(journal(5, JournalState::done)));
  EXPECT_EQ(file.read().value(), elsewhere) << "nobody has settled it yet";
  // The next command does, and from then on the file follows again.
  EXPECT_EQ(first.kept.open().value().journal, elsewhere);
  auto closed = elsewhere;
  closed.state = JournalState::stopped;
  ASSERT_TRUE(first.kept.keep(closed));
  EXPECT_EQ(file.read().value(), closed);
  EXPECT_EQ(first.kept.open().value().journal, closed);
}

TEST_F(ArtifactJournalTest, TwoJobsThatPublishAtOnceAreNoticed) {
  Job second(*this, "release", "1");
  ASSERT_TRUE(first.kept.open());
  ASSERT_TRUE(second.kept.open());
  ASSERT_TRUE(first.kept.keep(journal(1)));
  const auto refused = second.kept.keep(journal(9));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::conflict);
  EXPECT_THAT(refused.error().message, HasSubstr(prefix + "0001"));
  EXPECT_EQ(second.kept.read().value(), journal(1));
  // Nor does a later attempt replace what an earlier one has kept.
  Job later(*this, "push-again", "2");
  ASSERT_TRUE(later.kept.open());
  ASSERT_TRUE(first.kept.keep(journal(2)));
  EXPECT_FALSE(later.kept.keep(journal(9)));
  EXPECT_EQ(first.kept.read().value(), journal(2));
}

TEST_F(ArtifactJournalTest, ANameThatAKilledUploadTookIsPassedOver) {
  ASSERT_TRUE(first.kept.keep(journal(1)));
  service.service.add(prefix + "0002", "", "dead", false);
  const auto kept = first.kept.keep(journal(2));
  ASSERT_TRUE(kept) << describe(kept.error());
  EXPECT_EQ(first.kept.read().value(), journal(2));
  ASSERT_TRUE(first.kept.keep(journal(3)));
  EXPECT_THAT(names(), ElementsAre(prefix + "0001", prefix + "0002", prefix + "0003", prefix + "0004"));
}

TEST_F(ArtifactJournalTest, RefusesWhatIsNoJournalOfTheseImages) {
  pipeline::Journal foreign = journal(1);
  foreign.images = "me/other";
  const struct {
    std::string name, member, text, part;
    ErrorCode code;
  } rows[] = {
      {"cut", "journal.json", "{\"schema\":1", "journal.json", ErrorCode::bad_input},
      {"foreign", "journal.json", pipeline::to_json(foreign), "found that of me/other", ErrorCode::bad_input},
      {"another member", "x.json", "{}", "expected the member journal.json", ErrorCode::integrity},
  };
  int number = 1;
  for (const auto& row : rows) {
    const std::string name = concat(prefix, "000", number++);
    add(name, row.member, row.text);
    const auto read = first.kept.open();
    ASSERT_FALSE(read) << row.name;
    EXPECT_EQ(read.error().code, row.code) << row.name;
    EXPECT_THAT(describe(read.error()), HasSubstr(row.part)) << row.name;
    EXPECT_THAT(describe(read.error()), HasSubstr(name)) << row.name;
  }
  // Names that only look like it.
  Job next(*this, "other", "1");
  for (const std::string name : {"9", "00010", "0x11", "latest"}) add(prefix + name, "journal.json", "{}");
  add(prefix + "0004", "journal.json", pipeline::to_json(journal(4)));
  EXPECT_EQ(next.kept.read().value(), journal(4));
}

TEST_F(ArtifactJournalTest, NothingIsKeptWhereTheServiceRefuses) {
  ASSERT_TRUE(first.kept.keep(journal(1)));
  service.service.inject(test::Ask::create, {.status = 403}, 9);
  const auto refused = first.kept.keep(journal(2));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::artifact_service);
  EXPECT_EQ(FileJournal(first.files, first.machine.workspace, kImages).read().value(), journal(1));
}

}  // namespace
}  // namespace crategate::stages
