// plan: what each event leads to, given from a shell and by the runner, on a real repository.
#include <gmock/gmock.h>

#include "actions/names.h"
#include "docker/build.h"
#include "stages/build.h"
#include "stages/plan.h"
#include "stages/project.h"

namespace crategate::stages {
namespace {

using sample::Project;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

/// What an event leads to, in the words of the policy table; "-" = no.
std::string row_of(const pipeline::Plan& plan) {
  const auto& policy = plan.policy;
  const auto flag = [](bool value, const char* name) { return std::string(value ? name : "-"); };
  return concat(policy.trigger, " ", flag(policy.should_run, "run"), " ", flag(policy.fresh, "fresh"), " ",
                flag(policy.cache_read, "read"), " ", flag(policy.cache_write, "write"), " ", flag(policy.push, "push"),
                " ", flag(policy.latest, "latest"), " ", flag(policy.rebuild_flag, "rebuild"));
}

struct EventCase {
  std::string what, name, ref;
  std::string payload;  ///< SHA and HEAD stand for the commit
  std::string changed;  ///< the file that the last commit changes
  std::string expected;
};

void PrintTo(const EventCase& row, std::ostream* out) { *out << row.what; }

class Events : public ::testing::TestWithParam<EventCase> {
 protected:
  void SetUp() override {
    project.init();
    project.git({"update-ref", "refs/remotes/origin/main", "HEAD"});
    project.write(GetParam().changed, "changed\n");
    commit = project.commit("change");
    project.directory.write("event.json", replace_all(GetParam().payload, "SHA", commit));
    payload = (project.directory / "event.json").string();
  }
  Result<pipeline::Plan> from_shell() {
    project.invocation.event = GetParam().name;
    project.invocation.ref = GetParam().ref;
    project.invocation.sha = commit;
    project.invocation.payload = payload;
    return project.plan();
  }
  Result<pipeline::Plan> from_runner() {
    project.invocation = {};
    for (const auto& [name, value] : {std::pair{actions::kActions, std::string("true")},
                                      {actions::kEventName, GetParam().name},
                                      {actions::kRef, GetParam().ref},
                                      {actions::kSha, commit},
                                      {actions::kEventPath, payload}}) {
      project.environment.set(std::string(name), value);
    }
    return project.plan();
  }
  Project project;
  std::string commit, payload;
};

/// Every argument of every build of the plan.
std::vector<std::string> build_arguments(const Project& project, const pipeline::Plan& plan) {
  std::vector<std::string> all;
  for (const auto& cell : plan.cells) {
    const auto one =
        docker::build_arguments(build_request({project.configuration, plan, cell, project.workspace, {}, {}}));
    all.insert(all.end(), one.begin(), one.end());
  }
  return all;
}

/// A04
void expect_nothing_leaves(const std::vector<std::string>& arguments) {
  for (const std::string word : {"--cache-from", "--cache-to", "--push", "login", "type=registry"}) {
    EXPECT_THAT(arguments, Not(Contains(HasSubstr(word))));
  }
}

TEST_P(Events, LeadToTheSamePlanFromAShellAndFromARunner) {
  const auto shell = from_shell();
  ASSERT_TRUE(shell) << describe(shell.error());
  const auto runner = from_runner();
  ASSERT_TRUE(runner) << describe(runner.error());
  EXPECT_EQ(row_of(*shell), GetParam().expected) << join(shell->policy.reasons, "; ");
  EXPECT_EQ(*shell, *runner);
  EXPECT_EQ(pipeline::to_json(*shell), pipeline::to_json(*runner));
  EXPECT_EQ(shell->commit, commit);
  EXPECT_THAT(shell->cells, SizeIs(shell->policy.should_run ? 4U : 0U));
  const bool isolated = shell->policy.trigger == pipeline::kPullRequestTrigger;
  if (isolated) expect_nothing_leaves(build_arguments(project, *shell));
  EXPECT_FALSE(isolated && shell->policy.candidate) << "A04";
}

const std::string kPullRequest =
    R"({"number":7,"pull_request":{"number":7,"head":{"ref":"fix","sha":"SHA","repo":{"id":1}},"base":{"ref":"main"}},)"
    R"("repository":{"id":1,"default_branch":"main"}})";
const std::string kTag = "refs/tags/v1.2.3", kMain = "refs/heads/main", kPull = "refs/pull/7/merge";

INSTANTIATE_TEST_SUITE_P(
    Table, Events,
    ::testing::Values(
        EventCase{"pull request", "pull_request", kPull, kPullRequest, "src/a.py", "pull-request run fresh - - - - -"},
        EventCase{"pull request of documentation", "pull_request", kPull, kPullRequest, "README.md",
                  "none - - - - - - -"},
        EventCase{"tag push", "push", kTag, R"({"ref":"refs/tags/v1.2.3","after":"SHA"})", "src/a.py",
                  "release run - read - push latest -"},
        EventCase{"tag push, dependencies changed", "push", kTag, "{}", "pyproject.toml",
                  "release run - read write push latest -"},
        EventCase{"a file that only looks like a dependency", "push", kTag, "{}", "docs/pyproject.toml.md",
                  "release run - read - push latest -"},
        EventCase{"schedule", "schedule", kMain, "{}", "src/a.py", "schedule run fresh - write push - rebuild"},
        EventCase{"manual", "workflow_dispatch", kMain, R"({"inputs":{"REBUILD_BASE":"false"}})", "src/a.py",
                  "manual run - read - push - -"},
        EventCase{"manual, dependencies changed", "workflow_dispatch", kMain, R"({"inputs":null})", "setup.cfg",
                  "manual run - read write push - -"},
        EventCase{"manual with REBUILD_BASE", "workflow_dispatch", kMain, R"({"inputs":{"REBUILD_BASE":"true"}})",
                  "src/a.py", "manual run fresh - write push - rebuild"},
        EventCase{"branch push", "push", kMain, "{}", "src/a.py", "none - - - - - - -"},
        EventCase{"another tag", "push", "refs/tags/nightly", "{}", "src/a.py", "none - - - - - - -"},
        EventCase{"unknown event", "gollum", kMain, "{}", "src/a.py", "none - - - - - - -"},
        EventCase{"merge group", "merge_group", "refs/heads/gh-readonly-queue/main/x", "{}", "src/a.py",
                  "none - - - - - - -"},
        EventCase{"a push whose payload has a pull request (A04)", "push", kTag, kPullRequest, "src/a.py",
                  "pull-request run fresh - - - - -"},
        EventCase{"a schedule whose payload has a pull request (A04)", "schedule", kMain, kPullRequest, "src/a.py",
                  "pull-request run fresh - - - - -"},
        EventCase{"a dispatch whose payload has a pull request (A04)", "workflow_dispatch", kMain,
                  R"({"inputs":{"REBUILD_BASE":"true"},"pull_request":{}})", "src/a.py",
                  "pull-request run fresh - - - - -"},
        EventCase{"a pull request whose fork was deleted (A05)", "pull_request", kPull,
                  replace_all(kPullRequest, R"({"id":1}},"base")", R"(null},"base")"), "src/a.py",
                  "pull-request run fresh - - - - -"},
        EventCase{"a branch called v1.2.3 (A08)", "push", "refs/heads/v1.2.3", "{}", "src/a.py", "none - - - - - - -"},
        EventCase{"a branch called tags/v1.2.3 (A08)", "push", "refs/heads/tags/v1.2.3", "{}", "src/a.py",
                  "none - - - - - - -"},
        EventCase{"a branch called refs/tags/v1.2.3 (A08)", "push", "refs/heads/refs/tags/v1.2.3", "{}", "src/a.py",
                  "none - - - - - - -"},
        EventCase{"a dispatch on a branch called refs/tags/v1.2.3 (A08)", "workflow_dispatch",
                  "refs/heads/refs/tags/v1.2.3", "{}", "src/a.py", "manual run - read - push - -"},
        EventCase{"a dispatch on a pull request's ref", "workflow_dispatch", kPull, "{}", "src/a.py",
                  "pull-request run fresh - - - - -"}));

}  // namespace
}  // namespace crategate::stages
