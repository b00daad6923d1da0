// push: evidence and tags → change set → writes.
// Belongs here: the order of facts, decision, effects.  Not here: tag rules (pipeline/tags), the gate (pipeline/gate).
#include "stages/push.h"

#include <utility>

#include "base/strings.h"

namespace crategate::stages {
namespace {

Result<void> require_push(const pipeline::Plan& plan) {
  if (plan.policy.push && plan.policy.candidate) return {};
  return fail(
      ErrorCode::bad_input,
      concat("push: expected a plan that publishes, found one that does not (", join(plan.policy.reasons, "; "), ")"),
      "Nothing was published; `crategate explain policy` prints why.");
}

}  // namespace

Result<Publication> plan_push(const PublishInputs& in, const sys::FileSystem& files, registry::RegistryReader& reader) {
  CG_CHECK(require_push(in.plan));
  Publication publication;
  CG_TRY(publication.evidence, gather_evidence(in.plan, in.plan.cells, in.workspace,
                                               in.configuration.gate.ignore_labels, files, reader, in.run));
  CG_CHECK(require_admitted(publication.evidence.verdict));
  for (const auto& cell : in.plan.cells) {
    const auto& admitted = publication.evidence.admitted.at(cell.key);
    for (const auto& tag : pipeline::version_tags(in.plan, cell, in.configuration.release, in.today)) {
      CG_TRY(const auto reference, tag_reference(cell.image, tag));
      CG_TRY(const auto now, tag_state(reference, reader));
      CG_TRY(auto move,
             pipeline::decide_version_tag(in.plan, cell, tag, now, admitted.digest, in.configuration.release));
      publication.changes.moves.push_back(std::move(move));
    }
  }
  return publication;
}

Result<pipeline::ChangeSet> run_push(const PublishInputs& in, const PublishServices& svc) {
  CG_TRY(const auto publication, plan_push(in, svc.files, svc.reader));
  if (svc.announce) svc.announce(publication.changes);
  CG_CHECK(apply_changes(in, svc, publication));
  return publication.changes;
}

}  // namespace crategate::stages
