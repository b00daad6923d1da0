// How a project's command is run: the one script, mounts, what is kept of the output.
#include "stages/project_command.h"

#include <gmock/gmock.h>

#include "stages/project.h"
#include "support/fake_engine.h"

namespace crategate::stages {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

/// Prints its arguments, each between angle brackets and with a NUL behind it.
config::Argv print(const std::vector<std::string>& words) {
  config::Argv argv = {"/bin/sh", "-c", R"(for word; do printf '<%s>\0' "$word"; done)", "print"};
  argv.insert(argv.end(), words.begin(), words.end());
  return argv;
}

std::string printed(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += concat("<", word, ">", std::string_view("\0", 1));
  return text;
}

/// What the container would do, done here by the real shell.
sys::ProcessOutcome run(const config::Argv& setup, const config::Argv& command) {
  const auto argv = container_command(setup, command);
  return sys::PosixProcessRunner()
      .run({.program = argv.front(),
            .arguments = {argv.begin() + 1, argv.end()},
            .environment = {{"PATH", "/usr/bin:/bin"}}},
           {})
      .value();
}

const std::vector<std::string> kHostile = {"a b", "",   "'",  "\"",       "$(id)", "`id`",     "$HOME", "a\nb", "\\",
                                           "*",   "-n", "--", "; exit 9", "$1",    "\xff\xfe", "",      "end"};

TEST(ContainerCommand, IsTheCommandItselfWithoutSetup) {
  EXPECT_THAT(container_command({}, {"make", "test"}), ElementsAre("make", "test"));
}

TEST(ContainerCommand, RunsSetupThenTheCommandWithEveryWordVerbatim) {
  const auto outcome = run(print(kHostile), print(kHostile));
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, printed(kHostile) + printed(kHostile));
  EXPECT_EQ(outcome.err, "");
}

TEST(ContainerCommand, KeepsSetupAndCommandApartWhateverTheirLengths) {
  for (std::size_t setup = 0; setup < 4; ++setup) {
    for (std::size_t command = 0; command < 4; ++command) {
      const std::vector<std::string> first(kHostile.begin(), kHostile.begin() + static_cast<int>(setup));
      const std::vector<std::string> second(kHostile.end() - static_cast<int>(command), kHostile.end());
      EXPECT_EQ(run(print(first), print(second)).out, printed(first) + printed(second)) << setup << " " << command;
    }
  }
  EXPECT_EQ(run({"true"}, {"false"}).exit_code, 1);
  EXPECT_EQ(run({"true"}, {"true"}).exit_code, 0);
}

TEST(ContainerCommand, TakesManyWords) {
  std::vector<std::string> words;
  for (int i = 0; i < 300; ++i) words.push_back(concat("word ", i));
  EXPECT_EQ(run(print(words), print({"x"})).out, printed(words) + printed({"x"}));
}

TEST(ContainerCommand, StopsWithTheExitCodeOfAFailedSetup) {
  const auto outcome = run({"/bin/sh", "-c", "exit 7"}, {"echo", "ran"});
  EXPECT_EQ(outcome.exit_code, 7);
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(run({"/bin/sh", "-c", "kill -9 $$"}, {"echo", "ran"}).exit_code, 137);
  EXPECT_EQ(run({"no-such-program"}, {"echo", "ran"}).exit_code, 127);
}

TEST(ContainerCommand, EndsWithTheExitCodeOfTheCommand) {
  EXPECT_EQ(run({"true"}, {"/bin/sh", "-c", "exit 42"}).exit_code, 42);
  EXPECT_EQ(run({"true"}, {"no-such-program"}).exit_code, 127);
}

TEST(ContainerCommand, DoesNotDependOnTheWords) {
  const auto plain = container_command({"a"}, {"b"});
  const auto hostile = container_command({"$(id)"}, {"; exit 1"});
  EXPECT_EQ(plain[2], hostile[2]);
}

TEST(ResolveMounts, MakesHostPathsAbsolute) {
  const auto binds = resolve_mounts({".:/work", "tests:/work/tests:ro", "a/../b/:/b:rw", "./c/.:/c"}, "/project");
  ASSERT_TRUE(binds) << describe(binds.error());
  EXPECT_THAT(*binds,
              ElementsAre("/project:/work", "/project/tests:/work/tests:ro", "/project/b:/b:rw", "/project/c:/c"));
}

TEST(ResolveMounts, RefusesWhatLeavesTheWorkspaceOrHasAnotherShape) {
  for (const std::string mount : {"../x:/x", "a/../../x:/x", "..:/x", "/etc:/x", "/project-2:/x", "/:/x", "tests",
                                  "tests:", ":/x", "", "tests:x", "tests:/x:rwx", "tests:/x:ro:z", "../project-2:/x",
                                  "tests:../x", "/var/run/docker.sock:/var/run/docker.sock"}) {
    const auto binds = resolve_mounts({mount}, "/project");
    ASSERT_FALSE(binds) << mount << " became " << binds->front();
    EXPECT_EQ(binds.error().code, ErrorCode::bad_input);
    EXPECT_THAT(binds.error().message, HasSubstr(quote(mount)));
  }
}

TEST(DescribeContainer, IsACommandThatAPersonCanPaste) {
  docker::ContainerSpec spec;
  spec.image = "app:v1";
  spec.override_entrypoint = true;
  spec.entrypoint = {"python3"};
  spec.command = {"-c", "print('a b')"};
  spec.env = {"A=b c"};
  spec.binds = {"/p/tests:/work/tests:ro"};
  spec.workdir = "/work";
  spec.user = "1000";
  spec.network = "none";
  EXPECT_EQ(describe_container(spec),
            "docker run --rm --init --volume=/p/tests:/work/tests:ro '--env=A=b c' --workdir=/work --user=1000 "
            "--network=none --entrypoint=python3 app:v1 -c 'print('\\''a b'\\'')'");
}

class Collector : public ::testing::Test {
 protected:
  CommandResult collect(const std::vector<std::string>& pieces) {
    OutputCollector output(sys::LogFile::create(directory.path(), "a.log", 1u << 20).value(),
                           [this](std::string_view line) { progress.emplace_back(line); });
    for (const auto& piece : pieces) EXPECT_TRUE(output.add(piece));
    CommandResult result;
    EXPECT_TRUE(output.finish(result));
    return result;
  }
  test::TestDirectory directory;
  std::vector<std::string> progress;
};

TEST_F(Collector, KeepsTheLogVerbatimAndShowsHarmlessLines) {
  const auto result = collect({"one\n::set-out", "put name=x::y\n\x1b[31mred\x1b[0m\n##[error]z\nlast"});
  EXPECT_EQ(directory.read("a.log"), "one\n::set-output name=x::y\n\x1b[31mred\x1b[0m\n##[error]z\nlast");
  ASSERT_THAT(progress, SizeIs(5));
  for (const auto& line : progress) {
    EXPECT_THAT(line, AllOf(Not(::testing::StartsWith("::")), Not(HasSubstr("##[")), Not(HasSubstr("\x1b"))));
  }
  EXPECT_EQ(result.last_lines, progress);
}

TEST_F(Collector, KeepsTheLastFifteenLines) {
  std::vector<std::string> pieces;
  for (int i = 0; i < 20'000; ++i) pieces.push_back(concat("line ", i, "\n\n"));
  const auto result = collect(pieces);
  ASSERT_THAT(result.last_lines, SizeIs(15));
  EXPECT_EQ(result.last_lines.front(), "line 19985");
  EXPECT_EQ(result.last_lines.back(), "line 19999");
}

TEST_F(Collector, KeepsTheEndOfOneHugePiece) {
  const auto result = collect({std::string(300'000, 'x') + "\nend\n"});
  EXPECT_EQ(result.last_lines.back(), "end");
}

class OnHost : public ::testing::Test {
 protected:
  Result<CommandResult> run(const config::Argv& setup, const config::Argv& command, int milliseconds = 10'000) {
    OutputCollector output(sys::LogFile::create(project.workspace.root, "a.log", 1u << 20).value(), {});
    return run_on_host(setup, command, project.workspace.root, std::chrono::milliseconds(milliseconds), output,
                       {project.processes, project.environment});
  }
  sample::Project project;
};

TEST_F(OnHost, RunsBothCommandsInTheDirectoryWithASmallEnvironment) {
  project.environment.set("SECRET", "x");
  const auto result =
      run({"/bin/sh", "-c", "echo set up in $PWD"}, {"/bin/sh", "-c", "echo ran as $0 $SECRET.; env", "me"});
  ASSERT_TRUE(result) << describe(result.error());
  EXPECT_EQ(result->exit_code, 0);
  EXPECT_THAT(project.read("a.log"), AllOf(HasSubstr(concat("set up in ", project.workspace.root.string())),
                                           HasSubstr("ran as me .\n"), Not(HasSubstr("SECRET"))));
}

TEST_F(OnHost, TakesStandardErrorIntoTheLogInOrder) {
  ASSERT_TRUE(run({}, {"/bin/sh", "-c", "echo one; echo two >&2; echo three"}));
  EXPECT_EQ(project.read("a.log"), "one\ntwo\nthree\n");
}

TEST_F(OnHost, LeavesTheCommandOutWhenSetupFails) {
  const auto result = run({"/bin/sh", "-c", "exit 5"}, {"/bin/sh", "-c", "touch ran"});
  EXPECT_EQ(result->exit_code, 5);
  EXPECT_FALSE(project.exists("ran"));
}

TEST_F(OnHost, CountsSetupIntoTheTimeLimit) {
  const auto result = run({"sleep", "0.4"}, {"sleep", "20"}, 600);
  ASSERT_TRUE(result) << describe(result.error());
  EXPECT_TRUE(result->timed_out);
  EXPECT_LT(result->elapsed, std::chrono::seconds(10));
}

TEST_F(OnHost, SaysWhenTheProgramDoesNotExist) {
  EXPECT_EQ(run({}, {"no-such-program"}).error().code, ErrorCode::not_found);
}

TEST(CommandFailure, TellsExitCodeTimeLimitAndMemory) {
  CommandResult result;
  result.exit_code = 3;
  result.last_lines = {"one", "E   assert 1 == 2"};
  auto error = command_failure("static checks", result, std::chrono::minutes(5), "a.log", "Mend it.");
  EXPECT_EQ(error.code, ErrorCode::tests_failed);
  EXPECT_EQ(error.message,
            R"(static checks: expected exit 0, found exit 3; last line: "E   assert 1 == 2"; log: a.log)");
  EXPECT_EQ(error.hint, "Mend it.");
  result.out_of_memory = true;
  EXPECT_THAT(command_failure("x", result, {}, "", "").message, HasSubstr("out of memory"));
  result.timed_out = true;
  error = command_failure("x", result, std::chrono::minutes(5), "", "");
  EXPECT_THAT(error.message, HasSubstr("time limit of 5 min 00 s"));
  result.cancelled = true;
  EXPECT_EQ(command_failure("x", result, {}, "", "").code, ErrorCode::interrupted);
}

TEST(InContainer, CountsWhatTheLogHasNoRoomFor) {
  test::FakeEngine engine;
  engine.containers_run([](const auto&, const docker::ContainerRun& run) -> Result<docker::ContainerOutcome> {
    CG_CHECK(run.on_output("text\n"));
    return docker::ContainerOutcome{};
  });
  test::TestDirectory directory;
  std::string bytes;
  OutputCollector output(sys::LogFile::create(directory.path(), "a.log", 0).value(), {},
                         [&bytes](std::string_view piece) { bytes += piece; });
  const auto result = run_in_container({.image = "a"}, std::chrono::seconds(1), output, engine);
  ASSERT_TRUE(result);
  EXPECT_EQ(bytes, "text\n");
  EXPECT_THAT(directory.read("a.log"), HasSubstr("5 more bytes are left out"));
}

}  // namespace
}  // namespace crategate::stages
