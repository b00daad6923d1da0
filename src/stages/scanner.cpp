#include "stages/scanner.h"

#include <utility>

#include "base/strings.h"
#include "sys/cancel.h"

namespace crategate::stages {
namespace {

constexpr std::string_view kProgram = "trivy";
constexpr std::string_view kMountPoint = "/scan", kCacheMountPoint = "/scan/cache";
constexpr std::chrono::milliseconds kVersionTimeout{30'000};
constexpr std::chrono::seconds kMore{60};  // our own time limit comes first
constexpr std::string_view kInstall =
    "Set `scan.image` to Trivy's image by digest, which is the way inside the action; or install it, for example `brew "
    "install trivy`, or apt-get from its own repository (https://trivy.dev/latest/getting-started/installation/).";

/// Where the scanner finds its database; nothing that decides what it finds.
const std::vector<std::string>& known_variables() {
  static const std::vector<std::string> names = {
      "TRIVY_CACHE_DIR",      "TRIVY_DB_REPOSITORY",       "TRIVY_JAVA_DB_REPOSITORY",
      "TRIVY_SKIP_DB_UPDATE", "TRIVY_SKIP_JAVA_DB_UPDATE", "TRIVY_OFFLINE_SCAN",
      "XDG_CACHE_HOME"};
  return names;
}

/// As variables, because versions that do not know them pass them over; an unknown option they refuse.
const std::map<std::string, std::string>& fixed_variables() {
  static const std::map<std::string, std::string> variables = {{"TRIVY_SKIP_VERSION_CHECK", "true"},
                                                               {"TRIVY_DISABLE_TELEMETRY", "true"}};
  return variables;
}

std::map<std::string, std::string> scanner_environment(const sys::Environment& environment) {
  auto variables = sys::child_environment(environment, known_variables());
  for (const auto& [name, value] : fixed_variables()) variables[name] = value;
  return variables;
}

bool crosses_into_container(std::string_view name) {
  if (name == "TRIVY_CACHE_DIR") return false;  // a folder of this machine
  return name.starts_with("TRIVY_") || to_lower(name).ends_with("_proxy");
}

std::string version_in(std::string_view text) {
  constexpr std::string_view kLabel = "Version:";
  for (const auto& line : split(text, '\n')) {
    if (line.starts_with(kLabel)) return neutralise(trim(std::string_view(line).substr(kLabel.size())));
  }
  return {};
}

}  // namespace

config::Argv scanner_command(const ScannerRequest& request) {
  const auto limit = std::chrono::duration_cast<std::chrono::seconds>(request.scan.timeout) + kMore;
  config::Argv argv = {std::string(kProgram),
                       "image",
                       "--input",
                       std::string(kScanArchive),
                       "--format",
                       "json",
                       "--output",
                       std::string(kScanReport),
                       "--scanners",
                       "vuln,secret",
                       "--severity",
                       "UNKNOWN,LOW,MEDIUM,HIGH,CRITICAL",
                       "--exit-code",
                       "0",
                       "--no-progress",
                       "--timeout",
                       concat(limit.count(), "s")};
  if (request.policy.ignore_unfixed) argv.emplace_back("--ignore-unfixed");
  if (request.ignore_file) argv.insert(argv.end(), {"--ignorefile", std::string(kScanIgnored)});
  return argv;
}

docker::ContainerSpec scanner_container(const ScannerRequest& request, const sys::Path& folder, const sys::Path& cache,
                                        const sys::Environment* environment) {
  docker::ContainerSpec spec;
  spec.image = request.scan.image;
  auto command = scanner_command(request);
  command.insert(command.end(), {"--cache-dir", std::string(kCacheMountPoint)});
  set_command(spec, command);
  spec.binds = {concat((folder / "in").string(), ":", kMountPoint, "/in:ro"),
                concat((folder / "out").string(), ":", kMountPoint, "/out"),
                concat(cache.string(), ":", kCacheMountPoint)};
  spec.workdir = kMountPoint;
  spec.labels = {{"io.crategate.stage", "scan"}};
  const auto variables = environment == nullptr ? fixed_variables() : scanner_environment(*environment);
  for (const auto& [name, value] : variables) {
    if (crosses_into_container(name)) spec.env.push_back(concat(name, "=", value));
  }
  return spec;
}

Result<std::string> find_scanner(const HostServices& svc) {
  const sys::Command command{.program = std::string(kProgram),
                             .arguments = {"--version"},
                             .directory = {},
                             .environment = scanner_environment(svc.environment),
                             .input = {}};
  auto outcome = svc.processes.run(command, {.timeout = kVersionTimeout});
  if (!outcome && outcome.error().code == ErrorCode::not_found)
    return fail(ErrorCode::not_found, "scan: expected the program trivy on the PATH, found none",
                std::string(kInstall));
  if (!outcome) return fail(std::move(outcome).error());
  if (outcome->cancelled) CG_CHECK(sys::check_cancelled());
  std::string version = version_in(outcome->out);
  if (outcome->exit_code == 0 && !version.empty()) return version;
  return fail(ErrorCode::engine,
              concat("scan: expected `trivy --version` to say its version, found ",
                     outcome->timed_out ? std::string("no end") : concat("exit ", outcome->exit_code)),
              std::string(kInstall));
}

Result<CommandResult> run_scanner_program(const ScannerRequest& request, const sys::Path& folder,
                                          OutputCollector& output, const HostServices& svc) {
  auto argv = scanner_command(request);
  const sys::Command command{.program = argv.front(),
                             .arguments = {argv.begin() + 1, argv.end()},
                             .directory = folder,
                             .environment = scanner_environment(svc.environment),
                             .input = {}};
  CommandResult result;
  CG_CHECK(run_collecting(command, request.scan.timeout, output, svc.processes, result));
  CG_CHECK(output.finish(result));
  return result;
}

Result<CommandResult> run_scanner_container(const ScannerRequest& request, const docker::ContainerSpec& spec,
                                            OutputCollector& output, docker::Engine& engine) {
  CG_CHECK(provide_image(spec.image, engine));
  return run_in_container(spec, request.scan.timeout, output, engine);
}

Error scanner_failure(const CommandResult& result, const std::string& cell, std::chrono::milliseconds timeout,
                      const std::string& log) {
  Error error = command_failure(concat("scan of cell ", cell), result, timeout, log,
                                concat("Read ", log,
                                       "; a database that cannot be fetched is the most frequent cause: "
                                       "run it again, or set TRIVY_DB_REPOSITORY to a mirror."));
  if (result.cancelled) return error;
  error.code = ErrorCode::engine;  // no test failed, and no policy was broken: a tool did not do its work
  if (result.timed_out) error.hint = "Give it more with scan.timeout, or find out what takes so long.";
  return error;
}

}  // namespace crategate::stages
