// Lists of referrers that we keep, where nobody else does
// (https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#referrers-tag-schema).
// Belongs here: adding a manifest to the list of its subject.  Not here: reading lists (RegistryReader::referrers).
#pragma once

#include <mutex>
#include <string_view>

#include "registry/client.h"

namespace crategate::registry {

/// Adds a manifest that was written, and that refers to something, to the list under its subject's fallback tag.
/// `changing`: the same for all who write to the registry side by side: one change must not undo another.
Result<void> list_as_referrer(RegistryReader& reader, RegistryWriter& writer, const oci::Repository& repository,
                              std::string_view bytes, std::string_view media_type, std::mutex& changing);

/// The same where the answer to its PUT got lost, which says whether the registry lists referrers itself: it is asked.
Result<void> list_unless_listed(RegistryReader& reader, RegistryWriter& writer, const oci::Repository& repository,
                                std::string_view bytes, std::string_view media_type, std::mutex& changing);

}  // namespace crategate::registry
