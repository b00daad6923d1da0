// Waiting for a build: which run decides, and the table of docs/ci-image.md for all sequences of observations.
#include "pipeline/image_wait.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <map>
#include <sstream>

#include "base/strings.h"

namespace crategate::pipeline {
namespace {

using Kind = WaitVerdict::Kind;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string kCommit(40, 'a'), kOther(40, 'b');
const AwaitedBuild kAwaited{
    .workflow = "build.yml", .commit = kCommit, .event = "pull_request", .repository = 1, .image = "r/ci:pr-7"};

BuildRun run(std::int64_t id, const std::string& conclusion, const std::string& status = "completed") {
  return {.id = id,
          .path = ".github/workflows/build.yml",
          .event = "pull_request",
          .head_sha = kCommit,
          .head_repository = 1,
          .repository = 1,
          .status = status,
          .conclusion = conclusion};
}

TEST(DecidingRun, AgreesInWorkflowCommitEventAndRepository) {  // A57
  for (int differs = 0; differs < 16; ++differs) {
    BuildRun each = run(1, "success");
    if ((differs & 1) != 0) each.head_sha = kOther;
    if ((differs & 2) != 0) each.path = ".github/workflows/other/build.yml";
    if ((differs & 4) != 0) each.event = "push";
    if ((differs & 8) != 0) each.head_repository = 2;
    EXPECT_EQ(deciding_run({each}, kAwaited) != nullptr, differs == 0) << differs;
  }
  BuildRun named = run(1, "success");
  named.path += "@refs/pull/7/merge";
  EXPECT_NE(deciding_run({named}, kAwaited), nullptr);
  for (const char* path : {"build.yml", ".github/workflows/build.yml2", ".github/workflows/Build.yml", ""}) {
    named.path = path;
    EXPECT_EQ(deciding_run({named}, kAwaited), nullptr) << path;
  }
}

/// What is not told is no agreement.
TEST(DecidingRun, HasAHeadOfItsOwnRepository) {  // A57
  AwaitedBuild unnamed = kAwaited;
  unnamed.repository.reset();
  BuildRun own = run(1, "success"), deleted_fork = own, fork = own, untold = own;
  deleted_fork.head_repository.reset();
  fork.head_repository = 2;
  untold.head_repository.reset();
  untold.repository = 0;
  for (const auto& awaited : {kAwaited, unnamed}) {
    EXPECT_NE(deciding_run({own}, awaited), nullptr);
    for (const auto& other : {deleted_fork, fork, untold}) EXPECT_EQ(deciding_run({other}, awaited), nullptr);
  }
}

TEST(DecidingRun, IsTheNewestAttemptOfTheNewestRun) {  // A59
  BuildRun again = run(2, "failure");
  again.attempt = 2;
  const std::vector<BuildRun> attempts = {run(2, "success"), again};
  EXPECT_EQ(deciding_run(attempts, kAwaited)->conclusion, "failure");
  const std::vector<BuildRun> runs = {run(1, "success"), run(3, "", "queued"), run(2, "failure")};
  EXPECT_EQ(deciding_run(runs, kAwaited)->id, 3);
  const std::vector<BuildRun> set_aside = {run(1, "", "in_progress"), run(2, "cancelled"), run(3, "skipped")};
  EXPECT_EQ(deciding_run(set_aside, kAwaited)->id, 1);
  const std::vector<BuildRun> nothing_else = {run(1, "skipped"), run(2, "cancelled")};
  EXPECT_EQ(deciding_run(nothing_else, kAwaited)->id, 2);
}

// ---- all sequences, by the table in the documentation

/// What one poll sees, by the words of the table.
struct Letter {
  std::string row;
  WaitObservation seen;
};

WaitObservation with(BuildRun one, LabelSeen label = LabelSeen::not_asked) {
  return {.runs = {std::move(one)}, .label = label};
}

WaitObservation with_head(BuildRun one, const std::string& head) { return {.runs = {std::move(one)}, .head = head}; }

WaitObservation silence(ErrorCode code, bool too_late = false) {
  return {.unclear = Error{.code = code, .message = "no", .hint = "later"}, .too_late = too_late};
}

std::vector<Letter> letters() {
  WaitObservation mute_registry = silence(ErrorCode::unavailable);
  mute_registry.runs = {run(2, "success")};
  std::vector<Letter> all = {{"none", {.head = kCommit}},
                             {"unclear", silence(ErrorCode::unavailable)},
                             {"unclear_image", mute_registry},
                             {"too_late", silence(ErrorCode::rate_limited, true)},
                             {"right", with(run(2, "success"), LabelSeen::right)},
                             {"imageless", with(run(2, "success"), LabelSeen::none)},
                             {"imageless", with(run(2, "success"), LabelSeen::other)},
                             {"none", {.head = kOther}},
                             {"in_progress", with_head(run(2, "", "in_progress"), kOther)},
                             {"failure", with_head(run(2, "failure"), kOther)},
                             {"cancelled", with(run(2, "cancelled"))}};
  BuildRun renamed = run(2, "success");
  renamed.path = ".github/workflows/renamed.yml";
  all.push_back({"none", with(renamed)});
  BuildRun again = run(2, "", "queued");
  again.attempt = 2;
  all.push_back({"queued", with(again)});
  for (const char* status : {"in_progress", "waiting", "requested", "pending"})
    all.push_back({status, with(run(2, "", status))});
  for (const char* conclusion :
       {"failure", "timed_out", "action_required", "skipped", "stale", "startup_failure", "neutral", "unheard_of"}) {
    all.push_back({conclusion, with(run(2, conclusion))});
  }
  return all;
}

/// Row → what the documentation says happens: "goes on", "14", "ends with the image", …
std::map<std::string, std::string> documented() {
  std::ifstream file(std::string(CRATEGATE_SOURCE_DIR) + "/docs/ci-image.md");
  std::stringstream text;
  text << file.rdbuf();
  std::string section = text.str();
  section = section.substr(section.find("## Waiting\n"));
  section = section.substr(0, section.find("\n## "));
  const std::map<std::string, std::string> worded = {{"no run yet", "none"},
                                                     {"`success`, and the image has the commit in its label", "right"},
                                                     {"`success`, and there is no image of that commit", "imageless"},
                                                     {"a run that was there is gone", "gone"},
                                                     {"no answer of GitHub, or a rate limit", "unclear"},
                                                     {"a rate limit that outlasts the wait", "too_late"},
                                                     {"`success`, and no answer of the registry", "unclear_image"}};
  std::map<std::string, std::string> table;
  for (const auto& line : split(section, '\n')) {
    const auto cells = split(line, '|');
    if (cells.size() != 4) continue;
    const std::string what(trim(cells[1])), then(trim(cells[2]));
    if (const auto found = worded.find(what); found != worded.end()) {
      table[found->second] = then;
    } else if (what.find("another head") != std::string::npos) {
      table["moved"] = then;
    } else {
      for (const auto& each : split(replace_all(what, "any other conclusion", "`unheard_of`"), ',')) {
        const std::string name(trim(each));
        if (name.size() > 2 && name.front() == '`') table[name.substr(1, name.size() - 2)] = then;
      }
    }
  }
  return table;
}

/// The state of a sequence in the table's words, and for how many polls it has been so.
struct Reading {
  std::string row;
  int times = 0;
};

Reading read(const std::vector<const Letter*>& sequence) {
  if (sequence.back()->seen.unclear) return {sequence.back()->row, 1};
  Reading reading;
  bool before = false, moved = false;
  std::string previous;
  for (const Letter* each : sequence) {
    if (each->seen.head) moved = *each->seen.head != kCommit;
    before = before || (each->row != "none" && !each->seen.runs.empty());
    if (each->seen.unclear && each->seen.runs.empty()) continue;
    const std::string row = each->row == "none" && before ? "gone" : each->row;
    reading = {row, row == previous ? reading.times + 1 : 1};
    previous = row;
  }
  return moved && reading.row != "right" ? Reading{"moved", 1} : reading;
}

std::string outcome(const WaitVerdict& verdict) {
  switch (verdict.kind) {
    case Kind::poll_again:
      return "goes on";
    case Kind::done:
      return "ends with the image";
    case Kind::failed:
      return std::to_string(exit_code(verdict.code));
    case Kind::look:
      break;
  }
  return "look";
}

std::string expected(const std::map<std::string, std::string>& table, const Reading& reading) {
  const std::string& text = table.at(reading.row);
  const auto third = text.find("; the third time in a row: ");
  if (third == std::string::npos) return text;
  return reading.times < kWaitGrace ? text.substr(0, third) : text.substr(text.rfind(' ') + 1);
}

/// Of the conclusions only `success` passes (A58).
TEST(JudgeWait, GivesTheTablesAnswerForAllSequencesUpToFour) {
  const auto table = documented();
  const auto alphabet = letters();
  ASSERT_GE(table.size(), 20U);
  std::vector<const Letter*> sequence;
  int checked = 0;
  const std::function<void()> go_on = [&] {
    if (!sequence.empty()) {
      std::vector<WaitObservation> seen;
      std::string rows;
      for (const Letter* each : sequence) {
        seen.push_back(each->seen);
        rows += concat(each->row, " ");
      }
      ++checked;
      ASSERT_EQ(outcome(judge_wait(seen, kAwaited)), expected(table, read(sequence))) << rows;
    }
    if (sequence.size() == 4) return;
    for (const Letter& letter : alphabet) {
      sequence.push_back(&letter);
      go_on();
      sequence.pop_back();
      if (::testing::Test::HasFatalFailure()) return;
    }
  };
  go_on();
  EXPECT_GT(checked, 300'000);
}

TEST(JudgeWait, LooksAtTheRegistryBeforeItBelievesASuccess) {
  const auto verdict = judge_wait({with(run(2, "success"))}, kAwaited);
  EXPECT_EQ(verdict.kind, Kind::look);
  EXPECT_EQ(verdict.run, 2);
}

TEST(JudgeWait, SaysWhatToDoForEachConclusion) {
  const std::map<std::string, std::string> hints = {{"action_required", "Approve"},   {"startup_failure", "not valid"},
                                                    {"timed_out", "timeout-minutes"}, {"skipped", "`if:`"},
                                                    {"stale", "two weeks"},           {"failure", "Read its log"}};
  for (const auto& [conclusion, hint] : hints) {
    const auto verdict = judge_wait({with(run(2, conclusion))}, kAwaited);
    EXPECT_THAT(verdict.hint, HasSubstr(hint)) << conclusion;
    EXPECT_THAT(verdict.text, HasSubstr(concat("run 2 ended as \"", conclusion, "\"")));
  }
  const auto odd = judge_wait({with(run(2, "\x1b[31m::error::x"))}, kAwaited);
  EXPECT_EQ(odd.text.find('\x1b'), std::string::npos);
}

TEST(JudgeWait, PassesNothingButASuccess) {  // A58
  for (const char* conclusion : {"", "skipped", "neutral", "cancelled", "action_required", "stale", "timed_out",
                                 "failure", "startup_failure", "Success", "success "}) {
    const auto kind = judge_wait({with(run(2, conclusion), LabelSeen::right)}, kAwaited).kind;
    EXPECT_TRUE(kind == Kind::failed || kind == Kind::poll_again) << conclusion;
  }
  EXPECT_EQ(judge_wait({with(run(2, "success", "in_progress"), LabelSeen::right)}, kAwaited).kind, Kind::poll_again);
}

TEST(JudgeWait, DependsOnTheHeadWhereverItWouldExplainWhatIsSeen) {
  for (const char* conclusion : {"cancelled", "failure", "skipped"})
    EXPECT_TRUE(judge_wait({with(run(2, conclusion))}, kAwaited).depends_on_head) << conclusion;
  for (const char* status : {"queued", "in_progress"})
    EXPECT_TRUE(judge_wait({with(run(2, "", status))}, kAwaited).depends_on_head) << status;
  EXPECT_TRUE(judge_wait({WaitObservation{}}, kAwaited).depends_on_head);
  EXPECT_TRUE(judge_wait({with(run(2, "success"), LabelSeen::other)}, kAwaited).depends_on_head);
  EXPECT_FALSE(judge_wait({with(run(2, "success"))}, kAwaited).depends_on_head);
  EXPECT_FALSE(judge_wait({with(run(2, "success"), LabelSeen::right)}, kAwaited).depends_on_head);
  EXPECT_FALSE(judge_wait({silence(ErrorCode::unavailable)}, kAwaited).depends_on_head);
  EXPECT_FALSE(judge_wait({with_head(run(2, "failure"), kOther)}, kAwaited).depends_on_head) << "it is known";
}

/// Two pull requests of one head: commit, event and workflow of both builds are the same, and only one pushes the image.
TEST(JudgeWait, IsPatientWhileAnotherRunOfTheSameHeadGoesOn) {
  const BuildRun going = run(2, "", "in_progress");
  for (const char* conclusion : {"failure", "timed_out", "action_required", "neutral"}) {
    const auto verdict = judge_wait({{.runs = {run(3, conclusion), going}}}, kAwaited);
    EXPECT_EQ(verdict.kind, Kind::poll_again) << conclusion;
    EXPECT_EQ(verdict.run, 2);
    EXPECT_TRUE(verdict.depends_on_head);
    EXPECT_EQ(judge_wait({{.runs = {run(3, conclusion), run(2, "failure")}}}, kAwaited).kind, Kind::failed);
  }
  std::vector<WaitObservation> seen(kWaitGrace + 1, {.runs = {run(3, "success"), going}, .label = LabelSeen::none});
  EXPECT_EQ(judge_wait(seen, kAwaited).kind, Kind::poll_again);
  for (int times = 1; times <= kWaitGrace; ++times) {
    seen.push_back({.runs = {run(3, "success"), run(2, "failure")}, .label = LabelSeen::none});
    EXPECT_EQ(judge_wait(seen, kAwaited).kind, times < kWaitGrace ? Kind::poll_again : Kind::failed) << times;
  }
  BuildRun others = going;
  others.head_sha = kOther;
  EXPECT_EQ(judge_wait({{.runs = {run(3, "failure"), others}}}, kAwaited).kind, Kind::failed) << "another commit's";
}

/// Whose run succeeded, the label says.
TEST(JudgeWait, TakesTheImageOfAnotherRunOfTheSameHead) {
  WaitObservation both{.runs = {run(3, "failure"), run(2, "success")}};
  EXPECT_EQ(judge_wait({both}, kAwaited).kind, Kind::look);
  both.label = LabelSeen::right;
  const auto done = judge_wait({both}, kAwaited);
  EXPECT_EQ(done.kind, Kind::done);
  EXPECT_THAT(done.text, HasSubstr("run 2 has succeeded"));
  for (const auto label : {LabelSeen::none, LabelSeen::other}) {
    both.label = label;
    const auto failed = judge_wait({both}, kAwaited);
    EXPECT_EQ(failed.kind, Kind::failed);
    EXPECT_EQ(failed.run, 3);
  }
  both.runs.front() = run(3, "", "queued");
  EXPECT_EQ(judge_wait({both}, kAwaited).kind, Kind::poll_again) << "the newest one decides first";
}

TEST(JudgeWait, SaysOfSilenceWhatTheErrorSays) {
  const auto passing = judge_wait({silence(ErrorCode::unavailable)}, kAwaited);
  EXPECT_EQ(passing.text, "no");
  EXPECT_EQ(passing.hint, "later");
  EXPECT_EQ(judge_wait({silence(ErrorCode::rate_limited, true)}, kAwaited).code, ErrorCode::rate_limited);
}

/// An older push's build ended last: what has the tag now is another build's.
TEST(JudgeWait, NamesTheConcurrencyGroupWhereAnotherBuildHasTheTag) {
  const auto other = judge_wait({with(run(2, "success"), LabelSeen::other)}, kAwaited);
  EXPECT_THAT(other.hint, HasSubstr("concurrency: {group: \"build-ci-image-${{ github.ref }}\""));
  EXPECT_THAT(judge_wait({with(run(2, "success"), LabelSeen::none)}, kAwaited).hint, Not(HasSubstr("concurrency")));
}

}  // namespace
}  // namespace crategate::pipeline
