// Versions of container packages over the wire.
#include <gmock/gmock.h>

#include "wire/github/api_server.h"

namespace crategate::github {
namespace {

using test::ApiFixture;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

const ContainerPackage kPackage{"o", "r/ci", true};
const std::string kVersions = "/orgs/o/packages/container/r%2Fci/versions";

oci::Repository images(const std::string& name) { return oci::parse_repository(name).value(); }

std::string version_json(std::int64_t id, const std::string& metadata) {
  return concat(R"({"id":)", id, R"(,"name":"sha256:ab","metadata":)", metadata, "}");
}

std::string tagged(const std::string& tags) {
  return concat(R"({"package_type":"container","container":{"tags":[)", tags, "]}}");
}

TEST(ContainerPackages, AreOfTheOwnerThatTheImagesName) {
  ApiFixture api;
  api.expect("GET", "/users/o", {.body = R"({"login":"O","type":"Organization"})"});
  api.expect("GET", "/users/me", {.body = R"({"login":"me","type":"User"})"});
  api.expect("GET", "/users/odd", {.body = R"({"login":"odd"})"});
  const auto of_organisation = api.client.container_package(images("ghcr.io/o/r/ci"));
  ASSERT_TRUE(of_organisation && *of_organisation);
  EXPECT_EQ((*of_organisation)->name, "r/ci");
  EXPECT_TRUE((*of_organisation)->of_organisation);
  EXPECT_FALSE(api.client.container_package(images("ghcr.io/me/ci")).value()->of_organisation);
  EXPECT_EQ(api.client.container_package(images("ghcr.io/odd/ci")).error().code, ErrorCode::github_api);
  for (const char* elsewhere : {"localhost:5000/o/r/ci", "containers.ghe.example/o/r/ci", "docker.io/o/ci"})
    EXPECT_EQ(api.client.container_package(images(elsewhere)).value().has_value(), false) << elsewhere;
  EXPECT_EQ(api.server.received().size(), 3U) << "nobody is asked about a registry of somebody else";
}

TEST(PackageVersions, AreListedWithTheirTags) {
  ApiFixture api;
  const std::string next = api.server.url(test::kBase + kVersions + "?per_page=100&page=2").text();
  api.expect("GET", kVersions + "?per_page=100",
             {.headers = {{"Link", concat("<", next, R"(>; rel="next")")}},
              .body = concat("[", version_json(1, tagged(R"("latest","pr-7")")), "]")});
  api.expect("GET", kVersions + "?per_page=100&page=2", {.body = concat("[", version_json(2, tagged("")), "]")});
  const auto versions = api.client.package_versions(kPackage);
  ASSERT_TRUE(versions) << describe(versions.error());
  ASSERT_EQ(versions->size(), 2U);
  EXPECT_THAT(versions->at(0).tags, ElementsAre("latest", "pr-7"));
  EXPECT_EQ(versions->at(1).id, 2);
}

/// Nothing is deleted of what nobody can tell the tags of.
TEST(PackageVersions, WithoutTagsInThemAreNoAnswer) {
  ApiFixture api;
  for (const std::string metadata :
       {"{}", R"({"container":null})", R"({"container":{}})", R"({"container":{"tags":"a"}})"}) {
    api.expect("GET", kVersions + "/1", {.body = version_json(1, metadata)});
    EXPECT_EQ(api.client.package_version(kPackage, 1).error().code, ErrorCode::github_api) << metadata;
  }
  api.expect("GET", kVersions + "/1", {.status = 404, .body = R"({"message":"Not Found"})"});
  EXPECT_EQ(api.client.package_version(kPackage, 1).value().has_value(), false);
}

TEST(PackageVersions, NameThePermissionAndTheRoleThatAreMissing) {
  ApiFixture api;
  const std::string no = R"({"message":"Package not found."})";
  api.expect("GET", kVersions + "?per_page=100", {.status = 403, .body = no});
  EXPECT_THAT(api.client.package_versions(kPackage).error().hint,
              AllOf(HasSubstr("packages: read"), HasSubstr("the role Read in the settings of the package o/r/ci")));
  for (const int status : {403, 404}) {
    api.expect("DELETE", kVersions + "/1", {.status = status, .body = no});
    const auto removed = api.client.delete_package_version(kPackage, 1);
    EXPECT_THAT(removed.error().hint, AllOf(HasSubstr("packages: write"), HasSubstr("the role Admin")));
  }
  api.expect("DELETE", "/users/me/packages/container/ci/versions/1", {.status = 204});
  EXPECT_TRUE(api.client.delete_package_version({"me", "ci", false}, 1));
}

}  // namespace
}  // namespace crategate::github
