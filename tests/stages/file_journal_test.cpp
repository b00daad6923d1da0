// The journal on a disk: what is there stays when nothing more fits.
#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "stages/journal_sample.h"
#include "stages/journal_store.h"
#include "stages/project.h"

namespace crategate::stages {
namespace {

using sample::journal;
using sample::kImages;
using ::testing::HasSubstr;

TEST(FileJournal, IsReadByWhoeverComesNext) {
  sample::Project project;
  FileJournal first(project.files, project.workspace, kImages), second(project.files, project.workspace, kImages);
  EXPECT_EQ(first.open().value().journal, std::nullopt);
  ASSERT_TRUE(first.keep(journal(1)));
  EXPECT_EQ(second.open().error().code, ErrorCode::conflict) << "while the first is at work";
  EXPECT_EQ(second.read().value(), journal(1)) << "reading takes no lock";
  ASSERT_TRUE(first.close());
  EXPECT_EQ(second.open().value().journal, journal(1));
  EXPECT_EQ(FileJournal(project.files, project.workspace, "me/other").read().value(), std::nullopt);
}

TEST(FileJournal, RefusesWhatIsNoJournalOfTheseImages) {
  sample::Project project;
  FileJournal kept(project.files, project.workspace, kImages);
  pipeline::Journal foreign = journal(1);
  foreign.images = "me/other";
  for (const std::string& text : {std::string("{\"schema\":1"), pipeline::to_json(foreign)}) {
    project.write(kept.place(), text);
    const auto read = kept.open();
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, ErrorCode::bad_input);
    EXPECT_THAT(describe(read.error()), HasSubstr(kept.place()));
  }
}

enum Outcome : int { kAsPromised = 0, kFitted, kOtherError, kOldOneGone, kNoLimit };

/// In a process of its own, in which no file grows above 64 KiB: the kernel cuts the write as a full disk does, and that
/// needs no right to mount one.
Outcome fill_what_there_is(sample::Project& project) {
  const rlimit limit{.rlim_cur = 64u << 10, .rlim_max = 64u << 10};
  if (::signal(SIGXFSZ, SIG_IGN) == SIG_ERR || ::setrlimit(RLIMIT_FSIZE, &limit) != 0) return kNoLimit;
  FileJournal kept(project.files, project.workspace, kImages);
  if (!kept.keep(journal(1))) return kOtherError;
  auto large = journal(2);
  large.commit.assign(100'000, 'x');
  const auto full = kept.keep(large);
  if (full) return kFitted;
  if (full.error().code != ErrorCode::no_space) return kOtherError;
  const auto old = kept.read();
  const bool intact = old && *old == journal(1) && kept.keep(journal(3));
  return intact ? kAsPromised : kOldOneGone;
}

TEST(FileJournal, ADiskWithoutRoomKeepsTheOldOne) {
  sample::Project project;
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) ::_exit(fill_what_there_is(project));
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), kAsPromised);
}

}  // namespace
}  // namespace crategate::stages
