// Who may take a lease, and what its document may say.
#include "pipeline/lease.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace crategate::pipeline {
namespace {

using ::testing::HasSubstr;

const LeaseHolder kSelf{.run = "7", .attempt = "2", .id = "me"};
const std::string kBefore = "2026-11-20T09:28:18Z";

TEST(Lease, IsTakenByTheseRules) {
  const LeaseHolder earlier{.run = "7", .attempt = "1", .id = "x"}, same{.run = "7", .attempt = "2", .id = "x"},
      later{.run = "7", .attempt = "3", .id = "x"}, foreign{.run = "8", .attempt = "1", .id = "x"},
      machine{.run = "", .attempt = "", .id = "x"}, odd{.run = "7", .attempt = "-1", .id = "x"};
  const std::string soon = "2026-11-20T09:30:00Z", past = "2026-11-20T09:28:17Z";
  const struct {
    const char* name;
    std::optional<Lease> lease;
    Claim claim;
  } rows[] = {
      {"none", std::nullopt, Claim::free},
      {"given back", Lease{.epoch = 4, .holder = {}, .until = {}}, Claim::free},
      {"this process", Lease{4, kSelf, soon}, Claim::own},
      {"this process, run out", Lease{4, kSelf, past}, Claim::own},
      {"an earlier attempt", Lease{4, earlier, soon}, Claim::resumed},
      {"another job of this attempt", Lease{4, same, soon}, Claim::held},
      {"a later attempt", Lease{4, later, soon}, Claim::held},
      {"an attempt that is no number", Lease{4, odd, soon}, Claim::held},
      {"another run", Lease{4, foreign, soon}, Claim::held},
      {"another run, run out", Lease{4, foreign, past}, Claim::expired},
      {"another run, at the very moment", Lease{4, foreign, kBefore}, Claim::expired},
      {"another run, a second later", Lease{4, foreign, "2026-11-20T09:28:19Z"}, Claim::held},
      {"a machine outside of a workflow", Lease{4, machine, soon}, Claim::held},
      {"a clock far ahead", Lease{4, foreign, "2036-11-20T09:28:19Z"}, Claim::held},
  };
  for (const auto& row : rows) EXPECT_EQ(judge_lease(row.lease, kSelf, kBefore), row.claim) << row.name;
  // Outside of a workflow there are no attempts.
  const LeaseHolder local{.run = "", .attempt = "2", .id = "me"};
  EXPECT_EQ(judge_lease(Lease{4, LeaseHolder{"", "1", "x"}, soon}, local, kBefore), Claim::held);
}

TEST(Lease, IsReadAsItWasWritten) {
  for (const Lease& lease : {Lease{3, kSelf, kBefore}, Lease{.epoch = 9, .holder = {}, .until = {}}}) {
    const auto read = parse_lease(to_json(lease), "lease.json");
    ASSERT_TRUE(read) << describe(read.error());
    EXPECT_EQ(*read, lease);
  }
}

TEST(Lease, RefusesWhatItDoesNotKnow) {
  const struct {
    const char *part, *by, *says;
  } rows[] = {
      {R"("schema":1)", R"("schema":2)", "schema"},
      {R"("epoch":3)", R"("epoch":-3)", "epoch"},
      {R"("epoch":3)", R"("epoch":3,"more":1)", "expected no such member"},
      {R"("id":"me")", R"("id":7)", "holder.id"},
      {"2026-11-20T09:28:18Z", "2026-11-20 09:28:18Z", "until: expected a time"},
      {"2026-11-20T09:28:18Z", "2026-11-20T09:28:18+01:00", "until: expected a time"},
      {R"("until":"2026-11-20T09:28:18Z")", R"("until":null)", "until"},
  };
  for (const auto& row : rows) {
    std::string text = to_json({3, kSelf, kBefore});
    const auto at = text.find(row.part);
    ASSERT_NE(at, std::string::npos) << row.part;
    text.replace(at, std::string_view(row.part).size(), row.by);
    const auto read = parse_lease(text, "lease.json");
    ASSERT_FALSE(read) << row.by;
    EXPECT_EQ(read.error().code, ErrorCode::bad_input);
    EXPECT_THAT(describe(read.error()), HasSubstr(row.says)) << row.by;
    EXPECT_FALSE(read.error().hint.empty());
  }
  // `until` without a holder contradicts itself.
  EXPECT_FALSE(parse_lease(R"({"epoch":3,"schema":1,"until":"2026-11-20T09:28:18Z"})", "lease.json"));
}

}  // namespace
}  // namespace crategate::pipeline
