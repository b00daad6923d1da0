// GitHub's API in the test's own words, and the client under test.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>

#include "base/strings.h"
#include "github/client.h"
#include "github/session.h"
#include "support/fakes.h"
#include "support/scripted_http_server.h"

namespace crategate::test {

inline constexpr const char* kToken = "ghs_open-sesame";
inline const std::string kBase = "/api/v3";

inline std::string artifact_json(std::int64_t id, const std::string& name = "logs", const std::string& more = "") {
  return concat(R"({"id":)", id, R"(,"node_id":"x","name":")", name,
                R"(","size_in_bytes":5,"expired":false,"created_at":"2026-11-20T09:29:18Z","updated_at":null,)",
                R"("archive_download_url":"https://evil.example/zip")", more, "}");
}

inline Reply page_reply(const std::string& artifacts, net::Headers headers = {}) {
  return {.headers = std::move(headers), .body = concat(R"({"total_count":9,"artifacts":[)", artifacts, "]}")};
}

/// Appends what was asked and answered to the file that CRATEGATE_EXCHANGES names, for tests/github/exchanges.py: a line each of
/// test, method, target, content type, body, status and answer, texts in base64. Broken answers are none of the API's.
inline void keep_exchange(const ReceivedRequest& request, const Reply& reply) {
  const char* const file = std::getenv("CRATEGATE_EXCHANGES");
  if (file == nullptr || !reply.raw.empty() || reply.reset || reply.stall || reply.cut_after) return;
  const auto* const test = testing::UnitTest::GetInstance()->current_test_info();
  std::ofstream(file, std::ios::app) << test->test_suite_name() << '.' << test->name() << '\t' << request.method << '\t'
                                     << request.target << '\t' << request.header("content-type") << '\t'
                                     << base64(request.body) << '\t' << reply.status << '\t' << base64(reply.body)
                                     << '\n';
}

/// An API on loopback, below a path as on an Enterprise Server; chance is always 0.
struct ApiFixture {
  explicit ApiFixture(const std::string& token = kToken) : ApiFixture(token, github::Options{}) {}
  ApiFixture(const std::string& token, github::Options options)
      : endpoint{server.url(kBase), Secret(token)},
        options_(with_no_chance(std::move(options))),
        client(http, clock, endpoint, options_),
        session(http, clock, endpoint, options_) {
    server.watch(keep_exchange);
  }

  static github::Options with_no_chance(github::Options options) {
    options.random = [] { return 0.0; };
    return options;
  }
  void expect(const std::string& method, const std::string& path, Reply reply) {
    server.expect(method, kBase + path, std::move(reply));
  }
  static github::RepositoryName repository() { return *github::RepositoryName::parse("o/r"); }
  Result<std::vector<github::RunArtifact>> list() { return client.run_artifacts(repository(), 7, {}); }
  Result<github::Answer> send(const github::Query& query) {
    net::Deadline deadline = session.deadline();
    return session.send(query, deadline);
  }
  /// How often a request carried an Authorization header.
  static int authorized(const ScriptedHttpServer& of) {
    int count = 0;
    for (const ReceivedRequest& request : of.received()) count += request.header("authorization").empty() ? 0 : 1;
    return count;
  }

  ScriptedHttpServer server;
  FakeClock clock;
  net::PosixHttpClient http;
  github::Endpoint endpoint;
  github::Options options_;
  github::RestGitHubClient client;
  github::Session session;  ///< the same API, for what the client does not ask yet
};

inline const std::string kList = "/repos/o/r/actions/runs/7/artifacts?per_page=100";

}  // namespace crategate::test
