#include "pipeline/maker.h"

#include <gmock/gmock.h>

namespace crategate::pipeline {
namespace {

using ::testing::HasSubstr;

const Maker kBuild{.run = "7", .attempt = "2", .job = "build cpu-py3.11"};

TEST(Maker, SurvivesItsText) {
  EXPECT_EQ(parse_maker(to_json(kBuild)), kBuild);
  EXPECT_EQ(parse_maker(to_json({})), Maker{});
}

TEST(Maker, IsNotFoundInWhatOthersWrote) {
  for (const char* text : {"", "made by zip", "{}", R"({"crategate":2,"run":"7","attempt":"1","job":""})",
                           R"({"crategate":1,"run":7,"attempt":"1","job":""})", R"({"crategate":1})"}) {
    EXPECT_FALSE(parse_maker(text)) << text;
  }
}

TEST(ReplacingArtifacts, AnEarlierAttemptOfTheSameRunGivesWay) {
  EXPECT_TRUE(judge_replacing("x", Maker{.run = "7", .attempt = "1", .job = "build"}, kBuild));
  EXPECT_TRUE(judge_replacing("x", Maker{"7", "9", "a"}, Maker{"7", "10", "a"}));
}

TEST(ReplacingArtifacts, EverythingElseStaysAndBothJobsAreNamed) {
  const std::pair<std::optional<Maker>, std::string> rows[] = {
      {Maker{"7", "2", "test"}, "job \"test\" (attempt 2 of run 7)"},
      {Maker{"7", "3", "test"}, "attempt 3"},
      {Maker{"6", "1", "test"}, "run 6"},
      {Maker{"7", "x", "test"}, "attempt x"},
      {std::nullopt, "another tool"},
  };
  for (const auto& [existing, found] : rows) {
    const auto judged = judge_replacing("test-logs-a", existing, kBuild);
    ASSERT_FALSE(judged) << found;
    EXPECT_EQ(judged.error().code, ErrorCode::artifact_service);
    EXPECT_THAT(judged.error().message, HasSubstr(found));
    EXPECT_THAT(judged.error().message, HasSubstr("job \"build cpu-py3.11\" (attempt 2 of run 7)"));
  }
  EXPECT_FALSE(judge_replacing("x", Maker{"", "1", "a"}, Maker{"", "2", "a"}));
}

}  // namespace
}  // namespace crategate::pipeline
