// Who shares a token that is being asked for.
#include "registry/token_cache.h"

#include <gtest/gtest.h>

#include <latch>
#include <thread>

namespace crategate::registry {
namespace {

const std::vector<std::string> kOrigins = {"https://a:443"};
const Scopes kScopes({"repository:a/b:pull"});

/// The cache reads the time while it holds its lock: whoever has asked for it waits before anything can land.
class CountedClock final : public sys::Clock {
 public:
  explicit CountedClock(std::latch& reads) : reads_(reads) {}
  sys::Instant monotonic() const override {
    if (!reads_.try_wait()) reads_.count_down();
    return {};
  }
  std::chrono::system_clock::time_point now() const override { return {}; }
  void sleep(std::chrono::milliseconds /*duration*/) override {}

 private:
  std::latch& reads_;
};

Result<Grant> grant(const std::string& token) {
  return Grant{Authorization::bearer(kOrigins, Secret(token)), sys::Instant::max()};
}

class TokenCacheTest : public ::testing::Test {
 protected:
  /// A token that is asked for while another thread, refused with `refused`, comes to want one too; what that one gets.
  Result<Authorization> joined(const std::optional<Authorization>& refused, const std::string& landing) {
    Result<Authorization> got = fail(ErrorCode::internal, "nobody asked");
    std::thread other;
    const auto first = cache_.get("a", kScopes, std::nullopt, [&] {
      other = std::thread([&] {
        got = cache_.get("a", kScopes, refused, [&] {
          ++more_;
          return grant("next");
        });
      });
      reads_.wait();
      return grant(landing);
    });
    other.join();
    EXPECT_TRUE(first);
    return got;
  }

  std::latch reads_{2};
  CountedClock clock_{reads_};
  TokenCache cache_{clock_};
  int more_ = 0;
};

TEST_F(TokenCacheTest, OneThatIsAskedForServesAllWhoWantIt) {
  const auto got = joined(std::nullopt, "first");
  EXPECT_TRUE(got->same_as(Authorization::bearer(kOrigins, Secret("first"))));
  EXPECT_EQ(more_, 0);
}

TEST_F(TokenCacheTest, OneThatWasRefusedMeanwhileIsNotHandedOut) {
  const auto got = joined(Authorization::bearer(kOrigins, Secret("first")), "first");
  EXPECT_TRUE(got->same_as(Authorization::bearer(kOrigins, Secret("next"))));
  EXPECT_EQ(more_, 1);
}

}  // namespace
}  // namespace crategate::registry
