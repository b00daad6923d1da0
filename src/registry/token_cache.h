// Tokens that were granted, and those that are being asked for.
// Belongs here: who shares which token, and until when.  Not here: asking (token).
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "registry/authorization.h"
#include "registry/scopes.h"
#include "sys/clock.h"

namespace crategate::registry {

struct Grant {
  Authorization authorization;
  sys::Instant until;
};

/// Thread-safe. A token for more than what is wanted serves as well.
class TokenCache {
 public:
  explicit TokenCache(sys::Clock& clock) : clock_(clock) {}
  /// A token that has not ended and is not `refused`; else what `fetch` answers, which is called once for all who want
  /// the same at the same time: the others wait and share its token or error.
  Result<Authorization> get(const std::string& registry, const Scopes& scopes,
                            const std::optional<Authorization>& refused, const std::function<Result<Grant>()>& fetch);

 private:
  struct Kept {
    Scopes scopes;
    Grant grant;
  };
  struct Flight {
    Scopes scopes;
    std::optional<Result<Authorization>> result;
  };
  struct OfRegistry {
    std::vector<Kept> kept;
    std::vector<std::shared_ptr<Flight>> flights;
  };
  std::optional<Authorization> find(OfRegistry& of, const Scopes& scopes, const std::optional<Authorization>& refused);
  void land(OfRegistry& of, const std::shared_ptr<Flight>& flight, const Result<Grant>& grant);

  sys::Clock& clock_;
  std::mutex mutex_;
  std::condition_variable landed_;
  std::map<std::string, OfRegistry> registries_;
};

}  // namespace crategate::registry
