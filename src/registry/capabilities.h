// What registries of the same protocol do differently, learned from their answers.
// Belongs here: the list, and what each registry was seen to lack.  Not here: the fallbacks (read, upload, referrers).
#pragma once

#include <cstdint>
#include <mutex>
#include <set>
#include <string>
#include <utility>

namespace crategate::registry {

/// Parts of the protocol that registries leave out; docs/registries.md says how each shows and what is done instead.
enum class Capability : std::uint8_t {
  manifest_head,  ///< HEAD of a manifest with Docker-Content-Digest; else GET
  mount,          ///< POST ?mount=; else an upload
  whole_upload,   ///< one PUT of any size; else chunks by PATCH
  upload_status,  ///< GET of an upload; else it begins anew
  ranges,         ///< GET of a part of a blob; else from its beginning
  referrers,      ///< the referrers API; else its fallback tag
};

/// Thread-safe.
class Capabilities {
 public:
  bool has(const std::string& registry, Capability capability) const {
    const std::lock_guard lock(mutex_);
    return !lacking_.contains({registry, capability});
  }
  void lacks(const std::string& registry, Capability capability) {
    const std::lock_guard lock(mutex_);
    lacking_.insert({registry, capability});
  }

 private:
  mutable std::mutex mutex_;
  std::set<std::pair<std::string, Capability>> lacking_;
};

}  // namespace crategate::registry
