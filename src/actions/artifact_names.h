// Wire strings of the artifact service (Twirp over JSON) and of the block storage behind its signed addresses
// (https://learn.microsoft.com/rest/api/storageservices/put-block).
#pragma once

#include <string_view>

namespace crategate::actions {

inline constexpr std::string_view kResultsUrl = "ACTIONS_RESULTS_URL";
inline constexpr std::string_view kRuntimeToken = "ACTIONS_RUNTIME_TOKEN";
inline constexpr std::string_view kRetentionDays = "GITHUB_RETENTION_DAYS";
inline constexpr std::string_view kAct = "ACT";

inline constexpr std::string_view kServicePath = "/twirp/github.actions.results.api.v1.ArtifactService/";
inline constexpr std::string_view kCreate = "CreateArtifact";
inline constexpr std::string_view kFinalize = "FinalizeArtifact";
inline constexpr std::string_view kList = "ListArtifacts";
inline constexpr std::string_view kSignedUrl = "GetSignedArtifactURL";
inline constexpr std::string_view kDelete = "DeleteArtifact";

inline constexpr std::string_view kScopeName = "Actions.Results";  ///< in the token's `scp`
inline constexpr int kVersion = 7, kVersionWithoutType = 4;
inline constexpr std::string_view kZip = "application/zip";

inline constexpr std::string_view kStorageVersion = "2023-11-03";
inline constexpr std::size_t kMostBlocks = 50'000;

}  // namespace crategate::actions
