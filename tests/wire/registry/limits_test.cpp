// What a registry says about its limits, and when it is asked again.
// Belongs here: pauses on the wire.  Not here: how headers are read (unit/registry/limits_test).
#include <gmock/gmock.h>

#include "wire/registry/registry_server.h"

namespace crategate::registry {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::head_reply;
using test::manifest_bytes;
using test::RegistryFixture;
using test::Reply;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kTag = "/v2/a/b/manifests/v1";

Reply limited(int status, net::Headers headers) {
  Reply reply = status == 200 ? head_reply(manifest_bytes()) : Reply{.status = status};
  for (auto& header : headers) reply.headers.push_back(std::move(header));
  return reply;
}

struct Scene : RegistryFixture {
  void expect(int status, net::Headers headers) { server.expect("HEAD", kTag, limited(status, std::move(headers))); }
  Result<std::optional<oci::Digest>> ask() { return client.digest(tag("v1")); }
};

TEST(RegistryLimits, B06WaitForTheResetOfA429WithoutRetryAfter) {
  Scene scene;
  scene.expect(429, {{"RateLimit-Remaining", "0"}, {"RateLimit-Reset", "9"}});
  scene.expect(200, {});
  ASSERT_TRUE(scene.ask());
  EXPECT_THAT(scene.clock.sleeps(), ElementsAre(seconds(9)));
}

TEST(RegistryLimits, B07EndAtOnceWhereAQuotaOfHoursIsUsedUp) {
  Scene scene;
  scene.expect(429, {{"ratelimit-limit", "100;w=21600"}, {"ratelimit-remaining", "0;w=21600"}});
  const auto asked = scene.ask();
  ASSERT_FALSE(asked);
  EXPECT_EQ(asked.error().code, ErrorCode::rate_limited);
  EXPECT_THAT(asked.error().message, HasSubstr("limit 100 in 6 h 00 min, 0 left"));
  EXPECT_THAT(scene.clock.sleeps(), IsEmpty());
  scene.expect(200, {});
  EXPECT_TRUE(scene.ask()) << "nobody knows when it ends: what comes next may be something else, and asks";
}

TEST(RegistryLimits, B06HoldTheNextRequestUntilTheReset) {
  Scene scene;
  scene.expect(200, {{"RateLimit", "limit=2, remaining=1, reset=7"}});
  scene.expect(200, {{"RateLimit", "limit=2, remaining=0, reset=7"}});
  scene.expect(200, {});
  ASSERT_TRUE(scene.ask());
  ASSERT_TRUE(scene.ask());
  EXPECT_THAT(scene.clock.sleeps(), IsEmpty()) << "what was answered waits for nothing";
  ASSERT_TRUE(scene.ask());
  EXPECT_THAT(scene.clock.sleeps(), ElementsAre(seconds(7)));
}

TEST(RegistryLimits, B06RefuseTheNextRequestWhereTheResetIsFarAway) {
  Scene scene;
  scene.expect(200, {{"X-RateLimit-Limit", "60"}, {"X-RateLimit-Remaining", "0"}, {"X-RateLimit-Reset", "3600"}});
  ASSERT_TRUE(scene.ask());
  const auto asked = scene.ask();
  ASSERT_FALSE(asked);
  EXPECT_EQ(asked.error().code, ErrorCode::rate_limited);
  EXPECT_THAT(asked.error().message, HasSubstr("found 1 h 00 min more, until 2026-11-20T10:29:18Z (limit 60, 0 left"));
  EXPECT_THAT(asked.error().hint, HasSubstr("logging in raises most limits"));
  EXPECT_EQ(scene.server.received().size(), 1U) << "nothing was asked in vain";
}

TEST(RegistryLimits, HoldNobodyBackWhereNothingIsKnown) {
  const net::Headers harmless[] = {{{"ratelimit-limit", "100;w=21600"}, {"ratelimit-remaining", "0;w=21600"}},
                                   {{"RateLimit-Remaining", "0"}, {"RateLimit-Reset", "0"}},
                                   {{"RateLimit-Remaining", "0"}, {"RateLimit-Reset", "999999999"}},
                                   {{"RateLimit-Remaining", "-0"}, {"RateLimit-Reset", "3600"}},
                                   {{"RateLimit-Reset", "3600"}},
                                   {{"X-RateLimit-Remaining", "0"}, {"X-RateLimit-Reset", "1795160000"}}};
  for (const net::Headers& headers : harmless) {
    Scene scene;
    scene.expect(200, headers);
    scene.expect(200, {});
    ASSERT_TRUE(scene.ask());
    EXPECT_TRUE(scene.ask()) << headers[0].second;
    EXPECT_THAT(scene.clock.sleeps(), IsEmpty()) << headers[0].second;
  }
}

}  // namespace
}  // namespace crategate::registry
