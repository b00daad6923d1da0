// Writes one tag of a publication, and measures how long tags are unprotected and mixed.
// Belongs here: a tag's bytes and its write.  Not here: which tag is written when (publication, release_protocol).
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "base/result.h"
#include "pipeline/journal.h"
#include "registry/client.h"
#include "sys/clock.h"

namespace crategate::stages {

/// Thread-safe: tags are written side by side.
class TagWriter {
 public:
  TagWriter(registry::RegistryReader& reader, registry::RegistryWriter& writer, const sys::Clock& clock)
      : reader_(reader), writer_(writer), clock_(clock) {}
  /// Bytes that a tag may be pointed at; others are read from its repository.
  void knows(std::string bytes, std::string media_type);
  /// Every tag is about to be looked at: what they name is known as of now.
  void looks();
  /// Points the tag of `move` at `digest`; nullopt removes it.
  /// Errors: not_found when the image is gone; those of the registry.
  Result<void> write(const pipeline::TagMove& move, const std::optional<oci::Digest>& digest);
  /// Some moving tags name a release already, and some do not, since then at most: a run that died left them so.
  void mixed_for(std::chrono::microseconds time);
  /// Up to now, where a write had no answer.
  pipeline::Windows windows() const;

 private:
  Result<registry::StoredManifest> content(const oci::Reference& tag, const oci::Digest& digest);
  void note(pipeline::TagRank rank, sys::Instant began);

  registry::RegistryReader& reader_;
  registry::RegistryWriter& writer_;
  const sys::Clock& clock_;
  mutable std::mutex mutex_;
  std::map<oci::Digest, registry::StoredManifest> content_;
  pipeline::Windows windows_;
  sys::Instant looked_at_;
  std::optional<sys::Instant> first_move_, unanswered_since_;
};

}  // namespace crategate::stages
