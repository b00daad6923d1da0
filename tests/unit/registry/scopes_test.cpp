#include "registry/scopes.h"

#include <gtest/gtest.h>

namespace crategate::registry {
namespace {

using Texts = std::vector<std::string>;

TEST(Scopes, OfOneRepositoryAreMergedAndSorted) {
  EXPECT_EQ(
      Scopes(Texts{"repository:b:pull", "repository:a:push,pull", "repository:b:push", "repository:a:pull"}).texts(),
      (Texts{"repository:a:pull,push", "repository:b:pull,push"}));
  EXPECT_EQ(Scopes(Texts{"repository:b:pull", "repository:a:pull"}).text(), "repository:a:pull repository:b:pull");
  EXPECT_EQ(Scopes(Texts{}).text(), "");
}

TEST(Scopes, CoverWhatIsAskedOfThem) {
  const Scopes granted(Texts{"repository:a:pull,push", "repository:b/c:pull"});
  for (const Texts& wanted : {Texts{"repository:a:pull"}, Texts{"repository:a:push,pull"}, Texts{"repository:b/c:pull"},
                              Texts{"repository:b/c:pull", "repository:a:push"}, Texts{}}) {
    EXPECT_TRUE(granted.cover(Scopes(wanted))) << Scopes(wanted).text();
  }
}

TEST(Scopes, CoverNothingElse) {
  const Scopes granted(Texts{"repository:a:pull,push", "repository:b/c:pull"});
  for (const Texts& wanted : {Texts{"repository:b/c:push"}, Texts{"repository:b:pull"}, Texts{"repository:a/b:pull"},
                              Texts{"repository:a:delete"}, Texts{"repository:a:pull", "repository:d:pull"},
                              Texts{"registry:a:pull"}, Texts{"repository:a:*"}}) {
    EXPECT_FALSE(granted.cover(Scopes(wanted))) << Scopes(wanted).text();
  }
}

TEST(Scopes, KeepAPortInTheName) {
  const Scopes granted(Texts{"repository:host:5000/a:pull"});
  EXPECT_TRUE(granted.cover(Scopes(Texts{"repository:host:5000/a:pull"})));
  EXPECT_FALSE(granted.cover(Scopes(Texts{"repository:host:5001/a:pull"})));
  EXPECT_EQ(granted.text(), "repository:host:5000/a:pull");
}

}  // namespace
}  // namespace crategate::registry
