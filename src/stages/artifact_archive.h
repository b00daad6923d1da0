// Artifacts of ours: archives with a marker of who made them, in whatever store there is.
// Belongs here: archive and store put together.  Not here: which files an artifact has (hand_over, artifact).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "actions/artifact_store.h"
#include "base/result.h"
#include "pipeline/maker.h"
#include "sys/file_system.h"
#include "zip/member.h"

namespace crategate::stages {

struct ArchiveUpload {
  std::string name;
  std::vector<zip::Member> members;
  int compression_level = 6;
  int retention_days = 0;  ///< 0 = as the service does
  bool overwrite = false;
  bool repeatable = false;  ///< the very same archive, its maker included, may be there already
  std::string taken_hint;   ///< what to do when the name is taken
};

struct UploadedArchive {
  actions::Artifact artifact;
  std::size_t members = 0;
  std::uint64_t content = 0;  ///< bytes before compression
};

/// One artifact, whole or not at all. Of the same name, only one of an earlier attempt of this run is replaced, unless
/// `overwrite` (pipeline/maker).
/// Errors: bad_input (name, a file that cannot be read), artifact_service.
Result<UploadedArchive> upload_archive(const ArchiveUpload& upload, actions::ArtifactStore& store,
                                       const pipeline::Maker& maker);

/// Fails unless `maker` may replace what has a name (pipeline/maker).
/// Errors: artifact_service.
Result<void> require_replaceable(const actions::Artifact& existing, actions::ArtifactStore& store,
                                 const pipeline::Maker& maker, std::string_view hint);

/// An archive as a file of this machine, gone with the object.
class LocalArchive {
 public:
  /// `download` streams the bytes and checks them; more than `limit` bytes are refused.
  /// Effects: writes a temporary folder below `parent` (empty = the system's).
  /// Errors: integrity, no_space, those of `download`.
  static Result<LocalArchive> fetch(const std::function<Result<void>(const net::BodySink&)>& download,
                                    std::uint64_t limit, sys::FileSystem& files, const sys::Path& parent = {});
  const sys::Path& path() const { return path_; }

 private:
  explicit LocalArchive(sys::TemporaryDirectory directory, sys::Path path)
      : directory_(std::move(directory)), path_(std::move(path)) {}
  sys::TemporaryDirectory directory_;
  sys::Path path_;
};

}  // namespace crategate::stages
