#include "github/values.h"

#include <gtest/gtest.h>

namespace crategate::github {
namespace {

TEST(RepositoryName, IsOwnerAndName) {
  for (const char* text : {"o/r", "brain.dot_ai/open-crate", "me_acme/.github"})
    EXPECT_EQ(RepositoryName::parse(text)->text(), text);
  for (const char* text : {"", "r", "o/", "/r", "o/r/x", "o/..", "./r", "o/r?x", "o/r#x", "o r/x", "o/%2e%2e", "o\\r/x",
                           "https://github.com/o/r", "o/r\n"})
    EXPECT_FALSE(RepositoryName::parse(text)) << text;
  EXPECT_FALSE(RepositoryName::parse(std::string(101, 'a') + "/r"));
}

}  // namespace
}  // namespace crategate::github
