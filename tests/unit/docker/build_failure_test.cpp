#include "docker/build_failure.h"

#include <gmock/gmock.h>

#include "base/strings.h"

namespace crategate::docker {
namespace {

using testing::HasSubstr;
using testing::Not;

OutputTail tail_of(const std::string& text) {
  OutputTail tail;
  for (const std::string& line : split(text, '\n')) tail.add(line);
  return tail;
}

const char* const kRunFailed = R"(#5 [1/2] FROM docker.io/library/busybox
#5 DONE 0.0s

#8 [2/2] RUN pip install nosuch
#8 0.312 ERROR: No matching distribution found for nosuch
#8 ERROR: process "/bin/sh -c pip install nosuch" did not complete successfully: exit code: 1
------
 > [2/2] RUN pip install nosuch:
0.312 ERROR: No matching distribution found for nosuch
------
docker/Dockerfile.cpu-py3.10:12
--------------------
  11 |     COPY . .
  12 | >>> RUN pip install nosuch
--------------------
ERROR: failed to solve: process "/bin/sh -c pip install nosuch" did not complete successfully: exit code: 1
)";

const char* const kCacheLost = R"(#7 exporting to image
#7 DONE 0.6s
#9 exporting cache to registry
#9 preparing build cache for export
#9 ERROR: error writing manifest blob: failed commit on ref "sha256:c0": unexpected status from PUT request: 400 Bad Request
------
 > exporting cache to registry:
------
ERROR: failed to solve: error writing manifest blob: unexpected status from PUT request: )";

TEST(BuildFailure, NamesTheDockerfileLineAndTheReason) {
  const Error error = build_failure("docker/Dockerfile.cpu-py3.10", 1, tail_of(kRunFailed));
  EXPECT_EQ(error.code, ErrorCode::engine);
  EXPECT_EQ(error.location, (Location{"docker/Dockerfile.cpu-py3.10", 12, 0}));
  EXPECT_EQ(error.message,
            "building docker/Dockerfile.cpu-py3.10: process \"/bin/sh -c pip install nosuch\" did not complete "
            "successfully: exit code: 1; last line: \"ERROR: No matching distribution found for nosuch\"");
  EXPECT_EQ(error.hint, "") << "the Dockerfile is to be mended, and the engine is not to blame";
}

struct DockerfileRow {
  const char* name;
  const char* output;
  Location location;
  const char* message;
};

class BuildFailureOfDockerfile : public testing::TestWithParam<DockerfileRow> {};

/// As BuildKit 0.23 prints them.
TEST_P(BuildFailureOfDockerfile, IsOneSentenceAboutTheFile) {
  const Error error = build_failure("ci.Dockerfile", 1, tail_of(GetParam().output));
  EXPECT_EQ(error.location, GetParam().location);
  EXPECT_EQ(error.message, concat("building ci.Dockerfile: ", GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Rows, BuildFailureOfDockerfile,
    testing::Values(DockerfileRow{"Run", R"(#6 [3/3] RUN echo out; ls /nonexistent
#6 0.262 out
#6 0.263 ls: /nonexistent: No such file or directory
#5 0.301 a line of another step
#6 ERROR: process "/bin/sh -c echo out; ls /nonexistent" did not complete successfully: exit code: 2
------
 > [3/3] RUN echo out; ls /nonexistent:
0.262 out
0.263 ls: /nonexistent: No such file or directory
------
ci.Dockerfile:3
--------------------
   1 |     FROM crategate/busybox:1
   3 | >>> RUN echo out; ls /nonexistent
   4 |
--------------------
ERROR: failed to solve: process "/bin/sh -c echo out; ls /nonexistent" did not complete successfully: exit code: 2)",
                                  Location{"ci.Dockerfile", 3, 0},
                                  "process \"/bin/sh -c echo out; ls /nonexistent\" did not complete successfully: "
                                  "exit code: 2; last line: \"ls: /nonexistent: No such file or directory\""},
                    DockerfileRow{"UnknownInstruction", R"(ci.Dockerfile:1
--------------------
   1 | >>> FORM debian
--------------------
ERROR: failed to solve: dockerfile parse error on line 1: unknown instruction: FORM (did you mean FROM?))",
                                  Location{"ci.Dockerfile", 1, 0},
                                  "dockerfile parse error on line 1: unknown instruction: FORM (did you mean FROM?)"},
                    DockerfileRow{"NothingToCopy",
                                  R"(#5 ERROR: failed to calculate checksum of ref a::b: "/nothere": not found
------
 > [2/2] COPY nothere /:
------
ci.Dockerfile:2
ERROR: failed to solve: failed to compute cache key: failed to calculate checksum of ref a::b: "/nothere": not found)",
                                  Location{"ci.Dockerfile", 2, 0},
                                  "failed to compute cache key: failed to calculate checksum of ref a::b: "
                                  "\"/nothere\": not found"},
                    DockerfileRow{"Empty", "ERROR: failed to solve: the Dockerfile cannot be empty",
                                  Location{"ci.Dockerfile", 0, 0}, "the Dockerfile cannot be empty"}),
    [](const auto& each) { return std::string(each.param.name); });

TEST(BuildFailure, CutsALongCommand) {
  const std::string command(5000, 'c');
  const Error error =
      build_failure("Dockerfile", 1,
                    tail_of(concat("Dockerfile:1\nERROR: failed to solve: process \"", command.substr(0, 700),
                                   "\" did not complete successfully: exit code: 2")));
  EXPECT_THAT(error.message, HasSubstr("c…\" did not complete successfully: exit code: 2"));
  EXPECT_LT(error.message.size(), 250U);
}

TEST(BuildFailure, NamesTheBaseImageThatIsNotThere) {
  const Error error = build_failure("Dockerfile", 1, tail_of(R"(Dockerfile:1
ERROR: failed to solve: no/such:1: failed to resolve source metadata for docker.io/no/such:1: not found)"));
  EXPECT_EQ(error.location, (Location{"Dockerfile", 1, 0}));
  EXPECT_THAT(error.hint, HasSubstr("base image"));
}

TEST(BuildFailure, BlamesTheEngineForItsOwnFailures) {
  const Error error =
      build_failure("Dockerfile", 1, tail_of("ERROR: failed to connect to the docker API at unix:///x.sock"));
  EXPECT_EQ(error.location, std::nullopt);
  EXPECT_THAT(error.hint, HasSubstr("start the Docker engine"));
  EXPECT_EQ(build_failure("Dockerfile", 1, tail_of(kCacheLost)).location, std::nullopt) << "the file was built";
}

struct LineRow {
  const char* name;
  const char* output;
  int line;
};

class BuildFailureLine : public testing::TestWithParam<LineRow> {};

TEST_P(BuildFailureLine, IsFoundOnlyWhereBuildKitNamesIt) {
  const Error error = build_failure("d/Dockerfile", 1, tail_of(GetParam().output));
  EXPECT_EQ(error.location.value_or(Location{}).line, GetParam().line);
}

INSTANTIATE_TEST_SUITE_P(
    Rows, BuildFailureLine,
    testing::Values(LineRow{"ParseError", "ERROR: failed to solve: dockerfile parse error on line 3: unknown: RUNN", 3},
                    LineRow{"OldParseError", "failed to create LLB: dockerfile parse error line 7: unknown", 7},
                    LineRow{"OwnLine", "Dockerfile:4", 4}, LineRow{"OtherFile", "main.py:4", 0},
                    LineRow{"NoNumber", "Dockerfile:", 0}, LineRow{"NotANumber", "Dockerfile:4x", 0},
                    LineRow{"Zero", "Dockerfile:0", 0}, LineRow{"Huge", "Dockerfile:99999999999999999999", 0},
                    LineRow{"Nothing", "", 0}),
    [](const auto& each) { return std::string(each.param.name); });

TEST(BuildFailure, CallsAFullDiskByItsName) {
  const Error error = build_failure("Dockerfile", 1, tail_of("#9 ERROR: write /x: no space left on device"));
  EXPECT_EQ(error.code, ErrorCode::no_space);
  EXPECT_THAT(error.hint, HasSubstr("free disk space"));
}

TEST(BuildFailure, SaysSoWhenTheBuildPrintedNothing) {
  EXPECT_THAT(build_failure("Dockerfile", 137, {}).message, HasSubstr("exit code 137: it printed nothing"));
}

/// B25
TEST(BuildFailure, SaysThatTheBuildOrOneOfItsStepsWasKilled) {
  const Error whole = build_failure("Dockerfile", 137, tail_of("#9 0.1 linking"));
  EXPECT_EQ(whole.code, ErrorCode::engine);
  EXPECT_THAT(whole.message, HasSubstr("was killed, exit code 137"));
  EXPECT_THAT(whole.hint, HasSubstr("memory"));
  const Error step = build_failure(
      "Dockerfile", 1,
      tail_of(R"(ERROR: failed to solve: process "/bin/sh -c x" did not complete successfully: exit code: 137)"));
  EXPECT_EQ(step.code, ErrorCode::engine);
  EXPECT_THAT(step.hint, HasSubstr("memory"));
}

/// B23
TEST(BuildFailure, SaysThatTheEngineWentAway) {
  for (const char* line : {"ERROR: failed to receive status: rpc error: code = Unavailable desc = error reading from "
                           "server: EOF",
                           "ERROR: rpc error: code = Unavailable desc = transport is closing"}) {
    const Error error = build_failure("Dockerfile", 1, tail_of(line));
    EXPECT_EQ(error.code, ErrorCode::engine);
    EXPECT_THAT(error.hint, HasSubstr("went away"));
  }
}

TEST(BuildFailure, NeverBecomesAWorkflowCommand) {
  const Error error = build_failure("Dockerfile", 1, tail_of("#8 0.3 ##[error]x\n::set-output name=a::b"));
  EXPECT_THAT(error.message, Not(HasSubstr("##[")));
}

TEST(BuildFailure, TellsALostCacheFromARefusedOne) {
  EXPECT_TRUE(lost_its_cache(tail_of(concat(kCacheLost, "400 Bad Request"))));
  EXPECT_TRUE(lost_its_cache(tail_of(concat(kCacheLost, "503 Service Unavailable"))));
  EXPECT_FALSE(lost_its_cache(tail_of(concat(kCacheLost, "403 Forbidden"))));
  EXPECT_FALSE(lost_its_cache(tail_of(concat(kCacheLost, "401 Unauthorized"))));
  EXPECT_FALSE(lost_its_cache(tail_of(kRunFailed)));
  EXPECT_FALSE(lost_its_cache({}));
}

TEST(BuildFailure, SaysTheWholeReason) {
  const std::string reason = concat(std::string(400, 'r'), " 400 Bad Request");
  EXPECT_THAT(build_failure("Dockerfile", 1, tail_of(concat("ERROR: ", reason))).message, HasSubstr(reason));
}

TEST(OutputTail, KeepsTheLastTwentyLines) {
  OutputTail tail;
  for (int i = 0; i < 100; ++i) tail.add(concat("line ", i));
  ASSERT_EQ(tail.lines().size(), 20U);
  EXPECT_EQ(tail.lines().front(), "line 80");
}

TEST(OutputTail, DropsPrefixesRulesRepeatsAndOverlongEnds) {
  OutputTail tail;
  for (const char* line : {"#8 0.312 a", "#8 a", "----", "", "#x b", "#12"}) tail.add(line);
  tail.add(std::string(5000, 'z'));
  EXPECT_THAT(tail.lines(), testing::ElementsAre("a", "#x b", "#12", std::string(200, 'z')));
}

}  // namespace
}  // namespace crategate::docker
