// The role of a store for artifacts, and the rules that every store keeps (docs/artifacts.md).
// Belongs here: what a store promises.  Not here: archives; how bytes travel (service_artifact_store, folder_…).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/http.h"

namespace crategate::actions {

inline constexpr std::size_t kLongestArtifactName = 240;

struct Artifact {
  std::string name;
  std::int64_t id = 0;                ///< 0: the name is taken, but nothing finished has it
  std::optional<std::uint64_t> size;  ///< nullopt: the service does not know
  std::string digest;                 ///< "sha256:<64 hex>"; empty: the service does not know
  std::string created_at;             ///< RFC 3339; may be empty
  std::string run_backend_id, job_backend_id;
  bool operator==(const Artifact&) const = default;
};

/// Pushes all bytes of the content. May be called again from the start; then the bytes may be others.
/// Errors: its own, and whatever the sink answers.
using Producer = std::function<Result<void>(const net::BodySink&)>;

struct Upload {
  std::string name;
  Producer content;
  std::optional<unsigned> retention_days;  ///< never more than the service allows
  bool overwrite = false;
  /// Asked for each artifact that has the name already, unless `overwrite`: true = it is removed and replaced.
  std::function<Result<bool>(const Artifact& existing)> may_replace;
  std::string mime_type;  ///< empty = application/zip; sent where the service accepts it
};

struct Downloaded {
  std::uint64_t size = 0;
  std::string digest;           ///< of the bytes that were received
  bool digest_checked = false;  ///< false: the store has no digest to compare with
  std::string content_type;     ///< as served; may be empty
};

class ArtifactStore {
 public:
  virtual ~ArtifactStore() = default;
  /// All or nothing: size and digest are those of the bytes that were stored.
  /// Errors: bad_input (name), artifact_service (refused, taken name), what `content` and `may_replace` answer.
  virtual Result<Artifact> upload(const Upload& upload) = 0;
  /// Of this run, the newest (highest id) first; with that very name, if one is given.
  virtual Result<std::vector<Artifact>> list(const std::optional<std::string>& name) = 0;
  /// Streams; `sink` sees each byte once, and after an error has seen bytes that must not be used.
  /// Errors: integrity (size or digest differ), artifact_service, what `sink` answers.
  virtual Result<Downloaded> download(const Artifact& artifact, const net::BodySink& sink) = 0;
  /// The last bytes, all of them if there are fewer. Not checked against the digest: for a hint, never for evidence.
  virtual Result<std::string> read_tail(const Artifact& artifact, std::size_t bytes) = 0;
  /// Every artifact of that name; false = there was none.
  virtual Result<bool> remove(const std::string& name) = 0;
};

/// What the service and the official client refuse, and what is longer than any file system takes.
/// Errors: bad_input, naming the character.
Result<void> check_artifact_name(std::string_view name);

/// Whether the artifacts that have the name give way.
/// Errors: artifact_service when not, naming both jobs; what `may_replace` answers.
Result<void> check_replacing(const Upload& upload, const std::vector<Artifact>& existing, std::string_view own_job);

/// Size and digest against what the store promised.
/// Errors: integrity.
Result<Downloaded> check_received(const Artifact& artifact, Downloaded received);

/// Highest id first.
void sort_newest_first(std::vector<Artifact>& artifacts);

}  // namespace crategate::actions
