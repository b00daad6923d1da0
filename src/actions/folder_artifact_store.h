// Artifacts in a folder of the project, for runs without a service: each is a directory that appears whole.
// Belongs here: the same promises with files.  Not here: where the folder is (stages).
#pragma once

#include "actions/artifact_access.h"
#include "actions/artifact_store.h"
#include "sys/clock.h"
#include "sys/file_system.h"

namespace crategate::actions {

/// `<folder>/<name>/content` and `entry.json`; a leading dot and every `%` of the name are written as `%2E` and `%25`.
class FolderArtifactStore final : public ArtifactStore {
 public:
  /// `folder` is below `root`, and no symbolic link is followed from there on. `ids` stand in what this run uploads.
  FolderArtifactStore(sys::FileSystem& files, sys::Clock& clock, sys::Path root, sys::Path folder, BackendIds ids)
      : files_(files), clock_(clock), root_(std::move(root)), folder_(std::move(folder)), ids_(std::move(ids)) {}
  Result<Artifact> upload(const Upload& upload) override;
  Result<std::vector<Artifact>> list(const std::optional<std::string>& name) override;
  Result<Downloaded> download(const Artifact& artifact, const net::BodySink& sink) override;
  Result<std::string> read_tail(const Artifact& artifact, std::size_t bytes) override;
  Result<bool> remove(const std::string& name) override;

 private:
  Result<std::optional<Artifact>> find(const std::string& entry) const;
  Result<Artifact> stage(const Upload& upload, const std::string& staging);
  Result<void> publish(const Upload& upload, const std::string& staging);
  Result<bool> move_away(const std::string& entry);

  sys::FileSystem& files_;
  sys::Clock& clock_;
  const sys::Path root_, folder_;
  const BackendIds ids_;
};

}  // namespace crategate::actions
