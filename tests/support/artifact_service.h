// The artifact service and its block storage on loopback: strict, stateful, and faulty where a test says so.
// Belongs here: the protocol's other end.  Not here: what a client should do about a fault (the tests).
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "json/value.h"
#include "support/artifact_request.h"
#include "support/scripted_http_server.h"

namespace crategate::test {

/// What happens to one request instead of, or after, what it asks for.
struct Fault {
  enum class Kind : unsigned char {
    reset,         ///< the connection, within the request's body: nothing is done
    lost_answer,   ///< it is done, and the connection is reset
    status,        ///< nothing is done
    truncated,     ///< it is done, and the answer is cut
    wrong_length,  ///< it is done; a blob is shorter than promised, another answer longer than announced
    wrong_bytes,   ///< it is done, and a byte of the blob differs
    stall          ///< nothing is done, and nothing is answered
  };
  Kind kind = Kind::status;
  int status = 500;
  net::Headers headers = {};
  std::string body = {};
};

class ArtifactService {
 public:
  /// As a run's service is, or as the local runner act imitates it.
  enum class Rules : unsigned char { service, act };
  struct Stored {
    std::string name, run, job, mime_type, bytes, digest, created_at, expires_at;
    std::int64_t id = 0;
    bool finished = false;
    std::map<std::string, std::string> blocks;  ///< not yet in a list
  };

  explicit ArtifactService(Rules rules = Rules::service);
  net::Url url() const { return server_.url("/"); }
  Rules rules() const { return rules_; }
  /// What the next requests of that kind meet.
  void inject(Ask ask, Fault fault, int times = 1);
  /// An artifact that is there already; `finished` false = only its name is taken.
  void add(const std::string& name, const std::string& bytes, const std::string& job, bool finished = true);
  /// From here on every upload address that was handed out is refused.
  void expire_addresses();
  /// From here on the storage answers with whole blobs only.
  void ignore_ranges();

  std::vector<Stored> stored() const;
  std::vector<std::string> complaints() const;  ///< each request that a strict service does not take
  int count(Ask ask) const;                     ///< requests of that kind, failed ones too
  std::size_t most_at_a_time() const;           ///< blocks that were received at the same time
  int connections() const { return server_.connections(); }

 private:
  Reply answer(ReceivedRequest& request);
  Reply carry_out(Ask ask, ReceivedRequest& request);
  Reply call(Ask ask, const ReceivedRequest& request);
  Reply create(const json::Reader& request);
  Reply finalize(const json::Reader& request);
  Reply list(const json::Reader& request) const;
  Reply get_signed(const json::Reader& request);
  Reply remove(const json::Reader& request);
  Reply storage(Ask ask, ReceivedRequest& request);
  Reply put_block(Stored& artifact, ReceivedRequest& request);
  Reply put_block_list(Stored& artifact, const ReceivedRequest& request);
  Reply get_blob(const Stored& artifact, const ReceivedRequest& request) const;
  static std::string ending_of(const Stored& artifact) { return artifact.mime_type == "application/zip" ? ".zip" : ""; }
  std::string sign(const Stored& artifact, bool to_write);
  Stored* find(const std::string& run, const std::string& name);
  static Reply damaged(const Fault& fault, Ask ask, Reply reply);
  Reply complain(int status, const std::string& why);
  std::optional<Fault> take_fault(Ask ask, bool before_body);
  std::string field(std::string_view snake) const;

  const Rules rules_;
  mutable std::mutex mutex_;
  std::vector<Stored> stored_;
  std::map<std::string, std::pair<std::int64_t, bool>> addresses_;  ///< query → artifact, to write
  std::map<Ask, std::vector<std::pair<Fault, int>>> faults_;        ///< and how often still
  std::map<Ask, int> counts_;
  std::vector<std::string> complaints_;
  bool ranges_ = true;
  std::int64_t last_id_ = 41;
  std::size_t receiving_ = 0, most_ = 0;
  ScriptedHttpServer server_;
};

}  // namespace crategate::test
