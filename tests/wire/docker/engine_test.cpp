#include <gmock/gmock.h>

#include "base/strings.h"
#include "docker/engine.h"
#include "support/fakes.h"
#include "support/scripted_http_server.h"
#include "support/test_directory.h"

namespace crategate::docker {
namespace {

using testing::HasSubstr;
using testing::Not;

/// A client of an engine on a unix socket.
struct EngineOnSocket {
  EngineOnSocket() : socket((directory / "docker.sock").string()), server(socket) {
    server.expect("GET", "/v1.41/_ping", {.headers = {{"Api-Version", "1.45"}}, .body = "OK"});
    engine = HttpEngine::connect(http, clock, "unix://" + socket).value();
  }
  test::TestDirectory directory;
  std::string socket;
  test::ScriptedHttpServer server;
  test::FakeClock clock;
  net::PosixHttpClient http;
  std::unique_ptr<HttpEngine> engine;
};

TEST(EngineSocket, CarriesVersionedRequests) {
  EngineOnSocket on;
  on.server.expect("GET", "/v1.41/images/localhost:5000/a/b:1/json", {.status = 404, .body = R"({"message":"none"})"});
  EXPECT_EQ(on.engine->find_image("localhost:5000/a/b:1").value(), std::nullopt);
}

TEST(EngineSocket, StreamsAnImageInChunks) {
  EngineOnSocket on;
  on.server.expect("GET", "/v1.41/images/a/get",
                   {.raw = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"});
  std::string bytes;
  ASSERT_TRUE(on.engine->save_image("a", [&](std::string_view chunk) -> Result<void> {
    bytes += chunk;
    return {};
  }));
  EXPECT_EQ(bytes, "abcde");
}

TEST(EngineSocket, PullsOneVersionOfAnImage) {
  EngineOnSocket on;
  const std::string from = "/v1.41/images/create?fromImage=docker.io%2Flibrary%2Fa&tag=";
  on.server.expect("POST", from + "latest", {.body = "{\"status\":\"Pulling\"}\r\n{\"status\":\"Done\"}\r\n"});
  EXPECT_TRUE(on.engine->pull_image("a"));
  const std::string digest = "sha256:" + std::string(64, 'a');
  on.server.expect("POST", from + "sha256%3A" + std::string(64, 'a'), {.body = ""});
  EXPECT_TRUE(on.engine->pull_image("a:1@" + digest));
  on.server.expect("POST", from + "1", {.status = 404, .body = R"({"message":"manifest unknown"})"});
  EXPECT_EQ(on.engine->pull_image("a:1").error().code, ErrorCode::not_found);
  on.server.expect("POST", from + "2", {.body = "{\"status\":\"x\"}\r\n{\"error\":\"pull access denied for a\"}\r\n"});
  const auto denied = on.engine->pull_image("a:2");
  EXPECT_EQ(denied.error().code, ErrorCode::forbidden);
  EXPECT_THAT(denied.error().message, HasSubstr("pull access denied for a"));
  EXPECT_THAT(denied.error().hint, Not(HasSubstr("permissions:")));
  on.server.expect("POST", "/v1.41/images/create?fromImage=ghcr.io%2Fo%2Fa&tag=1",
                   {.status = 500, .body = R"({"message":"error from registry: denied"})"});
  const auto package = on.engine->pull_image("ghcr.io/o/a:1");
  EXPECT_EQ(package.error().code, ErrorCode::forbidden);
  EXPECT_THAT(package.error().hint, HasSubstr("`permissions: packages: read`"));
  on.server.expect("POST", from + "3", {.body = "{\"error\":\"write /x: no space left on device\"}\r\n"});
  EXPECT_EQ(on.engine->pull_image("a:3").error().code, ErrorCode::no_space);
  on.server.expect("POST", from + "4", {.body = "{\"status\":\"Pul"});
  EXPECT_EQ(on.engine->pull_image("a:4").error().code, ErrorCode::engine) << "cut off";
  EXPECT_EQ(on.engine->pull_image("A B").error().code, ErrorCode::bad_input);
}

TEST(EngineSocket, ShowsALoginToTheRegistryOnlyWhereItIsGiven) {
  EngineOnSocket on;
  const std::string target = "/v1.41/images/create?fromImage=ghcr.io%2Fa&tag=1";
  const auto header = [&on] { return on.server.received().back().header("X-Registry-Auth"); };
  on.server.expect("POST", target, {.body = ""});
  EXPECT_TRUE(on.engine->pull_image("ghcr.io/a:1"));
  EXPECT_EQ(header(), "");
  on.server.expect("POST", target, {.body = ""});
  EXPECT_TRUE(on.engine->pull_image_as(
      "ghcr.io/a:1",
      {.registry = "ghcr.io", .username = "me", .password = Secret("a-password?>"), .identity_token = {}}));
  const auto text = decode_base64(replace_all(replace_all(header(), "-", "+"), "_", "/"));
  EXPECT_EQ(text.value_or(""),
            R"({"identitytoken":"","password":"a-password?>","serveraddress":"ghcr.io","username":"me"})");
}

TEST(EngineSocket, LoadsAnArchive) {
  EngineOnSocket on;
  const auto load = [&on](const std::string& archive) {
    return on.engine->load_image(
        [archive, given = false]() mutable -> Result<std::string> {
          return std::exchange(given, true) ? std::string() : archive;
        },
        archive.size());
  };
  const std::string to = "/v1.41/images/load?quiet=1";
  on.server.expect("POST", to, {.body = "{\"stream\":\"Loaded image: a:1\"}\r\n"});
  EXPECT_TRUE(load("a tar"));
  EXPECT_EQ(on.server.received().back().body, "a tar");
  on.server.expect("POST", to, {.body = "{\"error\":\"write /x: no space left on device\"}\r\n"});
  EXPECT_EQ(load("a tar").error().code, ErrorCode::no_space);
  on.server.expect("POST", to, {.status = 500, .body = R"({"message":"invalid archive"})"});
  EXPECT_THAT(load("no tar").error().message, HasSubstr("could not load the image that was built: invalid archive"));
}

/// What is sent fails on its own account.
TEST(EngineSocket, PassesOnWhyAnArchiveEnds) {
  EngineOnSocket on;
  const auto loaded =
      on.engine->load_image([]() -> Result<std::string> { return fail(ErrorCode::integrity, "cut"); }, 5);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, ErrorCode::integrity);
  EXPECT_EQ(loaded.error().message, "cut");
}

TEST(EngineSocket, NoticesAnImageStreamThatIsCut) {
  EngineOnSocket on;
  on.server.expect("GET", "/v1.41/images/a/get",
                   {.raw = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", .close = true});
  const auto saved = on.engine->save_image("a", [](std::string_view) -> Result<void> { return {}; });
  ASSERT_FALSE(saved);
  EXPECT_EQ(saved.error().code, ErrorCode::engine);
}

/// The engine has not said it.
TEST(EngineSocket, PassesOnWhatIsWrongWithAnArchive) {
  for (const ErrorCode code : {ErrorCode::integrity, ErrorCode::no_space}) {
    EngineOnSocket on;
    const auto loaded =
        on.engine->load_image([code]() -> Result<std::string> { return fail(code, "the archive is cut"); }, 7);
    ASSERT_FALSE(loaded);
    EXPECT_EQ(loaded.error().code, code);
    EXPECT_EQ(loaded.error().message, "the archive is cut");
    on.server.expect("GET", "/v1.41/images/a/get", {.body = "abc"});
    const auto saved = on.engine->save_image("a", [code](std::string_view) { return fail(code, "no place for it"); });
    EXPECT_EQ(saved.error().code, code);
    EXPECT_EQ(saved.error().message, "no place for it");
  }
}

TEST(EngineSocket, SaysWhatToDoWhenItIsAbsent) {
  test::FakeClock clock;
  net::PosixHttpClient http;
  const auto engine = HttpEngine::connect(http, clock, "unix:///nonexistent/docker.sock").value();
  const auto info = engine->info();
  ASSERT_FALSE(info);
  EXPECT_EQ(info.error().code, ErrorCode::engine);
  EXPECT_THAT(info.error().message, HasSubstr("/nonexistent/docker.sock"));
  EXPECT_THAT(info.error().hint, HasSubstr("which DOCKER_HOST names"));
  EXPECT_THAT(info.error().hint, testing::Not(HasSubstr("container")));
  const auto boxed =
      HttpEngine::connect(http, clock, "unix:///nonexistent/docker.sock", {.in_container = true}).value();
  EXPECT_THAT(boxed->info().error().hint, HasSubstr("this container"));
}

TEST(EngineSocket, CarriesTheOutputOfAContainer) {
  EngineOnSocket on;
  const std::string base = "/v1.41/containers/abc";
  on.server.expect("POST", "/v1.41/containers/create?name=mine", {.status = 201, .body = R"({"Id":"abc"})"});
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n";
  const std::string frames("\1\0\0\0\0\0\0\4out\n\2\0\0\0\0\0\0\4err\n", 24);
  on.server.expect("POST", base + "/attach?stream=1&stdout=1&stderr=1",
                   {.raw = head + frames, .close = true, .delay = std::chrono::milliseconds(30)});
  on.server.expect_with("GET",
                        "/v1.41/events?since=1&until=1795166958.000&filters="
                        "%7B%22container%22%3A%5B%22abc%22%5D%2C%22event%22%3A%5B%22attach%22%5D%7D",
                        [](const auto&) { return test::Reply{.body = "{}"}; });
  on.server.expect("POST", base + "/start", {.status = 204});
  on.server.expect("GET", base + "/json",
                   {.body = R"({"Image":"sha256:1","State":{"Running":false,"OOMKilled":true,"ExitCode":9}})"});
  on.server.expect("DELETE", base + "?force=1&v=1", {.status = 204});
  std::string output;
  const auto outcome =
      on.engine->run_container({.image = "i", .name = "mine"}, {.on_output = [&](std::string_view bytes) {
                                 output += bytes;
                                 return Result<void>{};
                               }});
  ASSERT_TRUE(outcome) << describe(outcome.error());
  EXPECT_EQ(output, "out\nerr\n");
  EXPECT_EQ(outcome->exit_code, 9);
  EXPECT_TRUE(outcome->out_of_memory);
}

}  // namespace
}  // namespace crategate::docker
