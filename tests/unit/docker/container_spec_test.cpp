#include <gmock/gmock.h>

#include "docker/container.h"
#include "json/value.h"

namespace crategate::docker {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string body_of(const ContainerSpec& spec) { return creation_body(spec, {}); }

TEST(ContainerSpec, AlwaysHasInitNoNewPrivilegesAProcessLimitAndNoTerminal) {
  const std::string body = body_of({.image = "i"});
  EXPECT_THAT(body, HasSubstr(R"("Init":true)"));
  EXPECT_THAT(body, HasSubstr(R"("SecurityOpt":["no-new-privileges"])"));
  EXPECT_THAT(body, HasSubstr(R"("PidsLimit":4096)"));
  EXPECT_THAT(body, HasSubstr(R"("Tty":false)"));
  EXPECT_THAT(body, HasSubstr(R"("Privileged":false)"));
  EXPECT_THAT(body, HasSubstr(R"("AutoRemove":false)"));
  EXPECT_THAT(body, Not(HasSubstr("docker.sock")));
}

TEST(ContainerSpec, MountsSoThatAMissingSourceIsRefused) {
  const std::string body = creation_body({.image = "i"}, {{.source = "/src", .target = "/work"},
                                                          {.source = "/data", .target = "/data", .read_only = true}});
  EXPECT_THAT(body, HasSubstr(R"("Mounts":[{"ReadOnly":false,"Source":"/src","Target":"/work","Type":"bind"},)"
                              R"({"ReadOnly":true,"Source":"/data","Target":"/data","Type":"bind"}])"));
  EXPECT_THAT(body, Not(HasSubstr("Binds")));
}

TEST(ContainerSpec, MountsAFolderOfAVolumeAndFillsNone) {
  const std::string body =
      creation_body({.image = "i"}, {{.type = "volume", .source = "v", .subpath = "a/b", .target = "/t"}});
  EXPECT_THAT(body, HasSubstr(R"({"ReadOnly":false,"Source":"v","Target":"/t","Type":"volume",)"
                              R"("VolumeOptions":{"NoCopy":true,"Subpath":"a/b"}})"));
}

TEST(ContainerSpec, KeepsTheEntrypointOfTheImageUnlessOverridden) {
  EXPECT_THAT(body_of({.image = "i", .entrypoint = {"x"}}), Not(HasSubstr("Entrypoint")));
  EXPECT_THAT(body_of({.image = "i", .entrypoint = {"x"}, .override_entrypoint = true}),
              HasSubstr(R"("Entrypoint":["x"])"));
  EXPECT_THAT(body_of({.image = "i", .override_entrypoint = true}), HasSubstr(R"("Entrypoint":[""])"));
}

}  // namespace
}  // namespace crategate::docker
