// Trivy as a program of this machine or as a container: its command line, and one run of it.
// Belongs here: how the scanner is started and what it is given.  Not here: what its report means (pipeline, scan).
#pragma once

#include <chrono>
#include <string>

#include "base/result.h"
#include "config/configuration.h"
#include "docker/engine.h"
#include "pipeline/scan.h"
#include "stages/project_command.h"

namespace crategate::stages {

// The scanner gets a folder with the saved image, and leaves its report there. It never gets the engine: what scans
// images of strangers should not be able to change them, and the archive is the same for every image store.
inline constexpr std::string_view kScanArchive = "in/image.tar", kScanIgnored = "in/.trivyignore",
                                  kScanReport = "out/report.json", kScannerCache = "scanner-cache";

/// What is scanned how.
struct ScannerRequest {
  const config::Scan& scan;
  const pipeline::ScanPolicy& policy;
  bool ignore_file = false;  ///< the project has a .trivyignore
};

/// `trivy image --input in/image.tar …`, to be run in the folder.
config::Argv scanner_command(const ScannerRequest& request);
/// That in a container of `scan.image`, `folder` and `cache` mounted. `environment`: what it may know of this one.
docker::ContainerSpec scanner_container(const ScannerRequest& request, const sys::Path& folder, const sys::Path& cache,
                                        const sys::Environment* environment);

/// The version of the program on the PATH.
/// Errors: not_found with how to install it, engine when it does not answer.
Result<std::string> find_scanner(const HostServices& svc);

/// Runs the program in `folder`.
/// Effects: process, network (its database).
Result<CommandResult> run_scanner_program(const ScannerRequest& request, const sys::Path& folder,
                                          OutputCollector& output, const HostServices& svc);
/// Runs the container; an image that the engine lacks is pulled.
Result<CommandResult> run_scanner_container(const ScannerRequest& request, const docker::ContainerSpec& spec,
                                            OutputCollector& output, docker::Engine& engine);

/// The failure of a scanner that did not end with 0.
Error scanner_failure(const CommandResult& result, const std::string& cell, std::chrono::milliseconds timeout,
                      const std::string& log);

}  // namespace crategate::stages
