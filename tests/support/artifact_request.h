// Which request of the artifact protocol has come, and who sent it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "support/scripted_http_server.h"

namespace crategate::test {

enum class Ask : unsigned char { create, put_block, put_block_list, finalize, list, get_signed, get_blob, remove };

inline constexpr std::string_view kArtifactCalls = "/twirp/github.actions.results.api.v1.ArtifactService/";

std::optional<Ask> ask_of(const ReceivedRequest& request);
std::string path_of(const ReceivedRequest& request);
/// The query as it was signed, without what a client adds.
std::string signed_part(const ReceivedRequest& request);
/// What a client added; empty = nothing.
std::string added(const ReceivedRequest& request, const std::string& key);
/// Run and job of a bearer token.
std::optional<std::pair<std::string, std::string>> claims_of(const ReceivedRequest& request);
/// A token with those claims, signed by nobody.
std::string job_token(const std::string& run, const std::string& job);

}  // namespace crategate::test
