// What is already proven: the inputs of a cell, hashed, beside its record. `run` resumes from it.
// Belongs here: when earlier evidence still speaks of today's inputs.  Not here: whether the image may be published
// (the gate).
#pragma once

#include <string>

#include "base/result.h"
#include "config/configuration.h"
#include "git/repository.h"
#include "pipeline/plan.h"
#include "pipeline/record.h"
#include "registry/client.h"
#include "stages/workspace.h"
#include "sys/file_system.h"

namespace crategate::app {

/// Everything that a build or a test reads: the plan, the settings in force, every source file (tracked, or untracked
/// and not ignored; without git every file; with its executable bit), less what crategate itself writes: its state, logs,
/// Dockerfiles unless they are kept by hand, and `images`, the directory of an OCI layout (empty = none).
/// Effects: reads the workspace, process(git).
Result<std::string> hash_inputs(const pipeline::Plan& plan, const config::Generate& generate,
                                const std::string& settings, const stages::Workspace& workspace,
                                const sys::Path& images, const sys::FileSystem& files, git::Repository& repository);

/// The cell's record if its tests passed for exactly these inputs, its candidate is still where it was stored, the text
/// value still beside it, and `key`, unless it is empty, the one that it was signed with.
/// nullopt: it has to be built and tested (again).
/// Errors: registry errors.
Result<std::optional<pipeline::Record>> find_proof(const pipeline::Plan& plan, const pipeline::Cell& cell,
                                                   const std::string& inputs, const Secret& key,
                                                   const stages::Workspace& workspace, const sys::FileSystem& files,
                                                   registry::RegistryReader& reader);
Result<void> save_proof(const pipeline::Cell& cell, const std::string& inputs, const stages::Workspace& workspace,
                        sys::FileSystem& files);

/// The static checks of these inputs have passed before.
Result<bool> checks_proven(const std::string& inputs, const stages::Workspace& workspace, const sys::FileSystem& files);
Result<void> save_checks(const std::string& inputs, const stages::Workspace& workspace, sys::FileSystem& files);

}  // namespace crategate::app
