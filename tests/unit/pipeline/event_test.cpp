// Reading events: the shapes GitHub sends, and the doubts that must end in "pull request" or a refusal.
#include "pipeline/event.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/strings.h"

namespace crategate::pipeline {
namespace {

using ::testing::HasSubstr;

const std::string kSha(40, 'a');
const std::string kHead(40, 'b');

std::string pull_request_payload(const std::string& head_repo, const std::string& number = "7") {
  return concat(R"({"number":)", number, R"(,"pull_request":{"number":)", number, R"(,"head":{"ref":"fix/x","sha":")",
                kHead, R"(","repo":)", head_repo,
                R"(},"base":{"ref":"main","repo":{"id":1,"full_name":"o/p"}}},)"
                R"("repository":{"id":1,"full_name":"o/p","default_branch":"main"}})");
}

EventFacts pull_request_facts(const std::string& payload) {
  return {.name = "pull_request",
          .ref = "refs/pull/7/merge",
          .ref_type = "branch",
          .sha = kSha,
          .base_ref = "main",
          .payload = payload};
}

struct KindCase {
  std::string what;
  EventFacts facts;
  EventKind kind;
};

void PrintTo(const KindCase& row, std::ostream* out) { *out << row.what; }

class EventKinds : public ::testing::TestWithParam<KindCase> {};

TEST_P(EventKinds, AreDecidedFailClosed) {
  const auto event = parse_event(GetParam().facts);
  ASSERT_TRUE(event) << describe(event.error());
  EXPECT_EQ(event->kind, GetParam().kind) << GetParam().what;
}

INSTANTIATE_TEST_SUITE_P(
    Table, EventKinds,
    ::testing::Values(
        KindCase{"tag push", {.name = "push", .ref = "refs/tags/v1.2.3", .ref_type = "tag"}, EventKind::tag_push},
        KindCase{"tag push without a ref type (A08)", {.name = "push", .ref = "refs/tags/v1.2.3"}, EventKind::tag_push},
        KindCase{
            "branch push", {.name = "push", .ref = "refs/heads/main", .ref_type = "branch"}, EventKind::branch_push},
        KindCase{"branch called v1.2.3 (A08)", {.name = "push", .ref = "refs/heads/v1.2.3"}, EventKind::branch_push},
        KindCase{"branch called refs/tags/v1.2.3 (A08)",
                 {.name = "push", .ref = "refs/heads/refs/tags/v1.2.3", .ref_type = "branch"},
                 EventKind::branch_push},
        KindCase{"branch called tags/v1 (A08)", {.name = "push", .ref = "refs/heads/tags/v1"}, EventKind::branch_push},
        KindCase{"push with a ref below refs/pull (A04)",
                 {.name = "push", .ref = "refs/pull/7/merge"},
                 EventKind::pull_request},
        KindCase{"push whose payload has a pull request (A04)",
                 {.name = "push", .ref = "refs/tags/v1.2.3", .payload = R"({"pull_request":{}})"},
                 EventKind::pull_request},
        KindCase{"schedule whose payload has a pull request (A04)",
                 {.name = "schedule", .ref = "refs/heads/main", .payload = R"({"pull_request":{}})"},
                 EventKind::pull_request},
        KindCase{"dispatch whose payload has a pull request (A04)",
                 {.name = "workflow_dispatch", .ref = "refs/heads/main", .payload = R"({"pull_request":{}})"},
                 EventKind::pull_request},
        KindCase{"unknown event whose payload has a pull request (A04)",
                 {.name = "gollum", .ref = "refs/heads/main", .payload = R"({"pull_request":{}})"},
                 EventKind::pull_request},
        KindCase{"null pull request", {.name = "schedule", .payload = R"({"pull_request":null})"}, EventKind::schedule},
        KindCase{
            "pull_request_target", {.name = "pull_request_target", .ref = "refs/heads/main"}, EventKind::pull_request},
        KindCase{"pull_request_review", {.name = "pull_request_review"}, EventKind::pull_request},
        KindCase{"schedule", {.name = "schedule", .payload = R"({"schedule":"0 3 * * 0"})"}, EventKind::schedule},
        KindCase{"dispatch", {.name = "workflow_dispatch", .ref = "refs/heads/main"}, EventKind::dispatch},
        KindCase{"dispatch of a tag", {.name = "workflow_dispatch", .ref = "refs/tags/v1.2.3"}, EventKind::dispatch},
        KindCase{"merge group", {.name = "merge_group", .ref = "refs/heads/gh-readonly-queue/x"}, EventKind::unknown},
        KindCase{"workflow_run",
                 {.name = "workflow_run", .payload = R"({"workflow_run":{"event":"push"}})"},
                 EventKind::unknown},
        KindCase{
            "issue_comment", {.name = "issue_comment", .payload = R"({"issue":{"number":3}})"}, EventKind::unknown},
        KindCase{"release", {.name = "release", .ref = "refs/tags/v1.2.3"}, EventKind::unknown},
        KindCase{"no name", {}, EventKind::unknown},
        KindCase{"Push", {.name = "Push", .ref = "refs/tags/v1"}, EventKind::unknown}));

struct RefusedCase {
  std::string what;
  EventFacts facts;
  std::string names;
};

void PrintTo(const RefusedCase& row, std::ostream* out) { *out << row.what; }

class RefusedEvents : public ::testing::TestWithParam<RefusedCase> {};

TEST_P(RefusedEvents, AreBadInputThatNamesTheThing) {
  const auto event = parse_event(GetParam().facts);
  ASSERT_FALSE(event) << GetParam().what;
  EXPECT_EQ(event.error().code, ErrorCode::bad_input);
  EXPECT_THAT(describe(event.error()), HasSubstr(GetParam().names));
}

EventFacts dispatch(const std::string& value) {
  return {.name = "workflow_dispatch", .payload = concat(R"({"inputs":{"REBUILD_BASE":)", value, "}}")};
}

// A08
INSTANTIATE_TEST_SUITE_P(
    Contradictions, RefusedEvents,
    ::testing::Values(
        RefusedCase{
            "tag ref, branch type", {.name = "push", .ref = "refs/tags/v1.2.3", .ref_type = "branch"}, "refs/heads/"},
        RefusedCase{
            "branch ref, tag type", {.name = "push", .ref = "refs/heads/v1.2.3", .ref_type = "tag"}, "refs/tags/"},
        RefusedCase{"strange type", {.name = "push", .ref = "refs/tags/v1", .ref_type = "Tag"}, "branch or tag"},
        RefusedCase{"short ref", {.name = "push", .ref = "v1.2.3"}, "full ref"},
        RefusedCase{"no ref", {.name = "push"}, "full ref"},
        RefusedCase{"payload of another push",
                    {.name = "push", .ref = "refs/tags/v9.9.9", .payload = R"({"ref":"refs/heads/main"})"},
                    "refs/heads/main"},
        RefusedCase{"short commit", {.name = "push", .ref = "refs/tags/v1", .sha = "abc"}, "40 or 64"},
        RefusedCase{"commit with a shell in it", {.name = "schedule", .sha = std::string(38, 'a') + "$("}, "40 or 64"},
        RefusedCase{"ref that is not UTF-8", {.name = "schedule", .ref = "refs/heads/\xFF"}, "UTF-8"}));

INSTANTIATE_TEST_SUITE_P(
    Payloads, RefusedEvents,
    ::testing::Values(
        RefusedCase{"truncated", {.name = "schedule", .payload = R"({"ref":)"}, "event payload"},
        RefusedCase{"lone surrogate (A03)", {.name = "schedule", .payload = R"({"a":"\ud800"})"}, "event payload"},
        RefusedCase{
            "duplicate ref (A02)", {.name = "push", .payload = R"({"ref":"a","ref":"refs/tags/v9.9.9"})"}, "ref"},
        RefusedCase{"a list", {.name = "schedule", .payload = "[]"}, "an object"},
        RefusedCase{"deep (A01)", {.name = "schedule", .payload = std::string(100000, '[')}, "event payload"},
        RefusedCase{"pull request that is a number",
                    {.name = "push", .ref = "refs/tags/v1.2.3", .payload = R"({"pull_request":1})"},
                    "pull_request"},
        RefusedCase{"deleted as text",
                    {.name = "push", .ref = "refs/tags/v1.2.3", .payload = R"({"deleted":"no"})"},
                    "deleted"},
        RefusedCase{"head commit that is none",
                    {.name = "pull_request", .payload = R"({"pull_request":{"head":{"sha":"main"}}})"},
                    "pull_request.head.sha"},
        RefusedCase{"inputs that are text", {.name = "workflow_dispatch", .payload = R"({"inputs":"x"})"}, "inputs"}));

// A06
INSTANTIATE_TEST_SUITE_P(
    PullRequestNumbers, RefusedEvents,
    ::testing::Values(
        RefusedCase{"1e3", pull_request_facts(pull_request_payload("null", "1e3")), "number"},
        RefusedCase{"-1", pull_request_facts(pull_request_payload("null", "-1")), "number"},
        RefusedCase{"0", pull_request_facts(pull_request_payload("null", "0")), "number"},
        RefusedCase{"7.0", pull_request_facts(pull_request_payload("null", "7.0")), "number"},
        RefusedCase{"text", pull_request_facts(pull_request_payload("null", R"("7; rm")")), "number"},
        RefusedCase{"2^63", pull_request_facts(pull_request_payload("null", "9223372036854775808")), "number"},
        RefusedCase{"2^53+1", pull_request_facts(pull_request_payload("null", "9007199254740993")), "number"},
        RefusedCase{"2^53 and a fraction", pull_request_facts(pull_request_payload("null", "9007199254740992.5")),
                    "number"},
        RefusedCase{"2^64+7", pull_request_facts(pull_request_payload("null", "18446744073709551623")), "number"},
        RefusedCase{"true", pull_request_facts(pull_request_payload("null", "true")), "number"},
        RefusedCase{"list", pull_request_facts(pull_request_payload("null", "[7]")), "number"},
        RefusedCase{"1e3 in the ref", {.name = "pull_request", .ref = "refs/pull/1e3/merge"}, "refs/pull/NUMBER"},
        RefusedCase{"-1 in the ref", {.name = "pull_request", .ref = "refs/pull/-1/merge"}, "refs/pull/NUMBER"},
        RefusedCase{"0 in the ref", {.name = "pull_request", .ref = "refs/pull/0/merge"}, "refs/pull/NUMBER"},
        RefusedCase{"command in the ref", {.name = "pull_request", .ref = "refs/pull/7; rm/merge"}, "refs/pull/NUMBER"},
        RefusedCase{"2^53+1 in the ref",
                    {.name = "pull_request", .ref = "refs/pull/9007199254740993/merge"},
                    "refs/pull/NUMBER"},
        RefusedCase{"2^63 in the ref",
                    {.name = "pull_request", .ref = "refs/pull/9223372036854775808/merge"},
                    "refs/pull/NUMBER"},
        RefusedCase{"number of a commented pull request",
                    {.name = "issue_comment", .payload = R"({"issue":{"number":"7; rm","pull_request":{}}})"},
                    "number"},
        RefusedCase{"another than the ref's", pull_request_facts(pull_request_payload("null", "8")), "pull request 7"},
        RefusedCase{"no number in the ref", {.name = "pull_request", .ref = "refs/pull/x/merge"}, "refs/pull/NUMBER"}));

// A07, with the accepted ones below
INSTANTIATE_TEST_SUITE_P(
    RebuildBase, RefusedEvents,
    ::testing::Values(RefusedCase{"TRUE", dispatch(R"("TRUE")"), "inputs.REBUILD_BASE"},
                      RefusedCase{"leading space", dispatch(R"(" true")"), "inputs.REBUILD_BASE"},
                      RefusedCase{"trailing line feed", dispatch(R"("true\n")"), "inputs.REBUILD_BASE"},
                      RefusedCase{"1", dispatch(R"("1")"), "inputs.REBUILD_BASE"},
                      RefusedCase{"number", dispatch("1"), "inputs.REBUILD_BASE"},
                      RefusedCase{"yes", dispatch(R"("yes")"), "inputs.REBUILD_BASE"},
                      RefusedCase{"empty", dispatch(R"("")"), "inputs.REBUILD_BASE"},
                      RefusedCase{"object", dispatch("{}"), "inputs.REBUILD_BASE"},
                      RefusedCase{"list", dispatch("[true]"), "inputs.REBUILD_BASE"},
                      RefusedCase{"trailing space", dispatch(R"("true ")"), "inputs.REBUILD_BASE"},
                      RefusedCase{"trailing NUL", dispatch(R"("true\u0000")"), "inputs.REBUILD_BASE"},
                      RefusedCase{"fullwidth", dispatch(R"("\uff54rue")"), "inputs.REBUILD_BASE"},
                      RefusedCase{"False", dispatch(R"("False")"), "inputs.REBUILD_BASE"},
                      RefusedCase{"zero", dispatch("0"), "inputs.REBUILD_BASE"},
                      RefusedCase{"two spellings at odds",
                                  {.name = "workflow_dispatch",
                                   .payload = R"({"inputs":{"REBUILD_BASE":"true","rebuild-base":"false"}})"},
                                  "rebuild-base"}));

// A07
TEST(Event, TakesRebuildBaseAsBooleanOrExactWord) {
  const std::pair<std::string, bool> rows[] = {
      {"true", true}, {"false", false}, {R"("true")", true}, {R"("false")", false}, {"null", false}};
  for (const auto& [value, expected] : rows) {
    const auto event = parse_event(dispatch(value));
    ASSERT_TRUE(event) << value;
    EXPECT_EQ(event->rebuild_base, expected) << value;
  }
  EXPECT_FALSE(parse_event({.name = "workflow_dispatch", .payload = R"({"inputs":null})"})->rebuild_base);
}

// A06
TEST(Event, TakesPullRequestNumbersFrom1To2To53) {
  for (const std::string number : {"1", "7", "9007199254740992"}) {
    auto facts = pull_request_facts(pull_request_payload("null", number));
    facts.ref = concat("refs/pull/", number, "/merge");
    const auto event = parse_event(facts);
    ASSERT_TRUE(event) << describe(event.error());
    EXPECT_EQ(std::to_string(event->pull_request.value()), number);
  }
}

TEST(Event, LetsAnOptionOverrideTheDispatchInput) {
  auto facts = dispatch("true");
  facts.rebuild_base = false;
  EXPECT_FALSE(parse_event(facts)->rebuild_base);
}

TEST(Event, ReadsAPullRequestOfTheSameRepository) {
  const auto event = parse_event(pull_request_facts(pull_request_payload(R"({"id":1,"full_name":"o/p"})")));
  ASSERT_TRUE(event) << describe(event.error());
  EXPECT_EQ(event->pull_request, 7);
  EXPECT_EQ(event->branch, "fix/x");
  EXPECT_EQ(event->base_branch, "main");
  EXPECT_EQ(event->default_branch, "main");
  EXPECT_EQ(event->sha, kSha);
  EXPECT_EQ(event->head_sha, kHead);
  EXPECT_FALSE(event->from_fork);
}

TEST(Event, CountsEveryUnprovenHeadRepositoryAsAFork) {
  const std::pair<std::string, bool> rows[] = {
      {"null", true},                                  // the fork was deleted (A05)
      {"{}", true},                                    // nothing known
      {R"({"id":2,"full_name":"o/p"})", true},         // ids decide, names can be taken over
      {R"({"id":1,"full_name":"x/renamed"})", false},  // renamed meanwhile
      {R"({"full_name":"x/p"})", true},
      {R"({"full_name":"O/P"})", false},
  };
  for (const auto& [repo, is_fork] : rows) {
    const auto event = parse_event(pull_request_facts(pull_request_payload(repo)));
    ASSERT_TRUE(event) << repo;
    EXPECT_EQ(event->from_fork, is_fork) << repo;
  }
  EXPECT_TRUE(parse_event({.name = "pull_request"})->from_fork);
}

TEST(Event, SeesDeletedRefs) {
  const std::string zero(40, '0');
  EXPECT_TRUE(parse_event({.name = "push", .ref = "refs/tags/v1.2.3", .payload = R"({"deleted":true})"})->deleted);
  EXPECT_TRUE(parse_event({.name = "push", .ref = "refs/tags/v1.2.3", .sha = zero})->deleted);
  EXPECT_TRUE(
      parse_event({.name = "push", .ref = "refs/heads/main", .payload = R"({"ref":"refs/tags/v1.2.3","deleted":true})"})
          ->deleted);
  EXPECT_FALSE(parse_event({.name = "push", .ref = "refs/tags/v1.2.3", .payload = R"({"deleted":false})"})->deleted);
}

TEST(Event, TakesRefAndCommitOfAPushFromThePayloadWhenTheRunnerGivesNone) {
  const auto event =
      parse_event({.name = "push", .payload = concat(R"({"ref":"refs/tags/v1.2.3","after":")", kSha, R"("})")});
  ASSERT_TRUE(event) << describe(event.error());
  EXPECT_EQ(event->kind, EventKind::tag_push);
  EXPECT_EQ(event->tag, "v1.2.3");
  EXPECT_EQ(event->sha, kSha);
  EXPECT_EQ(event->head_sha, kSha);
}

TEST(Event, ReadsMergeGroupsAndCommentsOnPullRequests) {
  const auto group =
      parse_event({.name = "merge_group",
                   .ref = "refs/heads/gh-readonly-queue/main/pr-7",
                   .payload = concat(R"({"merge_group":{"base_ref":"refs/heads/main","head_sha":")", kHead, R"("}})")});
  ASSERT_TRUE(group);
  EXPECT_EQ(group->base_branch, "main");
  EXPECT_EQ(group->head_sha, kHead);
  const auto comment = parse_event({.name = "issue_comment", .payload = R"({"issue":{"number":9,"pull_request":{}}})"});
  ASSERT_TRUE(comment);
  EXPECT_EQ(comment->pull_request, 9);
}

TEST(Events, TakeTheDispatchInputPublish) {
  const auto publish = [](const std::string& value) {
    return parse_event({.name = "workflow_dispatch", .payload = concat(R"({"inputs":{"publish":)", value, "}}")});
  };
  EXPECT_FALSE(publish(R"("false")").value().publish);
  EXPECT_TRUE(publish("true").value().publish);
  EXPECT_TRUE(parse_event({.name = "workflow_dispatch"}).value().publish);
  EXPECT_EQ(publish(R"("no")").error().code, ErrorCode::bad_input);
}

TEST(Event, NamesTheLineOfAPayloadsWrongValue) {
  const auto event = parse_event({.name = "pull_request",
                                  .payload = "{\n \"number\": 7,\n \"pull_request\": {\n  \"number\": 8\n }\n}",
                                  .payload_name = "event.json"});
  ASSERT_FALSE(event);
  EXPECT_EQ(event.error().message,
            "event.json:4: pull_request.number: expected the number 7 of the same event, found "
            "the number 8");
}

TEST(Event, ReadsWhatTheOwnerSaysOfTheRepository) {
  const auto read = [](const std::string& repository) {
    return parse_event({.name = "schedule", .payload = R"({"repository":)" + repository + "}"}).value();
  };
  const auto event = read(R"({"description":" A tool\n::error::for all ","license":{"spdx_id":"Apache-2.0"}})");
  EXPECT_EQ(event.description.find('\n'), std::string::npos);
  EXPECT_TRUE(event.description.starts_with("A tool")) << event.description;
  EXPECT_EQ(event.license, "Apache-2.0");
  EXPECT_EQ(read(R"({"description":null,"license":null})").description, "");
  EXPECT_EQ(read(R"({"license":{"spdx_id":"NOASSERTION"}})").license, "");
  EXPECT_EQ(read(R"({"license":{"spdx_id":"MIT --label=x"}})").license, "");
  EXPECT_EQ(read(R"({"description":")" + std::string(1025, 'x') + R"("})").description, "");
}

TEST(Events, KnowAClosedPullRequest) {
  const auto closed = [](const std::string& action) {
    return parse_event({.name = "pull_request",
                        .ref = "refs/pull/7/merge",
                        .payload = concat(R"({"action":")", action, R"(","number":7,"pull_request":{"number":7}})")})
        .value()
        .closed;
  };
  EXPECT_TRUE(closed("closed"));
  for (const char* action : {"opened", "synchronize", "reopened"}) EXPECT_FALSE(closed(action)) << action;
}

}  // namespace
}  // namespace crategate::pipeline
