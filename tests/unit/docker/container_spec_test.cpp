#include <gmock/gmock.h>

#include "docker/container.h"
#include "json/value.h"

namespace crategate::docker {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string body_of(const ContainerSpec& spec) {
  const auto body = creation_body(spec);
  EXPECT_TRUE(body) << body.error().message;
  return body.value_or("");
}

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
  const std::string body = body_of({.image = "i", .binds = {"/src:/work", "/data:/data:ro", "/w:/w:rw"}});
  EXPECT_THAT(body, HasSubstr(R"("Mounts":[{"ReadOnly":false,"Source":"/src","Target":"/work","Type":"bind"},)"
                              R"({"ReadOnly":true,"Source":"/data","Target":"/data","Type":"bind"},)"
                              R"({"ReadOnly":false,"Source":"/w","Target":"/w","Type":"bind"}])"));
  EXPECT_THAT(body, Not(HasSubstr("Binds")));
}

TEST(ContainerSpec, RefusesMountsItDoesNotUnderstand) {
  for (const char* bind : {"", "/a", "a:/b", "/a:b", "/a:/b:z", "/a:/b:ro:x", ":/b", "/a:"}) {
    const auto body = creation_body({.image = "i", .binds = {bind}});
    ASSERT_FALSE(body) << bind;
    EXPECT_EQ(body.error().code, ErrorCode::bad_input);
  }
}

TEST(ContainerSpec, KeepsTheEntrypointOfTheImageUnlessOverridden) {
  EXPECT_THAT(body_of({.image = "i", .entrypoint = {"x"}}), Not(HasSubstr("Entrypoint")));
  EXPECT_THAT(body_of({.image = "i", .entrypoint = {"x"}, .override_entrypoint = true}),
              HasSubstr(R"("Entrypoint":["x"])"));
  EXPECT_THAT(body_of({.image = "i", .override_entrypoint = true}), HasSubstr(R"("Entrypoint":[""])"));
}

}  // namespace
}  // namespace crategate::docker
