#include <gmock/gmock.h>

#include <atomic>

#include "base/strings.h"
#include "docker/engine.h"
#include "support/fakes.h"
#include "sys/cancel.h"
#include "unit/docker/fake_http_client.h"

namespace crategate::docker {
namespace {

using std::chrono::milliseconds;
using test::answer;
using test::FakeHttpClient;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

std::string frame(const std::string& payload) {
  return std::string{1, 0, 0, 0, 0, 0, 0, static_cast<char>(payload.size())} + payload;
}

/// An engine with one container, in the words of its API.
struct FakeContainer {
  std::string output = frame("hello\n");
  int exit_code = 0, looks_until_exit = 1;
  net::Response create = answer(201, R"({"Id":"abc"})"), start = answer(204);
  bool runs_until_killed = false;
  std::atomic<bool> killed = false, attached = false;
  std::atomic<int> looks = 0;

  Result<net::Response> handle(const net::Request& request) {
    const std::string what = concat(request.method, " ", request.url.target.substr(0, request.url.target.find('?')));
    if (what == "GET /version") return answer(200, R"({"Version":"26","ApiVersion":"1.45","MinAPIVersion":"1.24"})");
    if (what == "POST /v1.41/containers/create") return create;
    if (what == "POST /v1.41/containers/abc/attach") {
      attached = true;
      attached.notify_all();
      return answer(200, output);
    }
    if (what == "GET /v1.41/events") {
      attached.wait(false);
      return answer(200, "{}");
    }
    if (what == "POST /v1.41/containers/abc/start") return start;
    if (what == "GET /v1.41/containers/abc/json") return inspect();
    if (what == "POST /v1.41/containers/abc/kill") {
      killed = true;
      return answer(204);
    }
    if (request.method == "DELETE") return answer(204);
    return answer(500, R"({"message":"unexpected"})");
  }
  net::Response inspect() {
    const bool running = runs_until_killed ? !killed : ++looks < looks_until_exit;
    return answer(200, concat(R"({"Image":"sha256:img","State":{"Running":)", running,
                              R"(,"OOMKilled":false,"ExitCode":)", killed ? 137 : exit_code, "}}"));
  }
};

struct Runner {
  explicit Runner(FakeContainer& container)
      : http([&container](const net::Request& request) { return container.handle(request); }),
        engine(*HttpEngine::connect(http, clock, "")) {}
  Result<ContainerOutcome> operator()(ContainerSpec spec = {.image = "img"}, milliseconds timeout = milliseconds(0)) {
    const auto collect = [this](std::string_view bytes) -> Result<void> {
      output += bytes;
      return sink_error ? Result<void>(fail(*sink_error)) : Result<void>{};
    };
    return engine->run_container(spec, {.timeout = timeout, .on_output = collect, .watch = watch});
  }
  FakeHttpClient http;
  test::FakeClock clock;
  std::unique_ptr<HttpEngine> engine;
  std::string output;
  std::optional<Error> sink_error;
  std::function<Result<void>()> watch;
};

const std::string kRemoval = "DELETE /v1.41/containers/abc?force=1&v=1";

TEST(Container, GivesTheExactExitCodeItsOutputAndTheImageItRan) {
  FakeContainer container;
  container.exit_code = 7;
  container.looks_until_exit = 3;
  Runner run(container);
  const auto outcome = run();
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(outcome->exit_code, 7);
  EXPECT_EQ(outcome->image_id, "sha256:img");
  EXPECT_FALSE(outcome->timed_out || outcome->cancelled || outcome->out_of_memory);
  EXPECT_EQ(run.output, "hello\n");
  EXPECT_THAT(run.http.sent(), Contains(kRemoval));
}

TEST(Container, AttachesBeforeItStarts) {
  FakeContainer container;
  Runner run(container);
  ASSERT_TRUE(run());
  const auto sent = run.http.sent();
  const auto at = [&sent](const std::string& start) {
    return std::find_if(sent.begin(), sent.end(), [&](const std::string& each) { return each.starts_with(start); });
  };
  EXPECT_LT(at("POST /v1.41/containers/abc/attach"), at("POST /v1.41/containers/abc/start"));
}

TEST(Container, IsKilledAtItsTimeLimitAndRemoved) {
  FakeContainer container;
  container.runs_until_killed = true;
  Runner run(container);
  const auto outcome = run({.image = "img"}, milliseconds(100));
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_TRUE(outcome->timed_out);
  EXPECT_EQ(outcome->exit_code, 137);
  EXPECT_GE(outcome->elapsed, milliseconds(100));
  EXPECT_THAT(run.http.sent(), Contains(kRemoval));
}

TEST(Container, IsWatchedOnceASecond) {
  FakeContainer container;
  container.looks_until_exit = 200;  // 20 ms each
  Runner run(container);
  std::vector<milliseconds> asked;
  run.watch = [&]() -> Result<void> {
    asked.push_back(run.clock.passed());
    return {};
  };
  ASSERT_TRUE(run());
  ASSERT_GE(asked.size(), 3u);
  for (std::size_t i = 1; i < asked.size(); ++i) EXPECT_GE(asked[i] - asked[i - 1], milliseconds(1000));
  EXPECT_FALSE(container.killed);
}

TEST(Container, IsKilledWhenWhoeverWatchesItObjects) {
  FakeContainer container;
  container.runs_until_killed = true;
  Runner run(container);
  run.watch = []() -> Result<void> { return fail(ErrorCode::bad_input, "too large"); };
  const auto outcome = run({.image = "img"}, milliseconds(60'000));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().message, "too large");
  EXPECT_TRUE(container.killed);
  EXPECT_THAT(run.http.sent(), Contains(kRemoval));
}

TEST(Container, ThatCannotBeStoppedWhenItsLogIsFullDoesNotHang) {
  FakeContainer container;
  container.runs_until_killed = true;
  Runner run(container);
  run.sink_error = Error{ErrorCode::no_space, "log full", {}, {}, {}, {}};
  const auto outcome = run();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::no_space);
  EXPECT_TRUE(container.killed);
  EXPECT_THAT(run.http.sent(), Contains(kRemoval));
}

TEST(Container, ThatWillNotDieIsAnError) {
  FakeContainer container;
  container.looks_until_exit = 1 << 30;
  Runner run(container);
  const auto outcome = run({.image = "img"}, milliseconds(10));
  ASSERT_FALSE(outcome);
  EXPECT_THAT(outcome.error().message, HasSubstr("does not end"));
  EXPECT_THAT(run.http.sent(), Contains(kRemoval));
}

TEST(Container, WithACutOutputIsAnErrorAndNotAResult) {
  FakeContainer container;
  container.output = frame("hello").substr(0, 10);
  Runner run(container);
  const auto outcome = run();
  ASSERT_FALSE(outcome);
  EXPECT_THAT(outcome.error().message, HasSubstr("incomplete"));
}

TEST(Container, IsNotCreatedAfterCancellation) {
  FakeContainer container;
  Runner run(container);
  sys::request_cancellation(ErrorCode::terminated);
  const auto outcome = run();
  sys::reset_cancellation();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::terminated);
  EXPECT_TRUE(run.http.sent().empty());
}

struct FailureRow {
  const char* name;
  net::Response create, start;
  ErrorCode code;
  const char* message;
  bool removed;
};

class ContainerFailure : public testing::TestWithParam<FailureRow> {};

TEST_P(ContainerFailure, SaysWhatToDoAndLeavesNothingBehind) {
  FakeContainer container;
  container.create = GetParam().create;
  container.start = GetParam().start;
  container.output = "";
  Runner run(container);
  const auto outcome = run();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, GetParam().code);
  EXPECT_THAT(outcome.error().message, HasSubstr(GetParam().message));
  EXPECT_FALSE(outcome.error().hint.empty());
  if (GetParam().removed) {
    EXPECT_THAT(run.http.sent(), Contains(kRemoval));
  } else {
    EXPECT_THAT(run.http.sent(), Not(Contains(kRemoval)));
  }
}

const net::Response kCreated = answer(201, R"({"Id":"abc"})");

INSTANTIATE_TEST_SUITE_P(
    Rows, ContainerFailure,
    testing::Values(FailureRow{"NoImage", answer(404, R"({"message":"No such image: img"})"), answer(204),
                               ErrorCode::not_found, "No such image", false},
                    FailureRow{
                        "MissingMountSource",
                        answer(400, R"({"message":"invalid mount config: bind source path does not exist: /x"})"),
                        answer(204), ErrorCode::bad_input, "bind source path", false},
                    FailureRow{"NoCommand", kCreated,
                               answer(404, R"({"message":"exec: \"x\": executable file not found in $PATH"})"),
                               ErrorCode::bad_input, "executable file not found", true},
                    FailureRow{"NoNetwork", kCreated, answer(404, R"({"message":"network none-such not found"})"),
                               ErrorCode::engine, "network none-such", true},
                    FailureRow{"NoMessage", kCreated, answer(500, "<html>"), ErrorCode::engine, "status 500", true}),
    [](const auto& each) { return std::string(each.param.name); });

TEST(Container, WhoseCommandTheInitProcessCannotStartIsBadInput) {
  FakeContainer container;
  container.output = frame("[FATAL tini (7)] exec nosuch failed: No such file or directory\n");
  container.exit_code = 127;
  Runner run(container);
  const auto outcome = run({.image = "img", .command = {"nosuch"}});
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::bad_input);
  EXPECT_THAT(outcome.error().hint, HasSubstr("\"nosuch\""));
}

TEST(Container, ThatExits127ByItselfIsAResult) {
  FakeContainer container;
  container.output = frame("sh: nosuch: not found\n");
  container.exit_code = 127;
  Runner run(container);
  const auto outcome = run();
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->exit_code, 127);
}

TEST(Container, IsRemovedByNameWhenTheAnswerToItsCreationIsLost) {
  FakeHttpClient http([](const net::Request& request) -> Result<net::Response> {
    if (request.url.target == "/v1.41/_ping")
      return net::Response{.status = 200, .headers = {{"Api-Version", "1.45"}}, .body = "OK"};
    if (request.method == "DELETE") return answer(204);
    return fail(ErrorCode::unavailable, "reset");
  });
  test::FakeClock clock;
  const auto engine = *HttpEngine::connect(http, clock, "");
  EXPECT_EQ(engine->run_container({.image = "i", .name = "mine"}, {}).error().code, ErrorCode::engine);
  EXPECT_THAT(http.sent(), Contains("DELETE /v1.41/containers/mine?force=1&v=1"));
}

}  // namespace
}  // namespace crategate::docker
