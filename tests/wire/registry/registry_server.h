// A registry of the test's own words, and the client under test.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/strings.h"
#include "oci/media_types.h"
#include "registry/client.h"
#include "support/fakes.h"
#include "support/scripted_http_server.h"

namespace crategate::test {

inline std::string registry_error(const std::string& code) {
  return concat(R"({"errors":[{"code":")", code, R"(","message":"because"}]})");
}

inline std::string manifest_bytes(const std::string& mark = "") {
  const std::string digest = oci::Digest::of("{}").text();
  return concat(R"({"schemaVersion":2,"mediaType":")", oci::kOciManifest, R"(","config":{"mediaType":")",
                oci::kOciConfig, R"(","digest":")", digest, R"(","size":2},"layers":[],"annotations":{"mark":")", mark,
                "\"}}");
}

inline Reply manifest_reply(const std::string& bytes, std::string_view type = oci::kOciManifest) {
  return {.status = 200,
          .headers = {{"Content-Type", std::string(type)}, {"Docker-Content-Digest", oci::Digest::of(bytes).text()}},
          .body = bytes};
}

inline Reply head_reply(const std::string& bytes) {
  Reply reply = manifest_reply(bytes);
  reply.body.clear();
  return reply;
}

/// A registry on loopback with a client that has (or has not) a login for it.
struct RegistryFixture {
  explicit RegistryFixture(bool with_login = false)
      : client(http, clock,
               [with_login](const std::string&) -> Result<std::optional<registry::Credentials>> {
                 if (!with_login) return std::nullopt;
                 return registry::Credentials{"me", Secret("pass-word")};
               },
               {}) {}

  oci::Repository repository(const std::string& path = "a/b") const { return {server.host(), path}; }
  oci::Reference tag(const std::string& name) const { return {repository(), name, std::nullopt}; }
  oci::Reference by_digest(const oci::Digest& digest) const { return {repository(), std::nullopt, digest}; }
  /// How often a request carried an Authorization header.
  static int authorized(const ScriptedHttpServer& of) {
    int count = 0;
    for (const ReceivedRequest& request : of.received()) count += request.header("authorization").empty() ? 0 : 1;
    return count;
  }

  ScriptedHttpServer server;
  FakeClock clock;
  net::PosixHttpClient http;
  registry::HttpRegistry client;
};

inline Reply challenge(const std::string& header) { return {.status = 401, .headers = {{"WWW-Authenticate", header}}}; }

}  // namespace crategate::test
