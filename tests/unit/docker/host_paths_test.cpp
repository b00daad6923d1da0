// Paths of a container as the engine's machine knows them.
#include "docker/host_paths.h"

#include <gmock/gmock.h>

#include "base/strings.h"
#include "docker/engine_api.h"
#include "unit/docker/fake_http_client.h"

namespace crategate::docker {
namespace {

using testing::HasSubstr;

OwnContainer action() {
  return {.id = "abc",
          .image_id = "sha256:1",
          .mounts = {
              {.type = "bind", .name = "", .source = "/home/runner/work/app/app", .destination = "/github/workspace"},
              {.type = "bind", .name = "", .source = "/home/runner/work/_temp", .destination = "/github"},
              {.type = "bind", .name = "", .source = "/", .destination = "/host"},
              {.type = "bind", .name = "", .source = "/etc/app", .destination = "/fixed", .writable = false},
              {.type = "volume", .name = "data", .source = "/var/lib/x", .destination = "/volume"},
              {.type = "tmpfs", .name = "", .source = "", .destination = "/github/workspace/memory"}}};
}

TEST(Bind, RefusesWhatItDoesNotUnderstand) {
  EXPECT_EQ(parse_bind("/a:/b").value(), (HostMount{.source = "/a", .target = "/b"}));
  EXPECT_EQ(parse_bind("/a:/b:rw").value(), (HostMount{.source = "/a", .target = "/b"}));
  EXPECT_TRUE(parse_bind("/a:/b:ro")->read_only);
  for (const char* bind : {"", "/a", "a:/b", "/a:b", "/a:/b:z", "/a:/b:ro:x", ":/b", "/a:"}) {
    const auto mount = parse_bind(bind);
    ASSERT_FALSE(mount) << bind;
    EXPECT_EQ(mount.error().code, ErrorCode::bad_input);
  }
}

TEST(HostPath, IsThatOfTheNearestMount) {
  struct Row {
    const char* here;
    HostMount there;
  };
  const std::vector<Row> rows = {
      {"/github/workspace", {.source = "/home/runner/work/app/app", .target = "/t"}},
      {"/github/workspace/a b/c", {.source = "/home/runner/work/app/app/a b/c", .target = "/t"}},
      {"/github/home/x", {.source = "/home/runner/work/_temp/home/x", .target = "/t"}},
      {"/github/workspace2", {.source = "/home/runner/work/_temp/workspace2", .target = "/t"}},
      {"/host/srv", {.source = "/srv", .target = "/t"}},
      {"/host", {.source = "/", .target = "/t"}},
      {"/fixed/file", {.source = "/etc/app/file", .target = "/t", .read_only = true}},
      {"/volume", {.type = "volume", .source = "data", .target = "/t"}},
      {"/volume/a/b", {.type = "volume", .source = "data", .subpath = "a/b", .target = "/t"}},
  };
  for (const Row& row : rows) {
    const auto found = to_host({.source = row.here, .target = "/t"}, action());
    ASSERT_TRUE(found) << row.here << ": " << found.error().message;
    EXPECT_EQ(*found, row.there) << row.here << " became " << found->source;
  }
}

TEST(HostPath, IsTheSameOutsideOfAContainer) {
  EXPECT_EQ(to_host({.source = "/anywhere", .target = "/t"}, std::nullopt)->source, "/anywhere");
}

/// A77: never an empty directory of the host in place of what only the container has.
TEST(HostPath, IsRefusedForWhatOnlyTheContainerHas) {
  for (const char* here : {"/tmp/x", "/", "/githubber", "/github/workspace/memory/x"}) {
    const auto found = to_host({.source = here, .target = "/t"}, action());
    ASSERT_FALSE(found) << here;
    EXPECT_EQ(found.error().code, ErrorCode::bad_input);
    EXPECT_THAT(found.error().message, HasSubstr(here));
    EXPECT_THAT(found.error().message, HasSubstr("/github/workspace, /github, /host"));
    EXPECT_THAT(found.error().hint, HasSubstr("GITHUB_WORKSPACE"));
  }
  const auto nothing = to_host({.source = "/x", .target = "/t"}, OwnContainer{});
  EXPECT_THAT(nothing.error().message, HasSubstr("mounted are: none"));
}

Result<std::string> version_for(const std::vector<HostMount>& mounts, const char* newest) {
  test::FakeHttpClient http([newest](const net::Request& request) -> Result<net::Response> {
    if (request.url.target != "/version") return test::answer(200, "{}");
    return test::answer(200, concat(R"({"Version":"x","ApiVersion":")", newest, R"(","MinAPIVersion":"1.24"})"));
  });
  EngineApi api(http, "/s");
  return api_version_for(mounts, api);
}

TEST(HostPath, OfAFolderInAVolumeNeedsANewEngine) {
  const std::vector<HostMount> folder = {{.type = "volume", .source = "data", .subpath = "a", .target = "/t"}};
  EXPECT_EQ(version_for(folder, "1.45").value(), "1.45");
  EXPECT_EQ(version_for(folder, "1.51").value(), "1.45");
  EXPECT_EQ(version_for({{.type = "volume", .source = "data", .target = "/t"}}, "1.41").value(), "");
  const auto old = version_for(folder, "1.44");
  ASSERT_FALSE(old);
  EXPECT_EQ(old.error().code, ErrorCode::engine);
  EXPECT_THAT(old.error().message, HasSubstr("1.45"));
}

}  // namespace
}  // namespace crategate::docker
