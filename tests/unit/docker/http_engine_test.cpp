#include <gmock/gmock.h>

#include <map>

#include "base/strings.h"
#include "docker/engine_api.h"
#include "support/fakes.h"
#include "unit/docker/fake_http_client.h"

namespace crategate::docker {
namespace {

using test::answer;
using test::FakeHttpClient;
using testing::HasSubstr;

const char* const kVersion = R"({"Version":"29.0","ApiVersion":"1.52","MinAPIVersion":"1.44"})";
const std::string kLayer = concat("sha256:", std::string(64, 'a'));

/// Answers by "METHOD target"; anything else is a 500.
FakeHttpClient::Handler table(std::map<std::string, net::Response> answers) {
  answers.emplace("GET /v1.41/_ping", net::Response{.status = 200, .headers = {{"Api-Version", "1.45"}}, .body = "OK"});
  return [answers = std::move(answers)](const net::Request& request) -> Result<net::Response> {
    const auto found = answers.find(concat(request.method, " ", request.url.target));
    return found == answers.end() ? answer(500, R"({"message":"unexpected"})") : found->second;
  };
}

struct Fixture {
  explicit Fixture(FakeHttpClient::Handler handler) : http(std::move(handler)) {
    engine = *HttpEngine::connect(http, clock, "unix:///run/docker.sock");
  }
  FakeHttpClient http;
  test::FakeClock clock;
  std::unique_ptr<HttpEngine> engine;
};

TEST(HttpEngineConnect, TakesUnixSocketsOnly) {
  EXPECT_EQ(parse_docker_host("").value_or("?"), "/var/run/docker.sock");
  EXPECT_EQ(parse_docker_host("unix:///x/y.sock").value_or("?"), "/x/y.sock");
  for (const char* host : {"tcp://127.0.0.1:2375", "ssh://me@there", "npipe:////./pipe/x", "/run/x.sock", "unix://x"}) {
    const auto parsed = parse_docker_host(host);
    ASSERT_FALSE(parsed) << host;
    EXPECT_EQ(parsed.error().code, ErrorCode::engine);
    EXPECT_THAT(parsed.error().message, HasSubstr(host));
  }
}

TEST(HttpEngineVersion, IsTheOldestThatBothSpeak) {
  EXPECT_EQ(choose_api_version("1.45", "1.24").value_or("?"), "1.41");
  EXPECT_EQ(choose_api_version("1.41", "1.12").value_or("?"), "1.41");
  EXPECT_EQ(choose_api_version("1.52", "1.44").value_or("?"), "1.44");
  EXPECT_EQ(choose_api_version("1.100", "").value_or("?"), "1.41");
  for (const char* old : {"1.40", "1.4", "", "x"}) {
    const auto chosen = choose_api_version(old, "1.12");
    ASSERT_FALSE(chosen) << old;
    EXPECT_THAT(chosen.error().message, HasSubstr("1.41"));
  }
}

TEST(HttpEngineInfo, TellsTheStores) {
  Fixture classic(table({{"GET /v1.41/info", answer(200, R"({"DriverStatus":[["Backing Filesystem","extfs"]]})")}}));
  Fixture containerd(table(
      {{"GET /v1.41/info", answer(200, R"({"DriverStatus":[["driver-type","io.containerd.snapshotter.v1"]]})")}}));
  EXPECT_FALSE(classic.engine->info()->containerd_store);
  EXPECT_TRUE(containerd.engine->info()->containerd_store);
  EXPECT_EQ(containerd.engine->info()->api_version, "1.45");
  EXPECT_EQ(containerd.http.sent().size(), 2U) << "asked once";
}

TEST(HttpEngineInfo, IsAskedInAVersionThatTheEngineStillSpeaks) {
  Fixture newer(table({{"GET /v1.41/_ping", answer(400, R"({"message":"client version 1.41 is too old"})")},
                       {"GET /version", answer(200, kVersion)},
                       {"GET /v1.44/info", answer(200, "{}")}}));
  EXPECT_EQ(newer.engine->info()->api_version, "1.52");
}

TEST(HttpEngineInfo, SurvivesOddAnswers) {
  for (const char* body :
       {R"({})", R"({"DriverStatus":null})", R"({"DriverStatus":[[],["a"],[1,2],["driver-type",3]]})"}) {
    Fixture each(table({{"GET /v1.41/info", answer(200, body)}}));
    ASSERT_TRUE(each.engine->info()) << body;
    EXPECT_FALSE(each.engine->info()->containerd_store);
  }
  Fixture broken(table({{"GET /v1.41/info", answer(200, "<html>")}}));
  ASSERT_FALSE(broken.engine->info());
  EXPECT_EQ(broken.engine->info().error().code, ErrorCode::engine);
}

TEST(HttpEngineInfo, SaysWhatToDoWhenNobodyAnswers) {
  Fixture each(
      [](const net::Request&) -> Result<net::Response> { return fail(ErrorCode::unavailable, "no such file"); });
  const auto info = each.engine->info();
  ASSERT_FALSE(info);
  EXPECT_EQ(info.error().code, ErrorCode::engine);
  EXPECT_THAT(info.error().message, HasSubstr("/run/docker.sock"));
  EXPECT_FALSE(info.error().hint.empty());
}

TEST(HttpEngineImage, IsReadWithItsLayersAndAbsentOnlyBy404) {
  const std::string body =
      concat(R"({"Id":"sha256:1","Os":"linux","Architecture":"amd64","RootFS":{"Layers":[")", kLayer, R"("]}})");
  Fixture each(table({{"GET /v1.41/images/a/b:1/json", answer(200, body)},
                      {"GET /v1.41/images/none/json", answer(404, R"({"message":"No such image"})")}}));
  const auto found = each.engine->find_image("a/b:1");
  ASSERT_TRUE(found);
  ASSERT_TRUE(*found);
  EXPECT_EQ((*found)->id, "sha256:1");
  EXPECT_EQ((*found)->diff_ids.at(0).text(), kLayer);
  EXPECT_EQ(each.engine->find_image("none").value(), std::nullopt);
  const auto failed = each.engine->find_image("other");
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::engine);
}

TEST(HttpEngineImage, ShowsWhoseDigestItsIdIs) {
  const std::vector<std::pair<std::string, std::optional<bool>>> cases = {
      {R"("RepoDigests":["a/b@sha256:2","localhost:5000/a@sha256:1"],"GraphDriver":{"Data":null,"Name":"overlayfs"})",
       true},
      {R"("RepoDigests":["a/b@sha256:2"],"GraphDriver":{"Data":{"MergedDir":"/m"},"Name":"overlay2"})", false},
      {R"("RepoDigests":["a/b@sha256:12"],"GraphDriver":{"Data":{},"Name":"vfs"})", std::nullopt},
      {R"("RepoDigests":[],"GraphDriver":{"Data":null,"Name":"overlayfs"})", std::nullopt},
      {R"("RepoDigests":null)", std::nullopt}};
  for (const auto& [members, expected] : cases) {
    Fixture each(table({{"GET /v1.41/images/a/json", answer(200, concat(R"({"Id":"sha256:1",)", members, "}"))}}));
    EXPECT_EQ(each.engine->find_image("a").value()->id_is_manifest, expected) << members;
  }
}

TEST(HttpEngineImage, NamesThatLeaveTheImagesPathAreNotSent) {
  Fixture each(table({}));
  for (const char* name : {"", "../containers/x", "a/../b", "a//b", "a?x=1", "a b", "a\r\nb", "a%2f", "/a", "a/."}) {
    EXPECT_EQ(each.engine->find_image(name).error().code, ErrorCode::bad_input) << name;
  }
  EXPECT_TRUE(each.http.sent().empty());
}

TEST(HttpEngineSave, StreamsIntoTheSinkAndPassesItsErrorOn) {
  Fixture each(table({{"GET /v1.41/images/a/get", answer(200, "tar")}}));
  std::string bytes;
  ASSERT_TRUE(each.engine->save_image("a", [&](std::string_view chunk) -> Result<void> {
    bytes += chunk;
    return {};
  }));
  EXPECT_EQ(bytes, "tar");
  const auto full = each.engine->save_image("a", [](std::string_view) { return fail(ErrorCode::no_space, "full"); });
  EXPECT_EQ(full.error().code, ErrorCode::no_space);
}

TEST(HttpEngineSave, TellsAMissingImageFromAFullDisk) {
  Fixture each(table({{"GET /v1.41/images/gone/get", answer(404)},
                      {"GET /v1.41/images/a/get", answer(500, R"({"message":"write: no space left on device"})")}}));
  const auto ignore = [](std::string_view) -> Result<void> { return {}; };
  EXPECT_EQ(each.engine->save_image("gone", ignore).error().code, ErrorCode::not_found);
  EXPECT_EQ(each.engine->save_image("a", ignore).error().code, ErrorCode::no_space);
}

TEST(HttpEngineRemove, DoesNotMindAnAbsentImage) {
  Fixture each(table({{"DELETE /v1.41/images/gone", answer(404)},
                      {"DELETE /v1.41/images/used", answer(409, R"({"message":"image is in use"})")}}));
  EXPECT_TRUE(each.engine->remove_image("gone"));
  EXPECT_THAT(each.engine->remove_image("used").error().message, HasSubstr("image is in use"));
}

}  // namespace
}  // namespace crategate::docker
