#include "github/cache.h"

#include <gtest/gtest.h>

namespace crategate::github {
namespace {

TEST(AnswerCache, KeepsWhatHasATagAndForgetsTheOldestFirst) {
  const auto url = [](int i) { return *net::Url::parse("https://h/" + std::to_string(i)); };
  AnswerCache cache;
  cache.keep(url(0), {200, {}, "no tag"});
  EXPECT_EQ(cache.find(url(0)), nullptr);
  cache.keep(url(0), {200, {{"ETag", "\"a\""}}, "one"});
  cache.keep(url(0), {200, {{"ETag", "\"b\""}}, "two"});
  ASSERT_NE(cache.find(url(0)), nullptr);
  EXPECT_EQ(cache.find(url(0))->body, "two");
  for (int i = 1; i <= 256; ++i) cache.keep(url(i), {200, {{"ETag", "x"}}, "small"});
  EXPECT_EQ(cache.find(url(0)), nullptr);
  EXPECT_NE(cache.find(url(1)), nullptr);
  for (int i = 300; i < 304; ++i) cache.keep(url(i), {200, {{"ETag", "x"}}, std::string(4U << 20U, 'x')});
  EXPECT_EQ(cache.find(url(256)), nullptr);
  EXPECT_NE(cache.find(url(303)), nullptr);
  cache.keep(url(400), {200, {{"ETag", "x"}}, std::string((4U << 20U) + 1, 'x')});
  EXPECT_EQ(cache.find(url(400)), nullptr);
}

}  // namespace
}  // namespace crategate::github
