#include "net/retry.h"

#include <gtest/gtest.h>

#include "support/fakes.h"

namespace crategate::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::system_clock;

constexpr system_clock::time_point kNow{seconds(1795166958)};  // Fri, 20 Nov 2026 09:29:18 GMT

TEST(Retry, HelpsAfterStatusesThatPass) {
  for (const int status : {408, 429, 500, 502, 503, 504, 522, 599}) EXPECT_TRUE(may_recover(status)) << status;
  for (const int status : {200, 301, 304, 400, 401, 403, 404, 409, 410, 416, 422, 501, 505, 600})
    EXPECT_FALSE(may_recover(status)) << status;
}

TEST(Retry, HelpsWhenNobodyAnsweredToTheEnd) {
  const auto error = [](ErrorCode code, std::optional<int> status) {
    Error made{.code = code, .message = "x"};
    if (status) made.http = HttpFailure{"GET", "https://h/", *status, "", ""};
    return made;
  };
  EXPECT_TRUE(may_recover(error(ErrorCode::unavailable, 0)));
  EXPECT_TRUE(may_recover(error(ErrorCode::unavailable, std::nullopt)));
  EXPECT_TRUE(may_recover(error(ErrorCode::integrity, 200)));            // cut short
  EXPECT_FALSE(may_recover(error(ErrorCode::integrity, 0)));             // a certificate
  EXPECT_FALSE(may_recover(error(ErrorCode::integrity, std::nullopt)));  // a redirect that is refused
  EXPECT_FALSE(may_recover(error(ErrorCode::interrupted, 0)));
  EXPECT_FALSE(may_recover(error(ErrorCode::no_space, 200)));
}

TEST(Retry, PausesDoubleUpToTheLongestAndEndWithTheTries) {
  const RetryPolicy policy{.tries = 6, .first = milliseconds(100), .longest = milliseconds(1000)};
  const int whole[] = {100, 200, 400, 800, 1000};
  for (int failed = 1; failed <= 5; ++failed) {
    EXPECT_EQ(backoff(policy, failed, 0.0), milliseconds(whole[failed - 1] / 2)) << failed;
    EXPECT_EQ(backoff(policy, failed, 0.5), milliseconds(whole[failed - 1] * 3 / 4)) << failed;
  }
  EXPECT_EQ(backoff(policy, 6, 0.0), std::nullopt);
  EXPECT_EQ(backoff({.tries = 1, .first = milliseconds(1), .longest = milliseconds(1)}, 1, 0.0), std::nullopt);
}

TEST(Retry, TakesItsChanceFromTheKernel) {
  const double a = kernel_random();
  const double b = kernel_random();
  const double c = kernel_random();
  for (const double each : {a, b, c}) EXPECT_TRUE(each >= 0 && each < 1) << each;
  EXPECT_FALSE(a == b && b == c);
}

TEST(HttpDate, IsReadInTheFormThatIsSent) {
  EXPECT_EQ(parse_http_date("Fri, 20 Nov 2026 09:29:18 GMT"), kNow);
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), system_clock::time_point(seconds(784111777)));
  EXPECT_EQ(parse_http_date("Thu, 29 Feb 2024 23:59:59 GMT"), system_clock::time_point(seconds(1709251199)));
  for (const char* text :
       {"", "Fri, 20 Nov 2026 09:29:18 UTC", "Fri, 20 Nov 2026 09:29:18", "Fri, 31 Feb 2026 09:29:18 GMT",
        "Fri, 20 Xxx 2026 09:29:18 GMT", "Xxx, 20 Nov 2026 09:29:18 GMT", "Fri, 20 Nov 2026 24:29:18 GMT",
        "Fri, 20 Nov 9999 09:29:18 GMT", "Fri, -1 Nov 2026 09:29:18 GMT", "Fri, 00 Nov 2026 09:29:18 GMT",
        "Friday, 20-Nov-26 09:29:18 GMT", "Fri Nov 20 09:29:18 2026"})
    EXPECT_EQ(parse_http_date(text), std::nullopt) << text;
}

TEST(RetryAfter, B06IsSecondsOrADate) {
  EXPECT_EQ(parse_retry_after("0", kNow), seconds(0));
  EXPECT_EQ(parse_retry_after("120", kNow), seconds(120));
  EXPECT_EQ(parse_retry_after("Fri, 20 Nov 2026 09:30:00 GMT", kNow), seconds(42));
  EXPECT_EQ(parse_retry_after("Fri, 20 Nov 2026 09:00:00 GMT", kNow), seconds(0));
  EXPECT_EQ(parse_retry_after("18446744073709551615", kNow), std::chrono::hours(366 * 24));
  for (const char* text : {"", "-1", "1.5", "soon", "99999999999999999999"})
    EXPECT_EQ(parse_retry_after(text, kNow), std::nullopt) << text;
}

TEST(RetryAfter, CountsFromTheServersOwnClock) {  // B28
  Response response;
  response.headers = {{"retry-after", "Fri, 20 Nov 2026 09:30:07 GMT"}};
  EXPECT_GT(requested_pause(response, kNow), seconds(40)) << "without a date of the server";
  response.headers.emplace_back("date", "Fri, 20 Nov 2026 09:30:00 GMT");
  for (const auto wrong : {std::chrono::hours(-24), std::chrono::hours(24), std::chrono::hours(24 * 3650)})
    EXPECT_EQ(requested_pause(response, kNow + wrong), seconds(7));
  response.headers = {{"retry-after", "3"}, {"date", "Fri, 20 Nov 2026 09:30:00 GMT"}};
  EXPECT_EQ(requested_pause(response, kNow), seconds(3));
}

TEST(Deadline, IsSharedByAllPauses) {
  test::FakeClock clock;
  Deadline deadline(clock, seconds(10));
  EXPECT_TRUE(deadline.sleep(seconds(4)));
  clock.advance(seconds(2));
  EXPECT_EQ(deadline.left(), seconds(4));
  EXPECT_FALSE(deadline.sleep(milliseconds(4001)));
  EXPECT_TRUE(deadline.sleep(seconds(4)));
  EXPECT_EQ(deadline.left(), seconds(0));
  EXPECT_EQ(clock.sleeps(), (std::vector<milliseconds>{seconds(4), seconds(4)}));
  clock.advance(seconds(1));
  EXPECT_EQ(deadline.left(), seconds(0));
  deadline.renew();
  EXPECT_EQ(deadline.left(), seconds(10));
}

}  // namespace
}  // namespace crategate::net
