// A lease over HTTPS: the program git, its own server, a login; what a server says is what a person reads.
#include <gmock/gmock.h>

#include <future>
#include <thread>

#include "unit/git/ref_store_fixture.h"

namespace crategate::git {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::string kRef = "refs/crategate/app", kToken = "ghs_9876543210zyxwvutsrq";

class HttpsRemote : public ::testing::Test {
 protected:
  HttpsRemote() {
    std::promise<std::string> port;
    auto found = port.get_future();
    server_ = std::thread([this, port = std::move(port)]() mutable {
      std::string said;
      const auto listen = [&](sys::Stream stream, std::string_view bytes) {
        if (stream == sys::Stream::err) return;
        const bool known = said.ends_with('\n');
        said += bytes;
        if (!known && said.ends_with('\n')) port.set_value(std::string(trim(said.substr(said.rfind(' ')))));
      };
      const auto ended =
          runner_.run({.program = "python3",
                       .arguments = {concat(CRATEGATE_SOURCE_DIR, "/tests/support/git_server.py"),
                                     remote.directory().path().string(), concat("x-access-token:", kToken)},
                       .directory = {},
                       .environment = {{"PATH", "/usr/local/bin:/usr/bin:/bin"}},
                       .input = {}},
                      {.timeout = std::chrono::seconds(60), .on_output = listen});
      if (!said.ends_with('\n')) port.set_value(ended ? ended->err : describe(ended.error()));
    });
    origin = concat("https://127.0.0.1:", found.get());
    environment.set("GITHUB_SERVER_URL", origin);
    environment.set("SSL_CERT_FILE", (remote.directory() / "certificate.pem").string());
  }
  ~HttpsRemote() override {
    remote.directory().write("stop", "");
    server_.join();
  }
  GitRefStore store(const std::string& path, const std::string& token = kToken) {
    return {processes, environment, remote.directory().path(), concat(origin, path), Secret(token)};
  }

  test::GitRemote remote;
  test::FakeEnvironment environment = test::job_environment();
  test::RecordingProcessRunner processes;
  std::string origin;

 private:
  sys::PosixProcessRunner runner_;
  std::thread server_;
};

TEST_F(HttpsRemote, SwapsAndReadsWithTheToken) {
  GitRefStore one = store("/remote.git");
  const auto first = one.compare_and_swap(kRef, std::nullopt, {{"a", "1"}}, "m");
  ASSERT_TRUE(first) << describe(first.error());
  ASSERT_TRUE(*first);
  GitRefStore two = store("/remote.git");
  EXPECT_EQ(two.read(kRef).value()->files.at("a"), "1");
  EXPECT_TRUE(two.compare_and_swap(kRef, *first, {{"a", "2"}}, "m").value());
  EXPECT_EQ(one.compare_and_swap(kRef, *first, {{"a", "3"}}, "m").value(), std::nullopt);
  EXPECT_EQ(one.read(kRef).value()->files.at("a"), "2");
  EXPECT_THAT(processes.arguments(), Not(HasSubstr(kToken)));
  EXPECT_THAT(processes.arguments(), Not(HasSubstr(base64(concat("x-access-token:", kToken)))));
}

TEST_F(HttpsRemote, TakesTheLoginThatTheCheckoutHas) {
  remote.check_out(concat(origin, "/remote.git"));
  const std::string login = base64(concat("x-access-token:", kToken));
  // As actions/checkout leaves it: in a file of its own, for this repository alone.
  remote.directory().write("login.config",
                           concat("[http \"", origin, "/\"]\n\textraheader = AUTHORIZATION: basic ", login, "\n"));
  remote.in_checkout({"config", "include.path", (remote.directory() / "login.config").string()});
  GitRefStore origin_store(processes, environment, remote.checkout(), "origin", Secret());
  const auto swapped = origin_store.compare_and_swap(kRef, std::nullopt, {{"a", "1"}}, "m");
  ASSERT_TRUE(swapped) << describe(swapped.error());
  EXPECT_TRUE(*swapped);
}

TEST_F(HttpsRemote, SaysWhatIsMissing) {
  const struct {
    std::string name, path, token;
    ErrorCode code;
    std::string part;
  } rows[] = {
      {"no login", "/remote.git", "", ErrorCode::unauthenticated, "contents: write"},
      {"another login", "/remote.git", "ghs_another-token-000", ErrorCode::unauthenticated, "contents: write"},
      {"no right", "/read-only/remote.git", kToken, ErrorCode::forbidden, "contents: write"},
      {"no repository", "/none.git", kToken, ErrorCode::not_found, "lease-remote"},
      {"a redirect", "/moved/remote.git", kToken, ErrorCode::not_found, "lease-remote"},
  };
  for (const auto& row : rows) {
    const auto swapped = store(row.path, row.token).compare_and_swap(kRef, std::nullopt, {{"a", "1"}}, "m");
    ASSERT_FALSE(swapped) << row.name;
    const std::string shown = concat(describe(swapped.error()), "\n", swapped.error().hint);
    EXPECT_EQ(swapped.error().code, row.code) << row.name << ": " << shown;
    EXPECT_THAT(shown, HasSubstr(row.part)) << row.name;
    EXPECT_THAT(shown, Not(HasSubstr("ghs_"))) << row.name;
  }
  EXPECT_EQ(remote.in_remote({"for-each-ref"}), "");
}

}  // namespace
}  // namespace crategate::git
