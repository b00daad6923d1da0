// Requests to the storage behind signed addresses: blocks, their list, ranges. Never with a credential of ours.
// Belongs here: requests as values, and what answers mean.  Not here: order and repetition (block_upload, blob_download).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "net/http.h"

namespace crategate::actions {

/// `bytes` outlive the request. The query of a signed address is only ever added to.
net::Request put_block(const net::Url& signed_url, const std::string& id, std::string_view bytes);
/// Makes the blob of those blocks, in that order.
net::Request put_block_list(const net::Url& signed_url, const std::vector<std::string>& ids, std::string_view type);

/// `Range: bytes=<from>-<last>`; an empty `last` is the end. An ETag that is strong is demanded again.
net::Request get_blob(const net::Url& signed_url);
net::Request get_range(const net::Url& signed_url, const std::string& range, const std::string& etag);
/// The first byte that `Content-Range: bytes 5-9/10` says; nullopt = it says something else.
std::optional<std::uint64_t> first_of_range(const net::Response& response);

/// The error for an answer that is no success. Of its body only the code is shown: messages repeat what was signed.
Error storage_failure(std::string_view attempt, const net::Request& request, const net::Response& response);
/// The error when no answer came, or not all of it.
Error storage_failure(std::string_view attempt, Error error);

}  // namespace crategate::actions
