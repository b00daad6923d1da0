// The two lines and the remedy of each code.
#include "render/failure.h"

#include "base/strings.h"
#include "render/line.h"

namespace crategate::render {

std::string_view remedy(ErrorCode code) {
  switch (code) {
    case ErrorCode::bad_input:
      return "Correct the named file, option or input and run the command again.";
    case ErrorCode::gate_refused:
      return "Build, test and record the named cells again with this plan; nothing was published.";
    case ErrorCode::tests_failed:
      return "Read the test log named above and run `crategate test --cell KEY` on your machine.";
    case ErrorCode::scan_policy:
      return "Update the packages that the scan names (REBUILD_BASE=true pulls new base layers), or change "
             "scan.severity.";
    case ErrorCode::drifted:
      return "Run `crategate generate` and commit the files.";
    case ErrorCode::awaited_build_failed:
      return "Open the awaited workflow run, mend it, and run this job again.";
    case ErrorCode::wait_timed_out:
      return "Look at the awaited workflow run; run this job again when it has finished.";
    case ErrorCode::unauthenticated:
      return "Log in: give `registry`, `username` and `password` (secrets DOCKERHUB_USERNAME and DOCKERHUB_TOKEN).";
    case ErrorCode::forbidden:
      return "Give the account or token the right that the message names.";
    case ErrorCode::not_found:
      return "Check the name; for a private one check that you are logged in.";
    case ErrorCode::rate_limited:
      return "Wait, then run the command again; logging in raises the limit.";
    case ErrorCode::unavailable:
      return "Run the command again when the remote answers; what is already done is kept.";
    case ErrorCode::integrity:
      return "Do not use the named content; fetch or build it again, and find out what changed it.";
    case ErrorCode::github_api:
      return "Check the `permissions:` of the job and GitHub's status, then run the job again.";
    case ErrorCode::artifact_service:
      return "Run the job again; without its artifacts nothing is published.";
    case ErrorCode::engine:
      return "Check that the Docker engine runs and can be reached: `docker info`, `docker buildx version`.";
    case ErrorCode::no_space:
      return "Free disk space, then run the command again.";
    case ErrorCode::conflict:
      return "Look at what the registry has now, then decide which content is meant.";
    case ErrorCode::rolled_back:
      return "Nothing of this release is visible; run it again when the cause is mended.";
    case ErrorCode::needs_person:
      return "Run `crategate report`: it says what the tags name now.";
    case ErrorCode::internal:
      return "This is a defect of crategate: please report it with the lines above.";
    case ErrorCode::interrupted:
    case ErrorCode::terminated:
      return "Run the command again: it goes on from what is already proven.";
  }
  return "Run the command again with --verbose.";
}

std::array<std::string, 2> error_lines(const Error& error) {
  const std::string hint = one_line(error.hint);
  return {concat("crategate: ", exit_code(error.code), " ", name(error.code), ": ", one_line(describe(error))),
          concat("→ ", trim(hint).empty() ? remedy(error.code) : trim(hint))};
}

}  // namespace crategate::render
