// A registry whose clock is another one: said once, and never an error.
#include <gmock/gmock.h>

#include "base/log.h"
#include "wire/registry/registry_server.h"

namespace crategate::registry {
namespace {

using test::head_reply;
using test::manifest_bytes;
using test::RegistryFixture;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// Here it is 2026-11-20T09:29:18Z.
struct Scene : RegistryFixture {
  Scene() {
    log::configure({}, [this](log::Level level, std::string_view line) {
      if (level == log::Level::warning) warnings.emplace_back(line);
    });
  }
  ~Scene() { log::configure({}); }
  void ask(net::Headers headers) {
    auto reply = head_reply(manifest_bytes());
    reply.headers.insert(reply.headers.end(), headers.begin(), headers.end());
    server.expect("HEAD", "/v2/a/b/manifests/v1", reply);
    ASSERT_TRUE(client.digest(tag("v1")));
  }
  std::vector<std::string> warnings;
};

TEST(RegistryClock, B28WarnsOnceOfAHostWhoseClockDiffers) {
  for (const std::string date :
       {"Fri, 20 Nov 2026 09:24:17 GMT", "Fri, 20 Nov 2026 09:34:19 GMT", "Sat, 20 Nov 2027 09:29:18 GMT"}) {
    Scene scene;
    scene.ask({{"Date", date}});
    scene.ask({{"Date", date}});
    EXPECT_THAT(scene.warnings, ElementsAre(HasSubstr(concat("registry ", scene.server.host(), ": its clock says"))))
        << date;
  }
}

TEST(RegistryClock, SaysNothingOfWhatMayBeRight) {
  const net::Headers harmless[] = {{{"X-Nothing", "here"}},
                                   {{"Date", "Fri, 20 Nov 2026 09:24:18 GMT"}},
                                   {{"Date", "Fri, 20 Nov 2026 09:34:18 GMT"}},
                                   {{"Date", "yesterday"}},
                                   {{"Date", "Fri, 20 Nov 2026 08:00:00 GMT"}, {"Age", "5358"}}};
  for (const net::Headers& headers : harmless) {
    Scene scene;
    scene.ask(headers);
    EXPECT_THAT(scene.warnings, IsEmpty()) << headers[0].second;
  }
}

}  // namespace
}  // namespace crategate::registry
