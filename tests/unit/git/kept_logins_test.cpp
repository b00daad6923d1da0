// What checkouts keep, as actions/checkout and people write it.
#include "git/kept_logins.h"

#include <gmock/gmock.h>

#include <filesystem>

#include "support/fakes.h"
#include "support/test_directory.h"

namespace crategate::git {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class KeptLogins : public ::testing::Test {
 protected:
  void configure(const std::string& text) const {
    directory.write("checkout/.git/HEAD", "ref: refs/heads/main\n");
    directory.write("checkout/.git/objects/x", "");
    directory.write("checkout/.git/refs/x", "");
    directory.write("checkout/.git/config", "[core]\n\trepositoryformatversion = 0\n" + text);
  }
  Result<std::vector<std::string>> find() { return kept_logins(processes, environment, directory / "checkout"); }

  test::TestDirectory directory;
  test::FakeEnvironment environment{{{"PATH", "/usr/bin:/bin"}, {"HOME", "/nonexistent"}}};
  sys::PosixProcessRunner processes;
};

TEST_F(KeptLogins, AreFoundWhereverTheyAre) {
  const std::string included = (directory / "git-credentials-1.config").string();
  directory.write("git-credentials-1.config",
                  "[http \"https://github.com/\"]\n\textraheader = AUTHORIZATION: basic c2VjcmV0\n");
  const struct {
    std::string config;
    std::vector<std::string> keys;
  } rows[] = {
      {"", {}},
      {"[remote \"origin\"]\n\turl = https://github.com/o/r\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n", {}},
      {"[http \"https://github.com/\"]\n\textraheader =\n", {}},
      {"[http \"https://github.com/\"]\n\textraheader = AUTHORIZATION: basic c2VjcmV0\n",
       {"http.https://github.com/.extraheader"}},
      {"[http]\n\textraheader = AUTHORIZATION: basic c2VjcmV0\n", {"http.extraheader"}},
      {"[include]\n\tpath = " + included + "\n", {"http.https://github.com/.extraheader"}},
      {"[includeIf \"gitdir:" + std::filesystem::canonical(directory.path()).string() +
           "/checkout/.git\"]\n\tpath = " + included + "\n",
       {"http.https://github.com/.extraheader"}},
      {"[includeIf \"gitdir:/elsewhere/.git\"]\n\tpath = " + included + "\n", {}},
      {"[remote \"origin\"]\n\turl = https://x-access-token:secret@github.com/o/r\n", {"remote.origin.url"}},
      {"[url \"https://x:secret@github.com/\"]\n\tinsteadOf = https://github.com/\n",
       {"url.https://github.com/.insteadof"}},
      {"[credential]\n\thelper = store\n", {"credential.helper"}},
      {"[core]\n\tsshCommand = ssh -i key\n", {"core.sshcommand"}},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.config);
    configure(row.config);
    EXPECT_EQ(find().value(), row.keys);
  }
}

TEST_F(KeptLogins, AreNoneWithoutARepository) {
  directory.write("checkout/file", "");
  EXPECT_THAT(find().value(), IsEmpty());
}

TEST_F(KeptLogins, InAConfigurationThatCannotBeReadAreAnError) {
  configure("[broken");
  const auto found = find();
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::bad_input);
}

}  // namespace
}  // namespace crategate::git
