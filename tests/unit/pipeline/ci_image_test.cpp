// The CI image's table: each event's row, and docs/ci-image.md.
#include "pipeline/ci_image.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

#include "base/strings.h"

namespace crategate::pipeline {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::string kHead(40, 'a'), kMerge(40, 'b');

config::CiImage settings() {
  return {.image = "ghcr.io/o/r/ci",
          .dockerfile = {},
          .default_tag = "stable",
          .workflow = {},
          .watch = {"ci.Dockerfile", ".github/workflows/build-ci-image.yml"},
          .branches = {{"main", "latest"}, {"v2", "v2"}},
          .platforms = {},
          .generate = {}};
}

/// HEAD and MERGE stand for commits.
Result<CiImageDecision> decide(const std::string& name, const std::string& ref, std::string payload,
                               std::optional<std::string> changed) {
  payload = replace_all(replace_all(std::move(payload), "HEAD", kHead), "MERGE", kMerge);
  const auto event = parse_event({.name = name,
                                  .ref = ref,
                                  .ref_type = {},
                                  .sha = kMerge,
                                  .base_ref = {},
                                  .payload = payload,
                                  .rebuild_base = {}});
  if (!event) return fail(event.error());
  return decide_ci_image({.event = *event, .changed = std::move(changed), .why_unknown = "the clone is shallow"},
                         settings());
}

std::string pull_request(const std::string& base, int head_repository, const std::string& action = "synchronize") {
  return concat(R"({"action":")", action,
                R"(","number":7,"pull_request":{"number":7,"head":{"ref":"fix","sha":"HEAD",)", R"("repo":{"id":)",
                head_repository, R"(}},"base":{"ref":")", base,
                R"("}},"repository":{"id":1,"default_branch":"main"}})");
}
const std::string kGroup =
    R"({"action":"checks_requested","merge_group":{"head_sha":"HEAD","head_ref":"refs/heads/gh-readonly-queue/v2/pr-7-x",)"
    R"("base_sha":"MERGE","base_ref":"refs/heads/v2"}})";
const std::string kComment = R"({"action":"created","issue":{"number":7,"pull_request":{}},"comment":{"id":1}})";
const std::string kPull = "refs/pull/7/merge", kMain = "refs/heads/main", kOther = "refs/heads/feature/x",
                  kQueue = "refs/heads/gh-readonly-queue/v2/pr-7-x";
const std::string kDockerfile = "ci.Dockerfile";
const std::optional<std::string> kUnknown;

struct Case {
  std::string what, name, ref, payload;
  std::optional<std::string> changed;
  CiEvent event;
  std::string tag, publish;  ///< tags joined with spaces; SHA is the commit
};
void PrintTo(const Case& row, std::ostream* out) { *out << row.what; }

class CiImageEvents : public ::testing::TestWithParam<Case> {};

TEST_P(CiImageEvents, HaveTheirRow) {
  const auto& row = GetParam();
  const auto decision = decide(row.name, row.ref, row.payload, row.changed);
  ASSERT_TRUE(decision) << describe(decision.error());
  EXPECT_EQ(decision->event, row.event);
  EXPECT_EQ(decision->tag, replace_all(row.tag, "SHA", row.name == "merge_group" ? kHead : kMerge));
  EXPECT_EQ(join(decision->publish, " "), replace_all(row.publish, "SHA", row.name == "merge_group" ? kHead : kMerge));
  EXPECT_THAT(decision->reason, HasSubstr(decision->tag));
  const bool guessed = !row.changed && decision->modified && decision->event != CiEvent::comment;
  EXPECT_EQ(decision->reason.find("the clone is shallow") != std::string::npos, guessed);
}

INSTANTIATE_TEST_SUITE_P(
    Table, CiImageEvents,
    ::testing::Values(
        Case{"pull request, unchanged", "pull_request", kPull, pull_request("v2", 1), "",
             CiEvent::pull_request_unchanged, "v2", ""},
        Case{"pull request to a branch without a tag", "pull_request", kPull, pull_request("x", 1), "",
             CiEvent::pull_request_unchanged, "stable", ""},
        Case{"pull request, changed", "pull_request", kPull, pull_request("main", 1), kDockerfile,
             CiEvent::pull_request_changed, "pr-7", "pr-7"},
        Case{"pull request, nobody can tell", "pull_request", kPull, pull_request("main", 1), kUnknown,
             CiEvent::pull_request_changed, "pr-7", "pr-7"},
        Case{"fork, unchanged", "pull_request", kPull, pull_request("main", 2), "", CiEvent::pull_request_unchanged,
             "latest", ""},
        Case{"fork, changed", "pull_request", kPull, pull_request("main", 2), kDockerfile, CiEvent::fork_changed,
             "latest", ""},
        Case{"fork, nobody can tell", "pull_request", kPull, pull_request("main", 2), kUnknown, CiEvent::fork_changed,
             "latest", ""},
        Case{"no payload: it may be a fork", "pull_request", kPull, "{}", kDockerfile, CiEvent::fork_changed, "stable",
             ""},
        Case{"closed", "pull_request", kPull, pull_request("v2", 1, "closed"), kDockerfile,
             CiEvent::pull_request_closed, "v2", ""},
        Case{"pull_request_target, unchanged", "pull_request_target", kMain, pull_request("v2", 1), "",
             CiEvent::pull_request_unchanged, "v2", ""},
        Case{"pull_request_target, changed", "pull_request_target", kMain, pull_request("v2", 1), kDockerfile,
             CiEvent::other_event_changed, "pr-7", ""},
        Case{"pull_request_target of a fork, changed", "pull_request_target", kMain, pull_request("v2", 2), kDockerfile,
             CiEvent::other_event_fork_changed, "v2", ""},
        Case{"a review", "pull_request_review", kPull, pull_request("v2", 1), kDockerfile, CiEvent::other_event_changed,
             "pr-7", ""},
        Case{"an event with a pull request in it", "gollum", kMain, pull_request("v2", 1), kUnknown,
             CiEvent::other_event_changed, "pr-7", ""},
        Case{"a push to a pull request's ref", "push", kPull, "{}", kUnknown, CiEvent::other_event_fork_changed,
             "stable", ""},
        Case{"a comment on a pull request", "issue_comment", kMain, kComment, kUnknown, CiEvent::comment, "pr-7", ""},
        Case{"a comment on an issue", "issue_comment", kMain, R"({"issue":{"number":7}})", kUnknown, CiEvent::unknown,
             "stable", ""},
        Case{"merge group, unchanged", "merge_group", kQueue, kGroup, "", CiEvent::merge_group_unchanged, "v2", ""},
        Case{"merge group, changed", "merge_group", kQueue, kGroup, kDockerfile, CiEvent::merge_group_changed,
             "gh-readonly-queue-v2-pr-7-x-sha-SHA-a79e36d7", "gh-readonly-queue-v2-pr-7-x-sha-SHA-a79e36d7"},
        Case{"push to main", "push", kMain, "{}", kUnknown, CiEvent::push_mapped, "latest", "latest main-sha-SHA"},
        Case{"push to another branch", "push", kOther, "{}", kUnknown, CiEvent::push_other, "stable",
             "feature-x-sha-SHA-217d2bf5"},
        Case{"push to a branch called like a tag (A23)", "push", "refs/heads/latest", "{}", kUnknown,
             CiEvent::push_other, "stable", "latest-sha-SHA"},
        Case{"push of a tag", "push", "refs/tags/main", "{}", kUnknown, CiEvent::tag, "stable", ""},
        Case{"schedule", "schedule", kMain, "{}", kUnknown, CiEvent::schedule, "latest", ""},
        Case{"manual", "workflow_dispatch", "refs/heads/v2", R"({"inputs":null})", kUnknown, CiEvent::dispatch, "v2",
             "v2 v2-sha-SHA"},
        Case{"manual on another branch", "workflow_dispatch", kOther, "{}", kUnknown, CiEvent::dispatch, "stable",
             "feature-x-sha-SHA-217d2bf5"},
        Case{"manual, forced", "workflow_dispatch", kMain, R"({"inputs":{"force_rebuild":"true"}})", kUnknown,
             CiEvent::dispatch_forced, "latest", "latest main-sha-SHA"},
        Case{"manual, not forced", "workflow_dispatch", kMain, R"({"inputs":{"force_rebuild":"false"}})", kUnknown,
             CiEvent::dispatch, "latest", "latest main-sha-SHA"},
        Case{"manual of a tag", "workflow_dispatch", "refs/tags/v1", "{}", kUnknown, CiEvent::tag, "stable", ""},
        Case{"deletion", "push", kMain, R"({"ref":"refs/heads/main","deleted":true})", kUnknown, CiEvent::deletion,
             "stable", ""},
        Case{"unknown event", "gollum", kMain, "{}", kUnknown, CiEvent::unknown, "stable", ""}));

TEST(CiImage, FollowsTheRow) {
  for (const auto& row : ci_image_table()) {
    // A stranger's files are never pushed, and their checks never count as run in what they ask for.
    const bool fork = row.event == CiEvent::fork_changed || row.event == CiEvent::other_event_fork_changed;
    EXPECT_EQ(fork, row.modified && !row.validated) << row.text;
    EXPECT_FALSE(fork && row.publish != CiPublish::nothing) << row.text;
    // With a change nothing but the own image will do, and without one nobody waits (C-1, C-2).
    EXPECT_EQ(row.wait, row.modified && row.validated) << row.text;
    EXPECT_EQ(row.wait, row.tag == CiTag::own || row.tag == CiTag::commit) << row.text;
    EXPECT_FALSE(row.publish != CiPublish::nothing && row.build == CiBuild::no) << row.text;
  }
  const auto forced = decide("workflow_dispatch", kMain, R"({"inputs":{"force_rebuild":true}})", kUnknown).value();
  EXPECT_EQ(forced.build, CiBuild::fresh);
  const auto changed = decide("pull_request", kPull, pull_request("main", 1), kDockerfile).value();
  EXPECT_EQ(changed.revision, kHead) << "the head, never the merge commit (C-6)";
  EXPECT_TRUE(changed.wait && changed.modified && changed.may_push());
  EXPECT_EQ(decide("issue_comment", kMain, kComment, kUnknown).value().revision, "");
  EXPECT_EQ(decide("push", kMain, "{}", kUnknown).value().revision, "") << "nothing to wait for";
}

TEST(CiImage, HasOneRowForEachEvent) {
  std::set<CiEvent> events;
  std::set<std::string_view> texts;
  for (const auto& row : ci_image_table()) {
    events.insert(row.event);
    texts.insert(row.text);
  }
  EXPECT_EQ(events.size(), kCiImageRows);
  EXPECT_EQ(texts.size(), kCiImageRows);
  EXPECT_EQ(static_cast<std::size_t>(CiEvent::unknown) + 1, kCiImageRows) << "an event without a row";
}

TEST(CiImage, RefusesWhatItCannotName) {
  const auto no_number = decide("pull_request_target", kMain,
                                R"({"pull_request":{"head":{"repo":{"id":1}}},"repository":{"id":1}})", kDockerfile);
  ASSERT_FALSE(no_number);
  EXPECT_THAT(no_number.error().message, HasSubstr("expected the number of its pull request"));
  for (const std::string word : {R"("yes")", R"("TRUE")", "1", R"("")"}) {
    const auto refused = decide("workflow_dispatch", kMain, concat(R"({"inputs":{"force_rebuild":)", word, "}}"), {});
    ASSERT_FALSE(refused) << word;
    EXPECT_THAT(describe(refused.error()), HasSubstr("inputs.force_rebuild"));
    EXPECT_THAT(refused.error().hint, HasSubstr("exactly true or false"));
  }
  const auto event = parse_event({.name = "push", .ref = kMain}).value();
  EXPECT_THAT(decide_ci_image({.event = event, .changed = {}, .why_unknown = {}}, settings()).error().message,
              HasSubstr("expected a commit"));
  auto wrong = settings();
  wrong.default_tag = "pr-7";
  EXPECT_FALSE(decide_ci_image({.event = event, .changed = {}, .why_unknown = {}}, wrong));
}

/// A25: exact paths; what only looks like one is another file.
TEST(CiImage, ComparesWatchedPathsExactly) {
  const std::vector<std::string> watch = {"Dockerfile.ci", "docker/ci.Dockerfile"};
  for (const std::string path :
       {"Dockerfile_ci", "Dockerfile.ci2", "x/Dockerfile.ci", "dockerfile.ci", "Dockerfile.ci\n",
        "docker/ci.Dockerfile/x", "./Dockerfile.ci", "\"Dockerfile.ci\"", "docker"}) {
    EXPECT_EQ(find_watched({path}, watch), "") << path;
  }
  EXPECT_EQ(find_watched({"a", "docker/ci.Dockerfile"}, watch), "docker/ci.Dockerfile");
  EXPECT_EQ(find_watched({}, watch), "");
}

TEST(CiImage, NeedsChangesOnlyWhereTheRowDependsOnThem) {
  const auto needs = [](const std::string& name, const std::string& ref, const std::string& payload) {
    return needs_changes(
        parse_event({.name = name, .ref = ref, .payload = replace_all(payload, "HEAD", kHead)}).value());
  };
  EXPECT_TRUE(needs("pull_request", kPull, pull_request("main", 1)));
  EXPECT_TRUE(needs("pull_request_target", kMain, pull_request("main", 2)));
  EXPECT_TRUE(needs("merge_group", kQueue, replace_all(kGroup, "MERGE", kMerge)));
  EXPECT_FALSE(needs("pull_request", kPull, pull_request("main", 1, "closed")));
  EXPECT_FALSE(needs("push", kMain, "{}"));
  EXPECT_FALSE(needs("issue_comment", kMain, kComment));
}

std::vector<std::string> documented_rows() {
  std::ifstream file(std::string(CRATEGATE_SOURCE_DIR) + "/docs/ci-image.md");
  std::stringstream text;
  text << file.rdbuf();
  std::vector<std::string> rows;
  bool inside = false;
  for (const auto& line : split(text.str(), '\n')) {
    if (line.starts_with("## ")) inside = line == "## Events";
    if (inside && line.starts_with("| ")) rows.push_back(line);
  }
  return rows;
}

TEST(CiImageDocs, ListTheRowsOfTheCodeAndNoOther) {
  std::vector<std::string> rows = {"| event | runs in | modified | validated | builds | waits | publishes |"};
  for (const auto& row : ci_image_table()) {
    std::string line = "|";
    for (const auto& word : words_of(row)) line += concat(" ", word, " |");
    rows.push_back(line);
  }
  EXPECT_EQ(documented_rows(), rows) << join(rows, "\n");
}

TEST(CiImage, SaysWhereTheTagOfABranchIsFrom) {
  EXPECT_THAT(decide("workflow_dispatch", kOther, "{}", kUnknown)->reason,
              HasSubstr(" has no tag in ci-image.branches: default-tag, stable"));
  EXPECT_THAT(decide("push", kOther, "{}", kUnknown)->reason, HasSubstr("default-tag, stable"));
  EXPECT_THAT(decide("workflow_dispatch", kMain, "{}", kUnknown)->reason, testing::EndsWith("branch \"main\": latest"));
}

}  // namespace
}  // namespace crategate::pipeline
