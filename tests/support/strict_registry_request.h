// What a request to the strict registry asks for, and whether its form is what the specification says
// (https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#endpoints).
// Belongs here: everything that is known without the registry's content.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/scripted_http_server.h"

namespace crategate::test {

enum class RequestKind : unsigned char {
  ping,
  blob_head,
  blob_get,
  blob_delete,
  upload_start,
  upload_whole,  ///< POST?digest=
  mount,
  upload_chunk,
  upload_status,
  upload_end,
  upload_cancel,
  manifest_head,
  manifest_get,
  manifest_put,
  manifest_delete,
  tags,
  referrers,
  token_get,
  token_post,
  unknown
};
inline constexpr int kRequestKinds = static_cast<int>(RequestKind::unknown) + 1;
std::string_view name(RequestKind kind);

/// A request, taken apart.
struct StrictRequest {
  RequestKind kind = RequestKind::unknown;
  std::string method, repository;
  std::string reference;  ///< tag, digest or upload
  std::vector<std::pair<std::string, std::string>> query;
  /// First value; empty = none.
  std::string parameter(std::string_view key) const;
};

StrictRequest parse_request(const ReceivedRequest& request);
/// Everything in its form that no client should send; empty = nothing.
std::vector<std::string> find_faults(const StrictRequest& asked, const ReceivedRequest& request);

bool is_digest(std::string_view text);  ///< sha256
bool is_tag(std::string_view text);
bool is_repository(std::string_view text);
/// "A-B", both inclusive.
std::optional<std::pair<std::uint64_t, std::uint64_t>> parse_range(std::string_view text);
/// Percent-encoding undone; `+` is a space in a form only. nullopt = not well encoded.
std::optional<std::string> percent_decode(std::string_view text, bool form);
/// The pairs of a query or a form. nullopt = one is not well encoded.
std::optional<std::vector<std::pair<std::string, std::string>>> parse_pairs(std::string_view text, bool form);

}  // namespace crategate::test
