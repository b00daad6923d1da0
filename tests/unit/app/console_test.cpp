// Results that do not arrive.
#include "app/console.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <iostream>

namespace crategate::app {
namespace {

/// Standard output as this descriptor, until the end.
class Redirected {
 public:
  explicit Redirected(int to) : kept_(::dup(STDOUT_FILENO)) {
    std::cout << std::flush;
    ::dup2(to, STDOUT_FILENO);
    ::close(to);
  }
  ~Redirected() {
    std::cout << std::flush;
    ::dup2(kept_, STDOUT_FILENO);
    ::close(kept_);
    std::cout.clear();
  }
  Redirected(const Redirected&) = delete;
  Redirected& operator=(const Redirected&) = delete;

 private:
  int kept_;
};

int full_device() { return ::open("/dev/full", O_WRONLY | O_CLOEXEC); }

int pipe_without_reader() {
  std::signal(SIGPIPE, SIG_IGN);
  int ends[2];
  EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  ::close(ends[0]);
  return ends[1];
}

struct LossRow {
  const char* name;
  int (*output)();
  ErrorCode code;
  const char* why;
};

TEST(ConsoleResults, ThatAreLostAreAnError) {
  const LossRow rows[] = {
      {"a full device", full_device, ErrorCode::no_space, "No space left on device"},
      {"a pipe that nobody reads", pipe_without_reader, ErrorCode::bad_input, "Broken pipe"},
  };
  for (const LossRow& row : rows) {
    Console console({});
    {
      const Redirected lost(row.output());
      console.result("sha256:1\n");
      console.result("sha256:2\n");
    }
    const auto checked = console.check_results();
    ASSERT_FALSE(checked) << row.name;
    EXPECT_EQ(checked.error().code, row.code) << row.name;
    EXPECT_THAT(checked.error().message, testing::HasSubstr(row.why)) << row.name;
  }
}

// B38: nobody reads, and nothing waits.
TEST(ConsoleLines, ThatNobodyReadsAreDroppedAndCounted) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  ASSERT_EQ(::fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
  Console console({.one_stream = true});
  log::configure({}, [&console](log::Level level, std::string_view text) { console.log_line(level, text); });
  std::string read;
  const auto drain = [&] {
    char buffer[65536];
    for (ssize_t got = 0; (got = ::read(ends[0], buffer, sizeof buffer)) > 0;)
      read.append(buffer, static_cast<std::size_t>(got));
  };
  {
    const Redirected full(ends[1]);
    {
      const DroppedLines no_waiting(console);
      const std::string line(1000, 'x');
      for (int i = 0; i < 200; ++i) console.log_line(log::Level::info, line);
      drain();
      console.log_line(log::Level::info, "heard again");
      console.log_line(log::Level::info, std::string(300'000, 'y'));
      drain();
      console.log_line(log::Level::info, "after what was torn");
    }
    drain();
  }
  log::configure({});
  ::close(ends[0]);
  EXPECT_THAT(read, testing::HasSubstr("\nheard again\n"));
  EXPECT_THAT(read, testing::HasSubstr("y\nafter what was torn\n"));
  EXPECT_THAT(read, testing::ContainsRegex("[0-9][0-9]+ lines of the log were dropped"));
}

TEST(ConsoleResults, ThatArriveAreNone) {
  Console console({});
  EXPECT_TRUE(console.check_results()) << "nothing was printed";
  console.result("");
  EXPECT_TRUE(console.check_results());
}

}  // namespace
}  // namespace crategate::app
