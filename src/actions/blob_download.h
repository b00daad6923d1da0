// A blob on its way to a sink that cannot go back: cut transfers go on where they were cut, signed anew when expired.
// Belongs here: reading.  Not here: which artifact (service_artifact_store), what is in it.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "actions/artifact_store.h"
#include "actions/patience.h"
#include "base/sha256.h"
#include "net/http.h"

namespace crategate::actions {

using SignAddress = std::function<Result<net::Url>()>;

/// One use.
class BlobDownload {
 public:
  BlobDownload(net::HttpClient& http, Patience& patience, SignAddress sign, std::chrono::milliseconds silence)
      : http_(http), patience_(patience), sign_(std::move(sign)), silence_(silence) {}
  /// Checked against size and digest, where the artifact has them.
  /// Effects: network. Errors: integrity, artifact_service, what `sink` answers.
  Result<Downloaded> run(const Artifact& artifact, const net::BodySink& sink);
  /// The last `bytes`, unchecked.
  Result<std::string> tail(const Artifact& artifact, std::size_t bytes);

 private:
  /// Repeats `attempt` until its answer is complete.
  Result<void> repeat(const std::function<Result<net::Response>(const net::Url&)>& attempt, const std::string& what);
  Result<void> take_head(const Artifact& artifact, const net::Response& head);
  Result<void> take(const Artifact& artifact, std::string_view bytes, const net::BodySink& sink);
  Result<void> refuse(Error error);

  net::HttpClient& http_;
  Patience& patience_;
  SignAddress sign_;
  std::chrono::milliseconds silence_;
  Sha256 hash_;
  std::uint64_t received_ = 0, skip_ = 0;
  std::string etag_, type_;
  std::optional<Error> refused_;  ///< by the sink or by us: no other try changes it
};

}  // namespace crategate::actions
