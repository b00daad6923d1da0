#include "pipeline/regen_safety.h"

#include "base/strings.h"

namespace crategate::pipeline {
namespace {

constexpr std::string_view kForm =
    "The workflow regen.yml has three jobs for that: only its last one may write, and it runs nothing of the pull "
    "request.";

Failure refuse(std::string_view expected, std::string_view found, std::string_view remedy) {
  return fail(ErrorCode::bad_input,
              concat("this job is about to run a pull request's code: expected ", expected, ", found ", found),
              concat(remedy, " ", kForm));
}

}  // namespace

Result<void> require_harmless(const RegenSurroundings& found) {
  using Rights = RegenSurroundings::Rights;
  if (found.token == Rights::may_write) {
    return refuse("a token that may not write the repository's contents", "one that may, or does not tell",
                  "Give the job `permissions: {contents: read}`.");
  }
  // Without one nobody can be asked what the job's own may do.
  if (found.token == Rights::no_token) {
    return refuse("the job's own token as github-token", "none",
                  "Leave the input github-token out, and give the job `permissions: {contents: read}`.");
  }
  if (found.has_push_token) {
    return refuse("no push-token", "one", "Give push-token to the job with apply-regen alone.");
  }
  if (!found.kept_logins.empty()) {
    return refuse("a checkout without a login", join(found.kept_logins, ", "),
                  "Give actions/checkout `persist-credentials: false`.");
  }
  return {};
}

}  // namespace crategate::pipeline
