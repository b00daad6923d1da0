// check: run the configured command and insist on exit 0.
// Belongs here: where checks run.  Not here: how a command is run (project_command).
#include "stages/check.h"

#include "base/strings.h"

namespace crategate::stages {
namespace {

constexpr std::string_view kMountPoint = "/work";

docker::ContainerSpec container(const CheckInputs& in) {
  docker::ContainerSpec spec;
  spec.image = in.check.image;
  set_command(spec, container_command(in.check.setup, in.check.run));
  spec.binds = {concat(in.workspace.root.string(), ":", kMountPoint)};
  spec.workdir = kMountPoint;
  spec.labels = {{"io.crategate.stage", "check"}};
  return spec;
}

Result<void> require_place(const CheckInputs& in) {
  if (!in.check.image.empty() || !in.in_action) return {};
  return fail(ErrorCode::bad_input, "check.image: expected an image to run the checks in, found none",
              "Inside the action there is no host to run on: set check.image, e.g. crategate/check-py3.11.");
}

}  // namespace

Result<std::vector<std::string>> describe_check(const CheckInputs& in) {
  CG_CHECK(require_place(in));
  if (!in.check.image.empty()) return std::vector<std::string>{describe_container(container(in))};
  std::vector<std::string> commands;
  if (!in.check.setup.empty()) commands.push_back(describe_command(in.check.setup));
  commands.push_back(describe_command(in.check.run));
  return commands;
}

Result<CommandResult> run_check(const CheckInputs& in, const CommandServices& svc) {
  CG_CHECK(require_place(in));
  const sys::Path log_name = "logs/check.log";
  CG_CHECK(svc.files.make_directories(in.workspace.state() / "logs"));
  CG_TRY(auto log, sys::LogFile::create(in.workspace.state(), log_name, kLogLimit));
  OutputCollector output(std::move(log), svc.progress);
  Result<CommandResult> ran = fail(ErrorCode::internal, "check did not run");
  if (in.check.image.empty()) {
    ran = run_on_host(in.check.setup, in.check.run, in.workspace.root, in.check.timeout, output, svc.host);
  } else {
    CG_TRY(docker::Engine* const engine, svc.engine());
    CG_CHECK(provide_image(in.check.image, *engine));
    ran = run_in_container(container(in), in.check.timeout, output, *engine);
  }
  CG_TRY(auto result, std::move(ran));
  if (result.exit_code == 0 && !result.timed_out && !result.cancelled) return result;
  return fail(command_failure("static checks", result, in.check.timeout, (in.workspace.state_name / log_name).string(),
                              concat("Run `crategate check` (", describe_command(in.check.run),
                                     ") and mend what it reports; nothing was built.")));
}

}  // namespace crategate::stages
