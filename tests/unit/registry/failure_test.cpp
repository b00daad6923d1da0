#include "registry/failure.h"

#include <gmock/gmock.h>

#include "base/strings.h"

namespace crategate::registry {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string errors(const std::string& code, const std::string& message = "because") {
  return concat(R"({"errors":[{"code":")", code, R"(","message":")", message, R"(","detail":{}}]})");
}

Asked asked(const std::string& registry = "ghcr.io") {
  return {"PUT",
          *net::Url::parse(concat("https://", registry, "/v2/a/b/manifests/x?_state=secret")),
          {registry, "a/b"},
          "pull,push",
          "me"};
}

struct StatusRow {
  const char* name;
  int status;
  std::string body;
  ErrorCode code;
};

class RegistryFailure : public testing::TestWithParam<StatusRow> {};

TEST_P(RegistryFailure, B03HasOneCodeAndAHint) {
  const Error error = registry_failure(asked(), {GetParam().status, {}, GetParam().body});
  EXPECT_EQ(error.code, GetParam().code) << name(error.code);
  EXPECT_FALSE(error.hint.empty());
  EXPECT_EQ(error.http->status, GetParam().status);
}

INSTANTIATE_TEST_SUITE_P(
    Rows, RegistryFailure,
    testing::Values(StatusRow{"Unauthorized", 401, errors("UNAUTHORIZED"), ErrorCode::unauthenticated},
                    StatusRow{"Denied", 403, errors("DENIED"), ErrorCode::forbidden},
                    StatusRow{"DeniedAsNotFound", 404, errors("DENIED"), ErrorCode::forbidden},
                    StatusRow{"ReadOnly", 405, errors("UNSUPPORTED"), ErrorCode::forbidden},
                    StatusRow{"NameUnknown", 404, errors("NAME_UNKNOWN"), ErrorCode::not_found},
                    StatusRow{"BlobUnknown", 404, errors("MANIFEST_BLOB_UNKNOWN"), ErrorCode::integrity},
                    StatusRow{"DigestInvalid", 400, errors("DIGEST_INVALID"), ErrorCode::integrity},
                    StatusRow{"ManifestInvalid", 400, errors("MANIFEST_INVALID"), ErrorCode::bad_input},
                    StatusRow{"TooLarge", 413, "", ErrorCode::bad_input},
                    StatusRow{"Conflict", 409, "", ErrorCode::conflict},
                    StatusRow{"ImmutableByMessage", 400, errors("TAG_INVALID", "tag is Immutable"),
                              ErrorCode::conflict},
                    StatusRow{"ImmutableForbidden", 403, errors("DENIED", "immutable tag"), ErrorCode::conflict},
                    StatusRow{"TooManyRequests", 429, "plain text", ErrorCode::rate_limited},
                    StatusRow{"Timeout", 408, "", ErrorCode::unavailable},
                    StatusRow{"ServerError", 500, "<html>", ErrorCode::unavailable},
                    StatusRow{"Redirect", 302, "", ErrorCode::unavailable}),
    [](const auto& each) { return std::string(each.param.name); });

TEST(RegistryError, NamesRegistryUserScopeAndTheRegistrysCodeButNoQuery) {
  const Error error = registry_failure(asked(), {403, {{"X-Request-Id", "r1"}}, errors("DENIED", "no push")});
  const std::string line = describe(error);
  for (const char* part : {"ghcr.io", "user me", "pull,push", "a/b", "403", "no push", "DENIED", "PUT"}) {
    EXPECT_THAT(line, HasSubstr(part));
  }
  EXPECT_THAT(line, Not(HasSubstr("_state")));
  EXPECT_EQ(error.http->request_id, "r1");
}

TEST(RegistryError, TellsTheUsersOfDockerHubAboutItsTwoSecrets) {
  for (const int status : {401, 403}) {
    const Error error = registry_failure(asked("docker.io"), {status, {}, errors("DENIED")});
    EXPECT_THAT(error.hint, HasSubstr("DOCKERHUB_USERNAME"));
    EXPECT_THAT(error.hint, HasSubstr("DOCKERHUB_TOKEN"));
  }
  EXPECT_THAT(registry_failure(asked("docker.io"), {405, {}, ""}).hint, HasSubstr("read-only"));
}

/// Of what was asked, whatever the repository is called.
TEST(RegistryError, NamesThePermissionForGhcrByWhatWasAsked) {
  for (const auto& [scope, level] : {std::pair{"pull", "read"},
                                     {"pull,push", "write"},
                                     {"delete,pull,push", "write"},
                                     {"repository:me/push:pull", "read"},
                                     {"repository:a/b:pull,push repository:c/d:pull", "write"},
                                     {"repository:a/b:pull,push, repository:c/d:pull", "write"}}) {
    Asked with_login = asked();
    with_login.scope = scope;
    const std::string permission = concat("`permissions: packages: ", level, "`");
    for (const int status : {401, 403}) {
      EXPECT_THAT(registry_failure(with_login, {status, {}, ""}).hint, HasSubstr(permission)) << scope << status;
    }
    for (const bool has_login : {true, false}) {
      EXPECT_THAT(login_hint("ghcr.io", scope, has_login), HasSubstr(permission)) << scope;
      EXPECT_THAT(login_hint("quay.io", scope, has_login), Not(HasSubstr("permissions"))) << scope;
    }
  }
  Asked of_hub = asked("docker.io");
  EXPECT_THAT(registry_failure(of_hub, {403, {}, ""}).hint, HasSubstr("Read & Write"));
  of_hub.scope = "pull";
  EXPECT_THAT(registry_failure(of_hub, {403, {}, ""}).hint, HasSubstr("Read-only"));
}

TEST(RegistryError, IsForbiddenWhenALoginLacksTheScope) {
  const net::Response response{401, {{"WWW-Authenticate", R"(Bearer realm="x",error="insufficient_scope")"}}, ""};
  EXPECT_EQ(registry_failure(asked(), response).code, ErrorCode::forbidden);
  Asked anonymous = asked();
  anonymous.user.clear();
  EXPECT_EQ(registry_failure(anonymous, response).code, ErrorCode::unauthenticated);
}

TEST(RegistryError, B06SaysHowLongItWasAskedToWait) {
  EXPECT_THAT(registry_failure(asked(), {429, {{"Retry-After", "86400"}}, ""}).message,
              HasSubstr("asked to wait 86400 s"));
}

TEST(RegistryError, B06NamesTheLimitOf429AndItsEnd) {
  const net::Headers quota{{"RateLimit-Limit", "60;w=60"}, {"RateLimit-Remaining", "0"}, {"RateLimit-Reset", "30"}};
  const Error error = registry_failure(asked(), {429, quota, ""});
  EXPECT_THAT(error.message, HasSubstr("found 429 (limit 60 in 1 min 00 s, 0 left, more in 30.0 s)"));
  EXPECT_THAT(error.hint, HasSubstr("run again after that time"));
  net::Headers both = quota;
  both.emplace_back("Retry-After", "31");
  EXPECT_THAT(registry_failure(asked(), {429, both, ""}).message, HasSubstr("(asked to wait 31 s; limit 60 in"));
  EXPECT_THAT(registry_failure(asked(), {403, quota, ""}).message, Not(HasSubstr("limit 60")));
}

TEST(RegistryError, B07SaysWhichLimitOfDockerHubWasReached) {
  const net::Response pulls{429, {{"RateLimit-Limit", "100;w=21600"}}, errors("TOOMANYREQUESTS")};
  const net::Response abuse{429, {{"Retry-After", "60"}}, "Too Many Requests"};
  Asked anonymous = asked("docker.io");
  anonymous.user.clear();
  EXPECT_THAT(registry_failure(anonymous, pulls).hint, HasSubstr("limit of pulls is reached: log in"));
  EXPECT_THAT(registry_failure(asked("docker.io"), pulls).hint, HasSubstr("limit of pulls of me is reached"));
  EXPECT_THAT(registry_failure(anonymous, abuse).hint, HasSubstr("not the limit of pulls"));
  for (const net::Response& response : {pulls, abuse})
    EXPECT_THAT(registry_failure(asked("quay.io"), response).hint, Not(HasSubstr("pulls")));
}

TEST(RegistryError, A55NeverCarriesControlCharactersOrWorkflowCommands) {
  const Error error =
      registry_failure(asked(), {403, {}, errors("DENIED", "##[error]x \\u001b[31m\\n::set-output name=a::b")});
  const std::string line = describe(error);
  EXPECT_THAT(line, Not(HasSubstr("##[")));
  EXPECT_THAT(line, Not(HasSubstr("\x1b")));
  EXPECT_THAT(line, Not(HasSubstr("\n")));
}

TEST(RegistryAbsence, B04IsOnlyWhatARegistrySays) {
  EXPECT_TRUE(is_registry_404({404, {}, errors("MANIFEST_UNKNOWN")}));
  EXPECT_TRUE(is_registry_404({404, {{"Docker-Distribution-Api-Version", "registry/2.0"}}, ""}));
  EXPECT_FALSE(is_registry_404({404, {}, errors("DENIED")}));
  EXPECT_FALSE(is_registry_404({404, {}, errors("UNAUTHORIZED")}));
  for (const char* body :
       {"", "404 page not found", "<html>", "{}", R"({"errors":[]})", R"({"errors":[7]})", R"({"errors":{}})"}) {
    EXPECT_FALSE(is_registry_404({404, {}, body})) << body;
  }
  EXPECT_FALSE(is_registry_404({403, {}, errors("MANIFEST_UNKNOWN")}));
}

}  // namespace
}  // namespace crategate::registry
