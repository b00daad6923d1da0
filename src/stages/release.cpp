#include "stages/release.h"

#include "base/strings.h"

namespace crategate::stages {
namespace {

Result<void> require_latest(const pipeline::Plan& plan) {
  if (plan.policy.latest && plan.policy.push) return {};
  return fail(ErrorCode::bad_input,
              concat("release: expected a plan that moves tags, found one that does not (",
                     join(plan.policy.reasons, "; "), ")"),
              "The reasons are in parentheses, and nothing was changed; leave `release` out, or change what they name "
              "and plan again.");
}

}  // namespace

Result<Publication> plan_release(const PublishInputs& in, const sys::FileSystem& files,
                                 registry::RegistryReader& reader, const pipeline::Journal& before) {
  CG_CHECK(require_latest(in.plan));
  return survey(in, files, reader, kMovingTags, before);
}

Result<Published> run_release(const PublishInputs& in, const PublishServices& svc) {
  CG_CHECK(require_latest(in.plan));
  return publish(in, svc, kMovingTags);
}

}  // namespace crategate::stages
