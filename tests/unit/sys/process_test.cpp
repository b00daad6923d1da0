// Children: what they get, how they end, what is left of them.
#include "sys/process.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <thread>

#include "base/strings.h"
#include "support/fakes.h"
#include "support/test_directory.h"
#include "sys/cancel.h"
#include "sys/clock.h"

namespace crategate::sys {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Command shell(std::string script) {
  return {.program = "sh", .arguments = {"-c", std::move(script)}, .environment = {{"PATH", "/usr/bin:/bin"}}};
}

ProcessOutcome run(const Command& command, const RunOptions& options = {}) {
  return PosixProcessRunner().run(command, options).value();
}

/// "Z", "S", …; empty when there is no such process.
std::string state_of(const std::string& pid) {
  const std::string status = PosixFileSystem().read("/proc/" + pid + "/stat", kTextLimit).value().value_or("");
  return status.empty() ? "" : status.substr(status.rfind(')') + 2, 1);
}

/// A killed process that is not our child stays a zombie until its new parent takes note.
bool has_ended_soon(std::string_view pid_line) {
  const std::string pid(trim(pid_line));
  for (int i = 0; i < 100; ++i) {
    const std::string state = state_of(pid);
    if (state.empty() || state == "Z") return true;
    std::this_thread::sleep_for(1ms);
  }
  return false;
}

TEST(ProcessRunner, KeepsBothStreamsAndTheExitCode) {
  const auto outcome = run(shell("echo out; echo err >&2; exit 7"));
  EXPECT_EQ(outcome.out, "out\n");
  EXPECT_EQ(outcome.err, "err\n");
  EXPECT_EQ(outcome.exit_code, 7);
  EXPECT_FALSE(outcome.timed_out || outcome.cancelled);
}

TEST(ProcessRunner, MergesTheStreamsInOrder) {
  const auto outcome = run(shell("echo 1; echo 2 >&2; echo 3"), {.merge_streams = true});
  EXPECT_EQ(outcome.out, "1\n2\n3\n");
  EXPECT_EQ(outcome.err, "");
}

TEST(ProcessRunner, ReportsASignalAs128PlusItsNumber) { EXPECT_EQ(run(shell("kill -9 $$")).exit_code, 137); }

TEST(ProcessRunner, GivesTheChildExactlyItsArgumentsAndEnvironment) {
  Command command{.program = "/usr/bin/env", .environment = {{"A", "1 2"}, {"B", "$(id)"}}};
  EXPECT_EQ(run(command).out, "A=1 2\nB=$(id)\n");
  command = {.program = "printf",
             .arguments = {"[%s]", "a b", "$HOME", "", "`id`", "-x"},
             .environment = {{"PATH", "/usr/bin"}}};
  EXPECT_EQ(run(command).out, "[a b][$HOME][][`id`][-x]");
}

/// A75
TEST(ProcessRunner, GivesTheChildThreeDescriptorsOnly) {
  const int leaked = ::open("/dev/null", O_RDONLY);
  const auto outcome = run(shell("ls /proc/self/fd"));
  ::close(leaked);
  EXPECT_EQ(outcome.out, "0\n1\n2\n3\n") << "3 is the directory that ls reads";
}

TEST(ProcessRunner, GivesTheChildDefaultSignals) {
  ignore_broken_pipes();
  const auto outcome = run(shell("grep -E '^Sig(Blk|Ign)' /proc/self/status"));
  EXPECT_THAT(outcome.out, ::testing::MatchesRegex("SigBlk:\t0+\nSigIgn:\t0+(1[80]|8)?0000000\n"))
      << "the C library keeps signals 32 and 33 to itself";
}

TEST(ProcessRunner, WritesLongInputToAChildThatNeverReads) {
  Command command = shell("exit 0");
  command.input = std::string(4u << 20, 'x');
  EXPECT_EQ(run(command).exit_code, 0);
  command = shell("wc -c");
  command.input = std::string(1u << 20, 'x');
  EXPECT_EQ(run(command).out, "1048576\n");
  EXPECT_EQ(run(shell("cat; echo end")).out, "end\n");
}

TEST(ProcessRunner, RunsInItsDirectory) {
  const test::TestDirectory directory;
  directory.write("here.sh", "#!/bin/sh\npwd\n");
  std::filesystem::permissions(directory / "here.sh", std::filesystem::perms(0755));
  Command command{.program = "./here.sh", .directory = directory.path()};
  EXPECT_EQ(run(command).out, directory.path().string() + "\n");
}

TEST(ProcessRunner, NamesAProgramThatIsNotThere) {
  const test::TestDirectory directory;
  directory.write("tool", "#!/bin/sh\n");
  std::filesystem::permissions(directory / "tool", std::filesystem::perms(0755));
  directory.write("data", "x");
  struct Row {
    std::string name;
    Command command;
    ErrorCode code;
  };
  const Row rows[] = {
      {"not on the path", {.program = "crategate-none", .environment = {{"PATH", "/usr/bin"}}}, ErrorCode::not_found},
      {"absolute", {.program = "/usr/bin/crategate-none"}, ErrorCode::not_found},
      {"not executable", {.program = (directory / "data").string()}, ErrorCode::not_found},
      {"a directory", {.program = "/usr/bin"}, ErrorCode::not_found},
      {"empty", {.program = ""}, ErrorCode::not_found},
      {"in the current directory",
       {.program = "tool", .directory = directory.path(), .environment = {{"PATH", ".::/usr/bin"}}},
       ErrorCode::not_found},
      {"no such directory", {.program = "sh", .directory = directory / "none"}, ErrorCode::bad_input},
      {"NUL in an argument", {.program = "sh", .arguments = {std::string("a\0b", 3)}}, ErrorCode::bad_input},
  };
  for (const Row& row : rows) {
    const auto outcome = PosixProcessRunner().run(row.command, {});
    ASSERT_FALSE(outcome) << row.name;
    EXPECT_EQ(outcome.error().code, row.code) << row.name << ": " << outcome.error().message;
    EXPECT_FALSE(outcome.error().hint.empty()) << row.name;
  }
}

TEST(ProcessRunner, EndsTheWholeGroupAtTheTimeLimit) {
  const auto outcome = run(shell("sleep 100 & echo $!; wait"), {.timeout = 50ms});
  EXPECT_TRUE(outcome.timed_out);
  EXPECT_EQ(outcome.exit_code, 128 + SIGTERM);
  EXPECT_LT(outcome.elapsed, 1s);
  EXPECT_TRUE(has_ended_soon(outcome.out));
}

TEST(ProcessRunner, KillsAChildThatIgnoresTheRequestToEnd) {
  const auto outcome = run(shell("trap '' TERM; while :; do sleep 0.01; done"), {.timeout = 30ms, .grace = 50ms});
  EXPECT_TRUE(outcome.timed_out);
  EXPECT_EQ(outcome.exit_code, 128 + SIGKILL);
  EXPECT_LT(outcome.elapsed, 1s);
}

TEST(ProcessRunner, EndsWhatTheChildLeavesBehind) {
  const auto outcome = run(shell("sleep 100 >/dev/null 2>&1 & echo $!"));
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_TRUE(has_ended_soon(outcome.out));
}

TEST(ProcessRunner, StopsReadingWhenAStrangerKeepsThePipeOpen) {
  const auto outcome = run(shell("setsid sleep 0.5 & echo done"));
  EXPECT_EQ(outcome.out, "done\n");
  EXPECT_LT(outcome.elapsed, 450ms);
}

TEST(ProcessRunner, KeepsALimitedAmountAndHandsOnAll) {
  std::size_t seen = 0;
  RunOptions options{.capture_limit = 1000};
  options.on_output = [&seen](Stream, std::string_view bytes) { seen += bytes.size(); };
  const auto outcome = run(shell("head -c 3000000 /dev/zero"), options);
  EXPECT_EQ(outcome.out.size(), 1000u);
  EXPECT_EQ(outcome.dropped, 3000000u - 1000u);
  EXPECT_EQ(seen, 3000000u);
}

class Cancelled : public ::testing::Test {
 protected:
  void SetUp() override { install_cancellation(); }
  void TearDown() override { reset_cancellation(); }
};

TEST_F(Cancelled, EndsARunningChild) {
  RunOptions options;
  options.on_output = [](Stream, std::string_view) { request_cancellation(ErrorCode::interrupted); };
  const auto outcome = run(shell("echo started; sleep 100"), options);
  EXPECT_TRUE(outcome.cancelled);
  EXPECT_LT(outcome.elapsed, 1s);
}

TEST_F(Cancelled, StartsNothingButWhatCleansUp) {
  request_cancellation(ErrorCode::terminated);
  EXPECT_TRUE(run(shell("echo never")).cancelled);
  EXPECT_EQ(run(shell("echo never")).exit_code, 143);
  EXPECT_EQ(run(shell("echo cleaned"), {.ignore_cancellation = true}).out, "cleaned\n");
}

TEST_F(Cancelled, WakesASleeperAndKeepsTheFirstSignal) {
  const auto start = SystemClock().monotonic();
  std::thread signaller([] { ::raise(SIGTERM); });
  SystemClock().sleep(10s);
  signaller.join();
  ::raise(SIGINT);
  EXPECT_LT(SystemClock().monotonic() - start, 5s);
  EXPECT_EQ(check_cancelled().error().code, ErrorCode::terminated);
}

TEST(Command, IsShownAsAPersonCanPasteIt) {
  const Command command{
      .program = "docker",
      .arguments = {"build", "--label", "a=b c", "it's", "", "$x;`y`", "--output=type=oci,dest=/x", "a\nb"}};
  EXPECT_EQ(command.text(), "docker build --label 'a=b c' 'it'\\''s' '' '$x;`y`' --output=type=oci,dest=/x 'a\nb'");
  EXPECT_EQ((Command{.program = "A=b"}).text(), "'A=b'");
  EXPECT_EQ(run(shell("printf '%s|' " + command.text())).out,
            "docker|build|--label|a=b c|it's||$x;`y`|--output=type=oci,dest=/x|a\nb|");
}

/// A71
TEST(ChildEnvironment, HoldsBackWhatIsNotOnTheList) {
  const test::FakeEnvironment environment({{"PATH", "/bin"},
                                           {"LC_ALL", "C"},
                                           {"https_proxy", "p"},
                                           {"GITHUB_TOKEN", "t"},
                                           {"ACTIONS_RUNTIME_TOKEN", "t"},
                                           {"INPUT_PASSWORD", "p"},
                                           {"LD_PRELOAD", "x"},
                                           {"GIT_DIR", "/x"},
                                           {"DOCKER_HOST", "h"}});
  std::vector<std::string> names;
  for (const auto& [name, value] : child_environment(environment, {"DOCKER_HOST"})) names.push_back(name);
  EXPECT_THAT(names, ElementsAre("DOCKER_HOST", "LC_ALL", "PATH", "https_proxy"));
}

/// A72
TEST(ToolEnvironment, SearchesNothingThatTheProjectOrAnotherStepCanWrite) {
  const test::TestDirectory directory;
  std::filesystem::create_directories(directory / "workspace/bin");
  std::filesystem::create_directory_symlink(directory / "workspace/bin", directory / "link");
  const std::string workspace = (directory / "workspace").string();
  const std::string path =
      concat("bin::.:", workspace, ":", workspace, "/bin:", (directory / "link").string(), ":", workspace,
             "/../workspace/bin:/github/home/.local/bin:/github:/runner/temp/x:/usr/bin:/opt/bin:", workspace, "2");
  test::FakeEnvironment environment({{"PATH", path}, {"RUNNER_TEMP", "/runner/temp"}, {"LD_PRELOAD", "x"}});
  EXPECT_EQ(tool_environment(environment, workspace).at("PATH"), path) << "outside of a workflow it is the user's";
  environment.set("GITHUB_ACTIONS", "true");
  EXPECT_EQ(tool_environment(environment, workspace).at("PATH"), concat("/usr/bin:/opt/bin:", workspace, "2"));
  EXPECT_EQ(tool_environment(environment, workspace).count("LD_PRELOAD"), 0U);
  environment.set("PATH", workspace);
  EXPECT_EQ(tool_environment(environment, workspace).at("PATH"),
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
}

/// A72
TEST(ProcessRunner, NeverStartsADecoyOfARelativePath) {
  const test::TestDirectory directory;
  directory.write("docker", "#!/bin/sh\necho decoy\n");
  std::filesystem::permissions(directory / "docker", std::filesystem::perms::owner_all);
  for (const char* path : {".", "", ":", "./:bin"}) {
    const auto outcome = PosixProcessRunner().run(
        {.program = "docker", .directory = directory.path(), .environment = {{"PATH", path}}}, {});
    ASSERT_FALSE(outcome) << path;
    EXPECT_EQ(outcome.error().code, ErrorCode::not_found);
  }
}

TEST(LineSplitter, EndsLinesAtLineFeedAndCarriageReturn) {
  struct Row {
    std::string name;
    std::vector<std::string> pieces, lines;
  };
  const Row rows[] = {
      {"line feeds", {"a\nb\n"}, {"a", "b"}},
      {"unfinished", {"a\nb"}, {"a", "b"}},
      {"both", {"a\r\nb\r\n"}, {"a", "b"}},
      {"both, torn apart", {"a\r", "\nb"}, {"a", "b"}},
      {"progress", {"10%\r20%\r"}, {"10%", "20%"}},
      {"empty lines", {"\n\r\n\r\r"}, {"", "", "", ""}},
      {"in pieces", {"a", "b", "c\nd"}, {"abc", "d"}},
      {"too long", {"123456789\nx"}, {"12345678", "9", "x"}},
      {"nothing", {""}, {}},
  };
  for (const Row& row : rows) {
    std::vector<std::string> lines;
    LineSplitter splitter([&lines](std::string_view line) { lines.emplace_back(line); }, 8);
    for (const std::string& piece : row.pieces) splitter.feed(piece);
    splitter.finish();
    EXPECT_EQ(lines, row.lines) << row.name;
  }
}

TEST(Clock, WritesTimesInUtc) {
  const auto time = std::chrono::system_clock::time_point(std::chrono::seconds(1795166958)) + 999ms;
  EXPECT_EQ(rfc3339(time), "2026-11-20T09:29:18Z");
  EXPECT_EQ(compact_date(time), "20261120");
  EXPECT_EQ(rfc3339(std::chrono::system_clock::time_point{}), "1970-01-01T00:00:00Z");
  EXPECT_EQ(parse_rfc3339("2026-11-20T09:29:18Z"), std::chrono::floor<std::chrono::seconds>(time));
  for (const char* other : {"", "yesterday", "2026-11-20", "2026-11-20T09:29:18", "2026-11-20T09:29:18Z ",
                            "2026-13-20T09:29:18Z", "2026-11-31T09:29:18Z", "2026-11-20T9:29:18Z"}) {
    EXPECT_EQ(parse_rfc3339(other), std::nullopt) << other;
  }
}

TEST(Environment, ReadsItselfAndTheKernel) {
  EXPECT_EQ(SystemEnvironment().get("PATH"), SystemEnvironment().all().at("PATH"));
  EXPECT_EQ(SystemEnvironment().get("CRATEGATE_NOT_SET"), std::nullopt);
  EXPECT_GE(available_cores(), 1);
  EXPECT_THAT(random_hex(33), ::testing::MatchesRegex("[0-9a-f]{33}"));
  EXPECT_NE(random_hex(32), random_hex(32));
}

}  // namespace
}  // namespace crategate::sys
