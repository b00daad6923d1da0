// artifact: files of people and workflows, uploaded, downloaded and listed.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "actions/artifact_store.h"
#include "base/result.h"
#include "config/settings.h"
#include "pipeline/maker.h"
#include "sys/file_system.h"

namespace crategate::stages {

struct ArtifactInputs {
  const config::ArtifactRequest& request;
  const config::Artifacts& settings;
  sys::Path directory;     ///< that paths are relative to
  std::string leave_out;   ///< a path that is never uploaded: the store itself
  bool list_only = false;  ///< a dry run: everything is judged, nothing is moved
};

struct Fetched {
  std::string content_type;     ///< as served; empty = not told
  bool digest_checked = false;  ///< false: there was no digest to compare with
};

/// Where artifacts are: of this run in a store, of another one behind GitHub's API.
struct ArtifactSource {
  /// With that name, if it is not empty; newest first.
  std::function<Result<std::vector<actions::Artifact>>(const std::string& name)> list;
  std::function<Result<Fetched>(const actions::Artifact&, const net::BodySink&)> download;
};

struct UploadOutcome {
  bool uploaded = false;  ///< false: there was nothing, and that was allowed
  actions::Artifact artifact;
  std::size_t files = 0;
  std::uint64_t content = 0;  ///< bytes of the files
};

/// Effects: reads files below the directory; uploads one artifact.
/// Errors: bad_input (no name, no paths, no files unless allowed, files that cannot travel), artifact_service.
Result<UploadOutcome> run_artifact_upload(const ArtifactInputs& in, actions::ArtifactStore& store,
                                          const pipeline::Maker& maker);

struct DownloadedArtifact {
  actions::Artifact artifact;
  sys::Path folder;
  bool digest_checked = false;
  std::size_t files = 0;
  std::uint64_t content = 0;
};

/// The artifact of that name into the folder, an archive unpacked, a plain file under the artifact's name; of a pattern, or of no name at all, each into a folder of its name below
/// it, unless they are to be merged. Everything is checked before a file has its place.
/// Effects: network, writes below the folder (default: the directory).
/// Errors: not_found, bad_input (a file that is in the way), integrity, artifact_service.
Result<std::vector<DownloadedArtifact>> run_artifact_download(const ArtifactInputs& in, const ArtifactSource& source,
                                                              sys::FileSystem& files);

/// Of several with one name the newest; with the name or pattern that was asked for, newest first.
Result<std::vector<actions::Artifact>> find_artifacts(const config::ArtifactRequest& request,
                                                      const ArtifactSource& source);

}  // namespace crategate::stages
