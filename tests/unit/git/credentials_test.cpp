#include "git/credentials.h"

#include <gtest/gtest.h>

namespace crategate::git {
namespace {

TEST(GitCredentials, AreFoundInAConfiguration) {  // A21
  for (const char* held :
       {"[http \"https://github.com/\"]\n\textraheader = AUTHORIZATION: basic eA==\n", "  EXTRAHEADER=x",
        "[remote \"origin\"]\n\turl = https://x-access-token:t@github.com/a/b\n", "pushurl=http://u:p@host",
        "[url \"https://x:t@github.com/\"]\n\tinsteadOf = https://github.com/\n", "\tproxy = http://u:p@proxy:8080"})
    EXPECT_TRUE(holds_credentials(held)) << held;
  for (const char* none :
       {"", "[remote \"origin\"]\n\turl = https://github.com/a/b\n", "\turl = git@github.com:a/b",
        "url = ssh://git@github.com:22/a", "url = https://user@host/x:y", "extraheader =", "url = https://host/a:b@c"})
    EXPECT_FALSE(holds_credentials(none)) << none;
}

}  // namespace
}  // namespace crategate::git
