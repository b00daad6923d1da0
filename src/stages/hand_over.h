// What the jobs of a run hand to each other and to people: which files make up which artifact, given and taken.
// Belongs here: the table of artifacts, and the two verbs.  Not here: archives (artifact_archive), what files mean.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "actions/artifact_store.h"
#include "base/result.h"
#include "config/configuration.h"
#include "oci/digest.h"
#include "pipeline/maker.h"
#include "pipeline/plan.h"
#include "stages/workspace.h"
#include "sys/file_system.h"

namespace crategate::stages {

/// A file and its name in the archive.
struct Piece {
  std::string member;
  sys::Path root, file;  ///< `file` is below `root`, and no link is followed on the way
};

struct Bundle {
  std::string name;  ///< of the artifact; it carries no attempt
  std::vector<Piece> pieces;
  bool grows = false;                ///< a later job of the same attempt replaces it with one that says more
  std::uint64_t largest = 4u << 20;  ///< bytes of one piece; evidence is small
  bool only_given = false;  ///< what nobody gave in this run does not count, whatever lies there from another one
};

/// The table of docs/artifacts.md.
Bundle plan_bundle(const Workspace& workspace);
Bundle dockerfiles_bundle(const Workspace& workspace, const pipeline::Plan& plan);
Bundle test_log_bundle(const Workspace& workspace, const pipeline::Cell& cell);
Bundle sarif_bundle(const Workspace& workspace, const pipeline::Cell& cell);
Bundle digest_bundle(const Workspace& workspace, const pipeline::Cell& cell);
Bundle rebuilds_bundle(const Workspace& workspace, const pipeline::Plan& plan);
Bundle moves_bundle(const Workspace& workspace);
Bundle report_bundle(const Workspace& workspace);
Bundle regen_bundle(const Workspace& workspace, const config::Regen& settings);

/// Artifact → what its bundle must hold; others may hold anything.
using ExpectedBundles = std::map<std::string, oci::Digest>;

struct HandOverServices {
  actions::ArtifactStore& store;
  sys::FileSystem& files;
  pipeline::Maker maker;
  config::Artifacts settings;
  ExpectedBundles expected = {};
};

/// `NAME=sha256:…` items. Errors: bad_input.
Result<ExpectedBundles> parse_expected(const std::vector<std::string>& items);

/// Of the names and bytes of the files that `give` uploads, whatever archive they are in; nullopt = there are none.
Result<std::optional<oci::Digest>> digest_of(const Bundle& bundle, const sys::FileSystem& files);

/// Uploads the files of a bundle that exist and are not empty; false = none did.
/// Errors: those of upload_archive.
Result<bool> give(const Bundle& bundle, const HandOverServices& svc);

/// Downloads bundles, side by side, and writes exactly their pieces, in place of what is there; other members of an
/// archive are left alone (A63). A bundle that nobody has given, or a piece that it lacks, leaves its files as they are;
/// those of a bundle `only_given` are emptied, which reads as absent.
/// Errors: artifact_service, integrity (an archive that is not sound, or larger than evidence can be; a bundle that holds
/// something else than is expected of it: then nothing of it is written).
Result<void> take(const std::vector<Bundle>& bundles, const HandOverServices& svc);

/// What an earlier attempt gave under that name is removed, because it is about to be made anew.
/// Errors: artifact_service; also when a job of this attempt gave it.
Result<void> withdraw(const Bundle& bundle, const HandOverServices& svc);

}  // namespace crategate::stages
