// Descriptors, manifests and indexes (https://github.com/opencontainers/image-spec/blob/v1.1.0/manifest.md).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "oci/digest.h"
#include "oci/platform.h"

namespace crategate::oci {

inline constexpr std::size_t kManifestLimit = 4u << 20;  ///< bytes; what registries accept

struct Descriptor {
  std::string media_type;
  Digest digest;
  std::uint64_t size = 0;
  std::map<std::string, std::string> annotations;
  std::optional<Platform> platform;  ///< in an index
  std::string artifact_type{};       ///< in a list of referrers; empty = not said
};

struct Manifest {
  std::string media_type;
  Descriptor config;
  std::vector<Descriptor> layers;
  std::map<std::string, std::string> annotations;
  /// Canonical bytes to be PUT.
  std::string to_json() const;
};

struct Index {
  std::string media_type;
  std::vector<Descriptor> manifests;
  std::map<std::string, std::string> annotations;
  std::string artifact_type{};  ///< empty = not said
  std::string to_json() const;
};

/// Errors: integrity. Refused: `manifests` together with `layers`/`config` (CVE-2021-41190), a mediaType that
/// contradicts `content_type`, > 4 MiB, > 1024 entries, negative sizes.
Result<Manifest> parse_manifest(std::string_view bytes, std::string_view content_type);
Result<Index> parse_index(std::string_view bytes, std::string_view content_type);
/// What a manifest or index is about by its `subject`, and its own entry in the list of that subject's referrers.
struct Referral {
  Digest subject;
  Descriptor entry;
};
/// nullopt = it has no subject. Errors: integrity.
Result<std::optional<Referral>> parse_referral(std::string_view bytes, std::string_view media_type);
/// The tag that lists the referrers of a manifest where the registry does not
/// (https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#referrers-tag-schema).
std::string referrers_tag(const Digest& subject);
/// mediaType of manifest-or-index bytes: `content_type` if it is one, else the document's own; checked against each
/// other.
Result<std::string> manifest_media_type(std::string_view bytes, std::string_view content_type);

}  // namespace crategate::oci
