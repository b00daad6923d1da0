// Codes, names, exit codes and the one-line form of errors.
#include "base/error.h"

#include <gmock/gmock.h>

#include <set>

#include "base/product.h"
#include "base/result.h"

namespace crategate {
namespace {

constexpr int kCodes = static_cast<int>(ErrorCode::terminated) + 1;

TEST(ErrorCodes, EveryCodeHasItsOwnExitCodeAndName) {
  std::set<int> exits;
  std::set<std::string_view> names;
  for (int i = 0; i < kCodes; ++i) {
    exits.insert(exit_code(static_cast<ErrorCode>(i)));
    names.insert(name(static_cast<ErrorCode>(i)));
  }
  EXPECT_EQ(exits.size(), std::size_t{kCodes});
  EXPECT_EQ(names.size(), std::size_t{kCodes});
}

TEST(ErrorCodes, AreThoseOfTheContract) {
  const struct {
    ErrorCode code;
    int exit;
    std::string_view name;
  } rows[] = {
      {ErrorCode::bad_input, 2, "bad-input"},
      {ErrorCode::gate_refused, 10, "gate-refused"},
      {ErrorCode::tests_failed, 11, "tests-failed"},
      {ErrorCode::drifted, 13, "generated-files-drifted"},
      {ErrorCode::unavailable, 24, "unavailable"},
      {ErrorCode::integrity, 25, "integrity"},
      {ErrorCode::engine, 40, "engine"},
      {ErrorCode::internal, 70, "internal"},
      {ErrorCode::interrupted, 130, "interrupted"},
      {ErrorCode::terminated, 143, "terminated"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(exit_code(row.code), row.exit) << row.name;
    EXPECT_EQ(name(row.code), row.name);
  }
}

TEST(ErrorCodes, OnlyLimitsAndOutagesAreWorthAnotherTry) {
  for (int i = 0; i < kCodes; ++i) {
    const auto code = static_cast<ErrorCode>(i);
    EXPECT_EQ(is_transient(code), code == ErrorCode::rate_limited || code == ErrorCode::unavailable) << name(code);
  }
}

TEST(ErrorDescription, PutsThePlaceThenTheFramesThenTheMessage) {
  Error error{ErrorCode::bad_input, "expected a list, found a text", "write [a, b]", {}, std::nullopt, std::nullopt};
  error = std::move(error).within("axes").within("reading the configuration").at({"crategate.yml", 3, 7});
  EXPECT_EQ(describe(error), "crategate.yml:3:7: reading the configuration: axes: expected a list, found a text");
}

TEST(ErrorDescription, LeavesOutWhatIsNotKnownOfThePlace) {
  const Error error{ErrorCode::bad_input, "empty", "", {}, std::nullopt, std::nullopt};
  EXPECT_EQ(describe(Error(error).at({"VERSION", 0, 0})), "VERSION: empty");
  EXPECT_EQ(describe(Error(error).at({"VERSION", 2, 0})), "VERSION:2: empty");
}

TEST(ErrorDescription, ShowsWhatTheServerAnswered) {
  Error error{ErrorCode::unavailable,
              "no manifest",
              "",
              {},
              std::nullopt,
              HttpFailure{"GET", "https://r.io/v2/", 503, "UNAVAILABLE", "a1"}};
  EXPECT_EQ(describe(error), "no manifest [GET https://r.io/v2/ 503 UNAVAILABLE, request a1]");
  error.http = HttpFailure{"HEAD", "https://r.io/v2/", 0, "", ""};
  EXPECT_EQ(describe(error), "no manifest [HEAD https://r.io/v2/ no answer]");
}

Result<int> half(int number) {
  if (number % 2 != 0) return fail(ErrorCode::bad_input, "odd", "give an even number");
  return number / 2;
}

Result<int> quarter(int number) {
  CG_TRY(const int first, half(number));
  CG_CHECK(half(first));
  return half(first);
}

TEST(ErrorResult, MacrosReturnTheFirstFailure) {
  EXPECT_EQ(quarter(8).value(), 2);
  ASSERT_FALSE(quarter(6).has_value());
  EXPECT_EQ(quarter(6).error().hint, "give an even number");
}

TEST(Product, KnowsItsVersion) { EXPECT_THAT(std::string(product_version()), testing::StartsWith("v")); }

}  // namespace
}  // namespace crategate
