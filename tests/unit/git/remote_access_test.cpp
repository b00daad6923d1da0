// What of a checkout counts on the way to a remote, and where credentials go.
#include "git/remote_access.h"

#include <gmock/gmock.h>

#include "unit/git/ref_store_fixture.h"

namespace crategate::git {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::string kRef = "refs/crategate/app";

TEST(RemoteAddress, IsHttpsSshFileOrAPath) {
  using Kind = RemoteAddress::Kind;
  const struct {
    std::string text;
    Kind kind;
    std::string host, shown;
  } rows[] = {
      {"https://GitHub.com/me/app", Kind::https, "github.com", "https://github.com/me/app"},
      {"https://u:p@h:8443/x", Kind::https, "h:8443", "https://h:8443/x"},
      {"https://token@h/x", Kind::https, "h", "https://h/x"},
      {"ssh://git@h:22/x", Kind::ssh, "h:22", "ssh://h:22/x"},
      {"git@github.com:me/app.git", Kind::ssh, "github.com", "github.com:me/app.git"},
      {"file:///srv/a b.git", Kind::local, "", "file:///srv/a b.git"},
      {"/srv/a:b.git", Kind::local, "", "/srv/a:b.git"},
  };
  for (const auto& row : rows) {
    const auto address = parse_remote_address(row.text);
    ASSERT_TRUE(address) << row.text << ": " << describe(address.error());
    EXPECT_EQ(address->kind, row.kind) << row.text;
    EXPECT_EQ(address->host, row.host) << row.text;
    EXPECT_EQ(address->shown, row.shown) << row.text;
    EXPECT_EQ(address->text, row.text);
  }
  for (const char* bad :
       {"", "http://h/x", "git://h/x", "ext::sh -c id", "fd::3", "x::https://u:pass-word@h/", "-h:x", "ssh://-oProxy/x",
        "https:///x", "ftp://u:pass-word@h/x", "a\nb:c", "relative/path", "--upload-pack=x", ":x"}) {
    const auto address = parse_remote_address(bad);
    ASSERT_FALSE(address) << bad;
    EXPECT_EQ(address.error().code, ErrorCode::bad_input);
    EXPECT_THAT(address.error().message, Not(HasSubstr("pass-word"))) << bad;
  }
}

TEST(RemoteName, IsCheckedWithoutAskingAnybody) {
  for (const char* good : {"origin", "my-remote_2.x", "https://github.com/me/leases", "git@github.com:me/app.git", ".",
                           "../leases.git", "/srv/leases.git", "file:///srv/leases.git"}) {
    const auto checked = check_remote("/nowhere", good);
    EXPECT_TRUE(checked) << good << ": " << describe(checked.error());
  }
  for (const char* bad : {"", "-x", "a b", "ori\ngin", "http://h/x", "ext::sh -c id", "https://u:pass-word@h/x",
                          "ssh://-oProxy/x", "origin;id"}) {
    const auto checked = check_remote("/nowhere", bad);
    ASSERT_FALSE(checked) << bad;
    EXPECT_EQ(checked.error().code, ErrorCode::bad_input) << bad;
    EXPECT_FALSE(checked.error().hint.empty()) << bad;
    EXPECT_THAT(describe(checked.error()), Not(HasSubstr("pass-word"))) << bad;
  }
}

class RemoteAccessTest : public ::testing::Test {
 protected:
  Result<RemoteAccess> find(const std::string& at = "origin", const std::string& token = {}) {
    return find_remote_access(processes, environment, remote.checkout(), at, Secret(token));
  }
  static std::string all_of(const std::map<std::string, std::string>& variables) {
    std::string text;
    for (const auto& [name, value] : variables) text += concat(name, "=", value, "\n");
    return text;
  }
  test::GitRemote remote;
  test::FakeEnvironment environment = test::job_environment();
  test::RecordingProcessRunner processes;
};

TEST_F(RemoteAccessTest, TakesTheHeaderOfTheCheckoutAndElseTheToken) {
  const std::string kToken = "ghs_0123456789abcdefghij";
  const std::string login = base64(concat("x-access-token:", kToken));
  const struct {
    std::string name, origin, header, server;
    bool token_goes;
  } rows[] = {
      {"no header", "https://github.com/me/app", "", "", true},
      {"a header for it", "https://github.com/me/app", "http.https://github.com/.extraheader", "", false},
      {"a header for another", "https://github.com/me/app", "http.https://example.org/.extraheader", "", true},
      {"another host", "https://example.org/me/app", "", "", false},
      {"a host that looks like it", "https://github.com.example.org/me/app", "", "", false},
      {"another port", "https://github.com:444/me/app", "", "", false},
      {"a server of its own", "https://git.example.org/me/app", "", "https://git.example.org", true},
      {"a login in the address", "https://u:pass-word@github.com/me/app", "", "", false},
      {"ssh", "git@github.com:me/app", "", "", false},
  };
  for (const auto& row : rows) {
    std::filesystem::remove_all(remote.checkout());
    remote.check_out(row.origin);
    if (!row.header.empty()) remote.in_checkout({"config", row.header, "AUTHORIZATION: basic b3RoZXItbG9naW4="});
    environment.unset("GITHUB_SERVER_URL");
    if (!row.server.empty()) environment.set("GITHUB_SERVER_URL", row.server);
    const auto access = find("origin", kToken);
    ASSERT_TRUE(access) << row.name << ": " << describe(access.error());
    const std::string variables = all_of(access->variables);
    EXPECT_EQ(variables.find(login) != std::string::npos, row.token_goes) << row.name;
    EXPECT_EQ(variables.find("b3RoZXItbG9naW4=") != std::string::npos, !row.header.empty()) << row.name;
    EXPECT_THAT(variables, Not(HasSubstr(kToken))) << row.name;
  }
}

TEST_F(RemoteAccessTest, ShowsNoCredentialInArgumentsAndErrors) {
  const std::string kToken = "ghs_abcdefghij0123456789", kLogin = base64(concat("x-access-token:", kToken));
  environment.set("GITHUB_SERVER_URL", "https://127.0.0.1:1");
  for (const std::string origin : {"https://127.0.0.1:1/me/app", "https://me:pass-word-7@127.0.0.1:1/me/app"}) {
    std::filesystem::remove_all(remote.checkout());
    remote.check_out(origin);
    GitRefStore store(processes, environment, remote.checkout(), "origin", Secret(kToken));
    const auto read = store.read(kRef);
    ASSERT_FALSE(read);
    const std::string shown = concat(describe(read.error()), read.error().hint, store.place(), processes.arguments());
    EXPECT_EQ(read.error().code, ErrorCode::unavailable) << shown;
    EXPECT_THAT(shown, HasSubstr("127.0.0.1:1/me/app"));
    for (const std::string& secret : {kToken, kLogin, std::string("pass-word-7")})
      EXPECT_EQ(shown.find(secret), std::string::npos) << shown;
  }
  EXPECT_THAT(processes.variables(), HasSubstr(kLogin));
  EXPECT_THAT(processes.variables(), HasSubstr("pass-word-7"));
}

// A36: whatever a step has written into the checkout, nothing of it is run.
TEST_F(RemoteAccessTest, A36RunsNothingOfAHostileCheckout) {
  environment.unset("GITHUB_ACTIONS");
  const std::string canary = (remote.directory() / "canary").string();
  const std::string run = concat("touch ", canary);
  remote.check_out(remote.path().string());
  for (const std::string hook : {"pre-push", "reference-transaction", "post-checkout", "pre-auto-gc"})
    remote.hook(sys::Path("checkout/.git/hooks") / hook, run);
  const std::pair<std::string, std::string> hostile[] = {
      {"core.hooksPath", (remote.checkout() / ".git/hooks").string()},
      {"core.fsmonitor", (remote.checkout() / ".git/hooks/pre-push").string()},
      {"core.sshCommand", run},
      {"core.askPass", (remote.checkout() / ".git/hooks/pre-push").string()},
      {"core.gitProxy", run},
      {"credential.helper", concat("!", run)},
      {"remote.origin.uploadpack", concat(run, ";")},
      {"remote.origin.receivepack", concat(run, ";")},
      {"remote.origin.vcs", "ext"},
      {"protocol.ext.allow", "always"},
      {"gpg.program", run},
      {"push.gpgSign", "true"},
      {"gc.auto", "1"},
      {"alias.push", concat("!", run)},
  };
  for (const auto& [key, value] : hostile) remote.in_checkout({"config", key, value});
  const auto swapped = GitRefStore(processes, environment, remote.checkout(), "origin", Secret())
                           .compare_and_swap(kRef, std::nullopt, {{"a", "1"}}, "m");
  ASSERT_TRUE(swapped) << describe(swapped.error());
  EXPECT_TRUE(*swapped);
  EXPECT_FALSE(remote.directory().exists("canary"));
  // Nor does the checkout learn of it.
  EXPECT_EQ(remote.in_checkout({"for-each-ref"}), "");
  EXPECT_EQ(remote.in_checkout({"count-objects"}), "0 objects, 0 kilobytes");
  // An address that is a command is refused before git sees it.
  remote.in_checkout({"config", "url.ext::touch% canary% .pushInsteadOf", remote.path().string()});
  const auto refused = find();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::bad_input);
}

// The programs of a repository on this machine run here: in a job only where the setting itself names it.
TEST_F(RemoteAccessTest, InAJobANameIsNoPath) {
  remote.check_out(remote.path().string());
  const auto refused = find("origin");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("expected https or ssh in a job"));
  EXPECT_TRUE(find(remote.path().string()));
  EXPECT_EQ(find("../remote.git").value().address.text,
            (remote.checkout() / "../remote.git").lexically_normal().string());
  environment.unset("GITHUB_ACTIONS");
  EXPECT_TRUE(find("origin"));
}

}  // namespace
}  // namespace crategate::git
