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

TEST(ContainerSpec, SaysNothingOfLimitsThatItHasNot) {
  const std::string body = body_of({.image = "i"});
  for (const auto* const name : {"Memory", "Cpu", "Ulimits", "CapDrop", "ReadonlyRootfs", "Tmpfs"})
    EXPECT_THAT(body, Not(HasSubstr(name)));
}

TEST(ContainerSpec, LimitsWhatItGetsOfTheMachine) {
  ContainerSpec spec{.image = "i"};
  spec.limits = {.memory = 1u << 30,
                 .cpus = 2,
                 .processes = 100,
                 .file_size = 5000,
                 .drop_capabilities = true,
                 .read_only_root = true,
                 .tmpfs = {{"/tmp", "size=1m,mode=1777"}}};
  const std::string body = body_of(spec);
  EXPECT_THAT(body, HasSubstr(R"("Memory":1073741824,"MemorySwap":1073741824)"));
  EXPECT_THAT(body, HasSubstr(R"("CpuPeriod":100000,"CpuQuota":200000)"));
  EXPECT_THAT(body, HasSubstr(R"("PidsLimit":100)"));
  EXPECT_THAT(body, HasSubstr(R"("Ulimits":[{"Hard":5000,"Name":"fsize","Soft":5000}])"));
  EXPECT_THAT(body, HasSubstr(R"("CapDrop":["ALL"])"));
  EXPECT_THAT(body, HasSubstr(R"("ReadonlyRootfs":true)"));
  EXPECT_THAT(body, HasSubstr(R"("Tmpfs":{"/tmp":"size=1m,mode=1777"})"));
}

}  // namespace
}  // namespace crategate::docker
