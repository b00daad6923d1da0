// Artifacts in the service of GitHub Actions, for the run that this job belongs to.
// Belongs here: the order of calls, and what a name that is taken means.  Not here: JSON, blocks, ranges.
#pragma once

#include "actions/artifact_access.h"
#include "actions/artifact_messages.h"
#include "actions/artifact_store.h"
#include "actions/block_upload.h"
#include "actions/twirp_client.h"

namespace crategate::actions {

struct ServiceLimits {
  PatienceLimits patience;
  BlockOptions blocks;
  std::chrono::milliseconds silence{30'000};  ///< of the service, and while reading
};

class ServiceArtifactStore final : public ArtifactStore {
 public:
  /// `http` is used by several threads at a time.
  ServiceArtifactStore(net::HttpClient& http, sys::Clock& clock, ArtifactAccess access, ServiceLimits limits = {});
  ServiceArtifactStore(const ServiceArtifactStore&) = delete;
  ServiceArtifactStore& operator=(const ServiceArtifactStore&) = delete;
  Result<Artifact> upload(const Upload& upload) override;
  Result<std::vector<Artifact>> list(const std::optional<std::string>& name) override;
  Result<Downloaded> download(const Artifact& artifact, const net::BodySink& sink) override;
  Result<std::string> read_tail(const Artifact& artifact, std::size_t bytes) override;
  Result<bool> remove(const std::string& name) override;

 private:
  NewArtifact request_for(const Upload& upload) const;
  /// Creates the artifact, in place of what has its name where that gives way.
  Result<net::Url> reserve(const Upload& upload, bool again, Patience& patience);
  Result<void> make_room(const Upload& upload, bool may_be_ours, Patience& patience);
  Result<Artifact> send(const Upload& upload, const net::Url& address, Patience& patience, bool& may_start_again);
  Result<Artifact> finalize(const std::string& name, const Stored& stored, Patience& patience);
  Result<Artifact> find_finalized(const std::string& name, const Stored& stored, Error error, Patience& patience);
  /// What a failed upload left: `perhaps_ours` when nobody answered its creation, so that what is finished is older.
  enum class Left : unsigned char { ours, perhaps_ours };
  /// Removes it, best effort and in spite of a cancellation: its name would stay taken.
  void release(const std::string& name, Left left);

  Result<std::vector<Artifact>> list(const std::optional<std::string>& name, Patience& patience);
  Result<void> remove(const Artifact& artifact, Patience& patience);
  Result<net::Url> sign(const Artifact& artifact, Patience& patience);

  net::HttpClient& http_;
  sys::Clock& clock_;
  const ArtifactAccess access_;
  const ServiceLimits limits_;
  TwirpClient service_;
};

}  // namespace crategate::actions
