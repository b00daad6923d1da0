// A small project in a directory of the test's own, for the tests of this folder.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/strings.h"
#include "git/repository.h"
#include "stages/plan.h"
#include "stages/workspace.h"
#include "support/fakes.h"
#include "support/test_directory.h"
#include "unit/pipeline/sample.h"

namespace crategate::stages::sample {

/// VERSION, PYTHON_VERSIONS (two) and two runtimes; a git repository once `init` was called.
class Project {
 public:
  Project() {
    write("VERSION", "v1.2.3\n");
    write("PYTHON_VERSIONS", "3.11\n3.13\n");
  }
  void write(const sys::Path& name, std::string_view bytes) const { directory.write(sys::Path("work") / name, bytes); }
  std::string read(const sys::Path& name) const { return directory.read(sys::Path("work") / name); }
  bool exists(const sys::Path& name) const { return directory.exists(sys::Path("work") / name); }
  sys::Path operator/(const sys::Path& name) const { return workspace.root / name; }
  void link(const sys::Path& target, const sys::Path& name) const {
    std::filesystem::create_directories((*this / name).parent_path());
    std::filesystem::remove_all(*this / name);
    std::filesystem::create_symlink(target, *this / name);
  }

  /// Runs git as a person would.
  std::string git(const std::vector<std::string>& arguments) {
    sys::Command command{.program = "git",
                         .arguments = {"-C", workspace.root.string(), "-c", "user.name=T", "-c",
                                       "user.email=t@example.org", "-c", "init.defaultBranch=main"},
                         .environment = {{"PATH", "/usr/bin:/bin"}, {"GIT_CONFIG_GLOBAL", "/dev/null"}}};
    command.arguments.insert(command.arguments.end(), arguments.begin(), arguments.end());
    const auto outcome = processes.run(command, {}).value();
    EXPECT_EQ(outcome.exit_code, 0) << command.text() << "\n" << outcome.err;
    return std::string(trim(outcome.out));
  }
  std::string commit(const std::string& message) {
    git({"add", "-A"});
    git({"commit", "-q", "--allow-empty", "-m", message});
    return git({"rev-parse", "HEAD"});
  }
  /// Two commits on main. Returns the second.
  std::string init() {
    git({"init", "-q"});
    commit("first");
    return commit("second");
  }

  PlanInputs plan_inputs() const { return {configuration, invocation, workspace, destination}; }
  PlanServices plan_services() { return {files, environment, processes, repository}; }
  Result<pipeline::Plan> plan() { return make_plan(plan_inputs(), plan_services()); }

  test::TestDirectory directory;
  Workspace workspace{.root = std::filesystem::canonical(directory.path()) / "work"};
  test::FakeEnvironment environment{{{"PATH", "/usr/bin:/bin"}}};
  sys::PosixFileSystem files;
  sys::PosixProcessRunner processes;
  git::GitProgram repository{processes, environment, workspace.root};
  config::Configuration configuration = pipeline::sample::configuration();
  config::Invocation invocation;
  pipeline::Destination destination;
};

/// A plan without a repository: a release of v1.2.3 into a layout.
inline pipeline::Plan release_plan(const config::Configuration& configuration,
                                   std::vector<std::string> pythons = {"3.11", "3.13"}) {
  auto facts = pipeline::sample::facts(std::move(pythons));
  facts.destination.layout = true;
  return pipeline::compute_plan(facts, configuration).value();
}

}  // namespace crategate::stages::sample
