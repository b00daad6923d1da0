// The transfer of one archive from the storage that GitHub names.
// Belongs here: going on after a cut, and what must be right at the end.  Not here: the question where it is (session).
#pragma once

#include <optional>
#include <string>

#include "base/sha256.h"
#include "github/session.h"

namespace crategate::github {

class ArchiveTransfer {
 public:
  /// `query` asks for the address; `artifact` and `sink` as in `GitHubClient::artifact_archive`.
  ArchiveTransfer(Session& session, Query query, const RunArtifact& artifact, const net::BodySink& sink)
      : session_(session), query_(std::move(query)), artifact_(artifact), sink_(sink), deadline_(session.deadline()) {}
  Result<Downloaded> run();

 private:
  enum class Progress : unsigned char { complete, more };
  /// One address, used as long as it works.
  Result<void> transfer(const net::Url& url);
  Result<void> take_all(const net::Url& url);
  Result<Progress> take_piece(const net::Url& url);
  Result<Progress> accept_piece(const Answer& answer);
  Result<void> take(std::string_view bytes);
  Failure storage_failure(const Answer& answer);
  Failure wrong(std::string_view what, std::string_view expected, std::string_view found) const;
  Result<Downloaded> finish();

  Session& session_;
  Query query_;
  const RunArtifact& artifact_;
  const net::BodySink& sink_;
  net::Deadline deadline_;
  Sha256 hash_;
  std::uint64_t received_ = 0;
  bool final_ = false;  ///< the error at hand is none that another try could mend
  std::string content_type_, retry_after_;
};

}  // namespace crategate::github
