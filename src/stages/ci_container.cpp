#include "stages/ci_container.h"

#include <utility>

#include "base/strings.h"

namespace crategate::stages {
namespace {

constexpr std::string_view kMountPoint = "/workspace";
constexpr std::string_view kHome = "HOME=/tmp";
constexpr std::string_view kLog = "logs/ci-image-gen.log";
/// The better shell, where there are two.
constexpr std::string_view kShell = "command -v bash >/dev/null 2>&1 && exec bash; exec sh";

}  // namespace

docker::ContainerSpec ci_container(const CiContainerInputs& in) {
  docker::ContainerSpec spec;
  spec.image = in.image;
  spec.env = {std::string(kHome)};
  spec.binds = {concat(in.workspace.root.string(), ":", kMountPoint)};
  spec.workdir = kMountPoint;
  spec.user = in.user;
  spec.labels = {{"io.crategate.stage", "ci-image"}};
  return spec;
}

Result<void> require_ci_generate(const config::Argv& generate) {
  if (!generate.empty()) return {};
  return fail(
      ErrorCode::bad_input, "ci-image.generate: expected the command that makes the files, found none",
      "Write it into the section ci-image of crategate.yml, for example `generate: [make, generated]`: what runs "
      "in the image, not a target that calls `crategate ci-image gen`.");
}

docker::ContainerSpec ci_generate_container(const CiContainerInputs& in) {
  auto spec = ci_container(in);
  set_command(spec, in.generate);
  return spec;
}

Result<CommandResult> run_ci_generate(const CiContainerInputs& in, docker::Engine& engine, sys::FileSystem& files,
                                      const Progress& progress) {
  CG_CHECK(require_ci_generate(in.generate));
  const auto spec = ci_generate_container(in);
  CG_CHECK(files.make_directories(in.workspace.state() / "logs"));
  CG_TRY(auto log, sys::LogFile::create(in.workspace.state(), sys::Path(kLog), kLogLimit));
  OutputCollector output(std::move(log), progress);
  CG_TRY(auto result, run_in_container(spec, std::chrono::milliseconds(0), output, engine));
  if (result.exit_code == 0 && !result.cancelled) return result;
  return fail(
      command_failure("ci-image gen", result, std::chrono::milliseconds(0), (in.workspace.state_name / kLog).string(),
                      concat("Look at it with `", in.shell, "`: ", describe_command(in.generate), " in ", in.image)));
}

sys::Command ci_shell(const CiContainerInputs& in, std::map<std::string, std::string> variables) {
  const auto spec = ci_container(in);
  sys::Command command{.program = "docker",
                       .arguments = {"run", "--rm", "--interactive", "--tty", "--init"},
                       .directory = in.workspace.root,
                       .environment = std::move(variables)};
  // Not --volume, for which a colon in the path is another field.
  command.arguments.push_back(concat(
      "--mount=type=bind,\"source=", replace_all(in.workspace.root.string(), "\"", "\"\""), "\",target=", kMountPoint));
  for (const auto& variable : spec.env) command.arguments.push_back(concat("--env=", variable));
  command.arguments.insert(command.arguments.end(), {concat("--workdir=", spec.workdir), concat("--user=", spec.user),
                                                     "--security-opt=no-new-privileges", "--entrypoint=/bin/sh",
                                                     spec.image, "-c", std::string(kShell)});
  return command;
}

}  // namespace crategate::stages
