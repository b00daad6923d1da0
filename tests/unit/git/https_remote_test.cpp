// A lease over HTTPS: the program git, its own server, a login; what a server says is what a person reads.
#include <gmock/gmock.h>

#include <future>
#include <optional>
#include <thread>

#include "git/git_commit_transfer.h"
#include "git/remote_history.h"
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

/// Whoever reads is not always who pushes: an App's token is made when there is something to push.
TEST_F(HttpsRemote, PushesWithALoginOfItsOwn) {
  const std::string branch = "refs/heads/topic", app = "ghs_of-an-app-0123456789";
  remote.check_out(remote.path().string());
  remote.in_checkout({"-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--allow-empty", "-m", "first"});
  remote.in_checkout({"push", "-q", "origin", concat("HEAD:", branch)});
  const std::string first = remote.in_checkout({"rev-parse", "HEAD"});
  const auto requests = [this] { return remote.directory().read("requests.log"); };
  const std::string shown_app = base64(concat("x-access-token:", app));
  struct {
    const char *name, *path;
    Result<Secret> login;
    std::optional<ErrorCode> code;
  } rows[] = {{"none to be had", "/remote.git", fail(ErrorCode::not_found, "no App here"), ErrorCode::not_found},
              {"one that may not", "/read-only/remote.git", Secret(kToken), ErrorCode::forbidden},
              {"a stranger's", "/remote.git", Secret(app), ErrorCode::unauthenticated},
              {"one that may", "/remote.git", Secret(kToken), std::nullopt}};
  for (const auto& row : rows) {
    int asked = 0;
    GitCommitTransfer transfer(PrivateRepository(processes, environment, remote.directory().path(),
                                                 concat(origin, row.path), Secret(kToken), Holds::commits),
                               [&]() -> Result<Secret> {
                                 ++asked;
                                 return row.login;
                               });
    ASSERT_TRUE(transfer.fetch(first, branch)) << row.name;
    EXPECT_EQ(asked, 0) << row.name << ": to read";
    const std::string at = transfer.repository().string();
    const std::string next =
        remote.git({"-C", at, "-c", "user.name=a", "-c", "user.email=a@b", "commit-tree",
                    remote.git({"-C", at, "rev-parse", concat(first, "^{tree}")}), "-p", first, "-m", "next"});
    const auto pushed = transfer.push(next, branch, first);
    EXPECT_EQ(asked, 1) << row.name;
    EXPECT_EQ(pushed ? std::nullopt : std::optional(pushed.error().code), row.code) << row.name;
    if (row.code == ErrorCode::forbidden) {
      EXPECT_THAT(pushed.error().hint, HasSubstr("permissions: contents: write"));
    }
    EXPECT_EQ(remote.in_remote({"rev-parse", branch}), row.code ? first : next) << row.name;
  }
  EXPECT_THAT(requests(), HasSubstr(concat("git-receive-pack basic ", shown_app)));
  EXPECT_THAT(processes.arguments(), Not(HasSubstr(app)));
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

/// What git lets lie in old histories, it lets be compared; what is pushed has stricter rules.
TEST_F(HttpsRemote, HasItsHistoryComparedFromWhereTheCheckoutFetches) {
  remote.directory().write("old", concat("tree ", remote.in_remote({"hash-object", "-t", "tree", "-w", "/dev/null"}),
                                         "\nauthor nobody 0 +0000\ncommitter nobody 0 +0000\n\nno address\n"));
  const auto old =
      remote.in_remote({"hash-object", "-t", "commit", "-w", "--literally", (remote.directory() / "old").string()});
  remote.in_remote({"update-ref", "refs/heads/main", old});
  remote.check_out(concat(origin, "/remote.git"));
  remote.in_checkout({"config", "remote.origin.pushurl", concat(origin, "/elsewhere.git")});
  GitProgram clone(processes, environment, remote.checkout(), std::string());
  const struct {
    const char* name;
    std::string url, token, branch;
    std::optional<ErrorCode> code;
    const char* part;
  } rows[] = {
      {"readable", "/remote.git", kToken, "main", std::nullopt, ""},
      {"no login", "/remote.git", "", "main", ErrorCode::unauthenticated, "contents: read"},
      {"another login", "/remote.git", "ghs_another-token-000", "main", ErrorCode::unauthenticated, "contents: read"},
      {"no repository", "/none.git", kToken, "main", ErrorCode::not_found, "contents: read"},
      {"a branch that is gone", "/remote.git", kToken, "gone", ErrorCode::not_found, "branch deleted"},
  };
  for (const auto& row : rows) {
    remote.in_checkout({"remote", "set-url", "origin", concat(origin, row.url)});
    GitRemoteHistory history(
        processes, environment, clone,
        PrivateRepository(processes, environment, remote.checkout(), "origin", Secret(row.token), Holds::history));
    const auto fetched = history.fetch({row.branch, old, ""}, 50);
    const std::string shown = fetched ? "" : concat(describe(fetched.error()), "\n", fetched.error().hint);
    EXPECT_EQ(fetched ? std::nullopt : std::optional(fetched.error().code), row.code) << row.name << ": " << shown;
    EXPECT_THAT(shown, HasSubstr(row.part)) << row.name;
    EXPECT_THAT(shown, Not(HasSubstr("ghs_"))) << row.name;
  }
  GitCommitTransfer exchange(PrivateRepository(processes, environment, remote.directory().path(),
                                               concat(origin, "/remote.git"), Secret(kToken), Holds::commits));
  const auto strict = exchange.fetch(old, "refs/heads/main");
  ASSERT_FALSE(strict);
  EXPECT_THAT(describe(strict.error()), HasSubstr("missingEmail"));
}

}  // namespace
}  // namespace crategate::git
