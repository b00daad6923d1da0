// Lists of referrers that we keep, where nobody else does
// (https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#referrers-tag-schema).
// Belongs here: adding a manifest to the list of its subject, and taking it off.  Not here: reading lists
// (RegistryReader::referrers).
#pragma once

#include <functional>
#include <mutex>
#include <string_view>

#include "registry/client.h"

namespace crategate::registry {

/// How the lists of a registry are changed.
struct Lists {
  RegistryReader& reader;
  /// Once, without a look at what is served then.
  std::function<Result<void>(const oci::Reference& tag, const oci::Index& list)> write;
  /// Before a list is read back the n-th time: others may be writing it.
  std::function<void(int n)> wait;
  /// The same for all of this process: one change must not undo another. Other processes are found out by reading back:
  /// what they undid is done again, a few times.
  std::mutex& changing;
};

/// Adds a manifest that was written, and that refers to something, to the list under its subject's fallback tag.
/// Errors: beside those of reading and writing unavailable when others undo it again and again.
Result<void> list_as_referrer(const Lists& lists, const oci::Repository& repository, std::string_view bytes,
                              std::string_view media_type);

/// The same where the answer to its PUT got lost, which says whether the registry lists referrers itself: it is asked.
Result<void> list_unless_listed(const Lists& lists, const oci::Repository& repository, std::string_view bytes,
                                std::string_view media_type);

/// Takes a manifest that is gone off the list. An empty list stays: not every registry deletes tags.
Result<void> unlist_referrer(const Lists& lists, const oci::Repository& repository, const oci::Referral& gone);

}  // namespace crategate::registry
