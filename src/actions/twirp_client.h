// Calls of the artifact service: the job's token, bounded repetition, refusals as errors.
// Belongs here: how a call gets its answer.  Not here: what is asked (artifact_messages), bytes (block_storage).
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "actions/artifact_access.h"
#include "actions/patience.h"
#include "net/http.h"

namespace crategate::actions {

struct Call {
  std::string_view method;
  std::string body;
  std::string subject;  ///< the artifact's name, for messages
  bool once = false;    ///< a failure is not worth another try
  bool ignore_cancellation = false;
};

struct CallAnswer {
  net::Response response;  ///< 200 with a JSON object, or a refusal that stays
  bool in_doubt = false;   ///< an earlier try may have been carried out: its answer is unknown
};

class TwirpClient {
 public:
  TwirpClient(net::HttpClient& http, const ArtifactAccess& access, std::chrono::milliseconds silence)
      : http_(http), access_(access), silence_(silence) {}
  /// Errors: artifact_service when no answer came in time, or one that cannot be read; integrity (TLS), interrupted.
  Result<CallAnswer> call(const Call& call, Patience& patience);
  /// The body of an answer that must be a success.
  /// Errors: also artifact_service for a refusal.
  Result<std::string> ask(const Call& call, Patience& patience);
  /// Whether the service answers anything at all.
  bool is_alive();

 private:
  net::Request request(const Call& call) const;
  net::HttpClient& http_;
  const ArtifactAccess& access_;
  std::chrono::milliseconds silence_;
};

/// The error for an answer that is no success, with what to do.
Error refusal(const Call& call, const net::Url& service, const net::Response& response);

}  // namespace crategate::actions
