// One question at a time for each set of scopes.
#include "registry/token_cache.h"

#include <algorithm>

namespace crategate::registry {

std::optional<Authorization> TokenCache::find(OfRegistry& of, const Scopes& scopes,
                                              const std::optional<Authorization>& refused) {
  const auto now = clock_.monotonic();
  std::erase_if(of.kept, [&](const Kept& kept) {
    return kept.grant.until <= now ||
           (refused && kept.scopes.cover(scopes) && refused->same_as(kept.grant.authorization));
  });
  const auto found = std::ranges::find_if(of.kept, [&](const Kept& kept) { return kept.scopes.cover(scopes); });
  return found == of.kept.end() ? std::nullopt : std::optional(found->grant.authorization);
}

void TokenCache::land(OfRegistry& of, const std::shared_ptr<Flight>& flight, const Result<Grant>& grant) {
  std::erase(of.flights, flight);
  if (!grant) {
    flight->result = fail(grant.error());
    return;
  }
  std::erase_if(of.kept, [&](const Kept& kept) { return flight->scopes.cover(kept.scopes); });
  of.kept.push_back({flight->scopes, *grant});
  flight->result = grant->authorization;
}

Result<Authorization> TokenCache::get(const std::string& registry, const Scopes& scopes,
                                      const std::optional<Authorization>& refused,
                                      const std::function<Result<Grant>()>& fetch) {
  std::unique_lock lock(mutex_);
  OfRegistry& of = registries_[registry];  // stays where it is: a map moves no node
  while (true) {
    if (auto known = find(of, scopes, refused)) return *std::move(known);
    const auto under_way =
        std::ranges::find_if(of.flights, [&](const auto& each) { return each->scopes.cover(scopes); });
    if (under_way == of.flights.end()) break;
    const std::shared_ptr<Flight> flight = *under_way;
    landed_.wait(lock, [&flight] { return flight->result.has_value(); });
    // One that was asked for before the refusal may bring what was refused.
    if (!refused || !*flight->result || !refused->same_as(**flight->result)) return *flight->result;
  }
  const auto flight = std::make_shared<Flight>(Flight{scopes, std::nullopt});
  of.flights.push_back(flight);
  lock.unlock();
  const Result<Grant> grant = fetch();
  lock.lock();
  land(of, flight, grant);
  landed_.notify_all();
  return *flight->result;
}

}  // namespace crategate::registry
