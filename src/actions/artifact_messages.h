// Requests and answers of the artifact service as text.
// Belongs here: JSON both ways; snake_case and camelCase, 64-bit numbers as text and as numbers.  Not here: sending.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actions/artifact_access.h"
#include "actions/artifact_store.h"

namespace crategate::actions {

struct NewArtifact {
  std::string name;
  std::string expires_at;  ///< RFC 3339; empty = as long as the service keeps artifacts
  std::string mime_type;   ///< empty: a service that does not know the field
};

std::string encode_create(const BackendIds& ids, const NewArtifact& artifact);
std::string encode_finalize(const BackendIds& ids, std::string_view name, std::uint64_t size, std::string_view digest);
std::string encode_list(const BackendIds& ids, const std::optional<std::string>& name);
/// GetSignedArtifactURL, DeleteArtifact.
std::string encode_named(const BackendIds& ids, std::string_view name);

/// Whether a body can be an answer at all.
bool is_answer(std::string_view body);

/// The address in an answer to `method`; registered as a secret. The scheme is https, or the service's own.
/// Errors: artifact_service; never with a part of the address.
Result<net::Url> decode_signed_url(std::string_view body, std::string_view method, const net::Url& service);
/// The new artifact's id.
Result<std::int64_t> decode_finalized(std::string_view body);
/// Newest first. `is_act`: sizes are those of something else, and are left out.
Result<std::vector<Artifact>> decode_list(std::string_view body, bool is_act);
/// What an error answer says, as one harmless short line; may be empty.
std::string decode_message(std::string_view body);

}  // namespace crategate::actions
