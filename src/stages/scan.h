// scan: the freshly built image before its tests, by a scanner; the plan's threshold decides.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/configuration.h"
#include "docker/engine.h"
#include "pipeline/plan.h"
#include "pipeline/scan.h"
#include "stages/project_command.h"
#include "stages/workspace.h"

namespace crategate::stages {

struct ScanInputs {
  const config::Configuration& configuration;
  const pipeline::Plan& plan;
  const pipeline::Cell& cell;
  Workspace workspace;
};

struct ScanServices {
  sys::FileSystem& files;
  HostServices host;
  docker::Engine& engine;
  const Progress& progress;
};

struct Scanned {
  pipeline::ScanResult result;
  std::vector<pipeline::ScanFinding> findings;  ///< worst first
};

/// The scanner's command, as a person would type it; empty when the plan asks for no scan.
std::string describe_scan(const ScanInputs& in);

/// Whatever the scan finds is a result; nullopt: the plan asks for none (`not-scanned`). The cell's record is withdrawn
/// before: it speaks of another scan.
/// Effects: process or container, network; writes scans/<cell>.json, .report.json, .sarif and logs/scan-<cell>.log in the
/// state directory.
/// Errors: not_found (image, scanner), engine (a scanner that fails or takes too long), integrity (a report that is
/// missing, empty, unsound or of something else), no_space.
Result<std::optional<Scanned>> run_scan(const ScanInputs& in, const ScanServices& svc);

/// Success, or scan_policy with the worst finding; `repeat` is the local command that shows them all.
Result<void> require_tolerable(const Scanned& scanned, const pipeline::Cell& cell, const std::string& repeat);

}  // namespace crategate::stages
