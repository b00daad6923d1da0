// Wire strings of the GitHub Actions runner (https://docs.github.com/actions/reference/variables-reference).
#pragma once

#include <string_view>

namespace crategate::actions {

inline constexpr std::string_view kActions = "GITHUB_ACTIONS";
inline constexpr std::string_view kEventName = "GITHUB_EVENT_NAME";
inline constexpr std::string_view kEventPath = "GITHUB_EVENT_PATH";
inline constexpr std::string_view kRef = "GITHUB_REF";
inline constexpr std::string_view kRefType = "GITHUB_REF_TYPE";
inline constexpr std::string_view kSha = "GITHUB_SHA";
inline constexpr std::string_view kBaseRef = "GITHUB_BASE_REF";
inline constexpr std::string_view kWorkspace = "GITHUB_WORKSPACE";
inline constexpr std::string_view kWorkflowRef = "GITHUB_WORKFLOW_REF";
inline constexpr std::string_view kRunId = "GITHUB_RUN_ID";
inline constexpr std::string_view kJob = "GITHUB_JOB";
inline constexpr std::string_view kRunAttempt = "GITHUB_RUN_ATTEMPT";
inline constexpr std::string_view kServerUrl = "GITHUB_SERVER_URL";
inline constexpr std::string_view kRepository = "GITHUB_REPOSITORY";
inline constexpr std::string_view kRepositoryId = "GITHUB_REPOSITORY_ID";
inline constexpr std::string_view kOutput = "GITHUB_OUTPUT";
inline constexpr std::string_view kSummary = "GITHUB_STEP_SUMMARY";
inline constexpr std::string_view kRunnerTemp = "RUNNER_TEMP";
inline constexpr std::string_view kDebug = "RUNNER_DEBUG";
inline constexpr std::string_view kInputPrefix = "INPUT_";

}  // namespace crategate::actions
