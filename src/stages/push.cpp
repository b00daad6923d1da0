#include "stages/push.h"

#include "base/strings.h"

namespace crategate::stages {
namespace {

Result<void> require_push(const pipeline::Plan& plan) {
  if (plan.policy.push && (plan.policy.candidate || plan.rebuild)) return {};
  return fail(
      ErrorCode::bad_input,
      concat("push: expected a plan that publishes, found one that does not (", join(plan.policy.reasons, "; "), ")"),
      "Nothing was published; `crategate explain policy` prints why.");
}

}  // namespace

Result<Publication> plan_push(const PublishInputs& in, const sys::FileSystem& files, registry::RegistryReader& reader,
                              const pipeline::Journal& before) {
  CG_CHECK(require_push(in.plan));
  return survey(in, files, reader, kVersionTags, before);
}

Result<Published> run_push(const PublishInputs& in, const PublishServices& svc) {
  CG_CHECK(require_push(in.plan));
  return publish(in, svc, kVersionTags);
}

}  // namespace crategate::stages
