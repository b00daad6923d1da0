// A registry on loopback that takes no liberty: all of OCI distribution 1.1 in memory, refusing what no client should
// send, different where a quirk says so, faulty where a fault is injected.
// Belongs here: the parts put together.  Not here: what a client should do about it (the tests).
#pragma once

#include <deque>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "support/strict_registry_login.h"
#include "support/strict_registry_server.h"
#include "support/strict_registry_store.h"
#include "sys/clock.h"

namespace crategate::test {

/// What happens to one request instead of, or after, what it asks for.
struct RegistryFault {
  enum class Kind : unsigned char {
    refused,             ///< the connection ends, and new ones are refused until `recover`
    reset_before,        ///< the connection is reset within the request: nothing is done
    cut,                 ///< half of an upload's body arrives and stays; the connection is reset
    reset_after,         ///< it is done, and the connection is reset
    stall,               ///< nothing is done, and nothing is answered
    status,              ///< nothing is done
    truncated,           ///< it is done, and the answer is cut
    wrong_digest,        ///< it is done; the content of the answer, or the digest it names, is another
    wrong_type,          ///< it is done; the answer says that it is a page
    duplicate,           ///< it is done, and answered twice
    slow,                ///< it is done; the answer drips
    redirect_elsewhere,  ///< nothing is done
    redirect_loop,       ///< nothing is done
    no_effect            ///< answered as if it were done
  };
  Kind kind = Kind::status;
  int status = 500;
  net::Headers headers = {};
  std::string body = {};
};

class StrictRegistry {
 public:
  struct Options {
    RegistryAuth auth = RegistryAuth::none;
    StrictRules rules = {};
    bool anonymous_pull = false;
    bool token_elsewhere = false;  ///< the token server has a port of its own
    std::int64_t token_lifetime = 300;
    const sys::Clock* clock = nullptr;  ///< of tokens; must be safe to read from other threads
  };
  enum class Place : unsigned char { registry, token_server, storage, elsewhere };
  struct Logged {
    Place place = Place::registry;
    RequestKind kind = RequestKind::unknown;
    std::string method, target, host;
    bool had_authorization = false;
    int status = 0;  ///< 0 = none was sent
  };

  StrictRegistry() : StrictRegistry(Options{}) {}
  explicit StrictRegistry(Options options);
  StrictRegistry(const StrictRegistry&) = delete;
  StrictRegistry& operator=(const StrictRegistry&) = delete;
  /// Each complaint that nobody took fails the test.
  ~StrictRegistry();

  std::string host() const { return registry_.host(); }
  std::string storage_host() const { return storage_.host(); }
  std::string add_blob(const std::string& repository, std::string bytes);
  /// An empty tag = by digest only.
  std::string add_manifest(const std::string& repository, const std::string& tag, const std::string& bytes,
                           const std::string& media_type);
  /// What the next requests of that kind meet, after `skip` of them. Where a login is asked, requests without one meet
  /// its challenge alone.
  void inject(RequestKind kind, RegistryFault fault, int times = 1, int skip = 0);
  void clear_faults();
  void recover() { registry_.open_port(); }
  void revoke_tokens();
  void change_password(const std::string& password);

  int count(RequestKind kind) const;
  int requests() const;  ///< of all kinds, at all places
  int connections() const { return registry_.connections(); }
  std::vector<Logged> log() const;
  void clear_log();
  std::vector<std::string> scopes() const;  ///< that tokens were asked for, each time
  /// Requests that no client should have made, and credentials where none belongs. Taking them forgives them.
  std::vector<std::string> take_complaints();
  std::map<std::string, StrictStore::Repository> content() const;
  std::size_t open_uploads() const;

 private:
  struct Injected {
    RegistryFault fault;
    int times = 1, skip = 0;
  };
  StrictServer::Handler handler(Place place);
  std::optional<Delivery> before_body(Place place, const ReceivedRequest& request);
  Delivery answer(Place place, ReceivedRequest& request);
  Delivery faulty(Place place, const RegistryFault& fault, const StrictRequest& asked, ReceivedRequest& request);
  Reply carry_out(Place place, const StrictRequest& asked, ReceivedRequest& request);
  Reply at_registry(const StrictRequest& asked, ReceivedRequest& request);
  void inspect(Place place, const StrictRequest& asked, const ReceivedRequest& request);
  bool may_fail(Place place, const StrictRequest& asked, const ReceivedRequest& request) const;
  /// `before_body`: only those faults that happen there.
  std::optional<RegistryFault> take_fault(RequestKind kind, bool before_body);
  void complain(std::string text);
  const StrictServer& server(Place place) const;

  mutable std::mutex mutex_;
  mutable std::mutex complaints_mutex_;
  std::vector<std::string> complaints_;
  Options options_;
  StrictStore store_;
  StrictLogin login_;
  std::map<RequestKind, std::deque<Injected>> faults_;
  std::map<RequestKind, int> counts_;
  std::deque<Logged> log_;
  // Last, so that nobody asks what is gone.
  StrictServer elsewhere_, storage_, tokens_, registry_;
};

}  // namespace crategate::test
