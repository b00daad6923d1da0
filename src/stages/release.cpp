// release: published digests and moving tags → change set → writes.
#include "stages/release.h"

#include <set>
#include <utility>

#include "base/strings.h"

namespace crategate::stages {
namespace {

Result<void> require_latest(const pipeline::Plan& plan) {
  if (plan.policy.latest && plan.policy.push) return {};
  return fail(ErrorCode::bad_input,
              concat("release: expected a plan that moves tags, found one that does not (",
                     join(plan.policy.reasons, "; "), ")"),
              "Only the push of a version tag moves `latest`; nothing was changed.");
}

/// All of push comes before any of release: each version tag names the tested image, or one that policy kept there.
/// Yields the cells whose version tag was kept at another image.
Result<std::set<std::string>> require_pushed(const PublishInputs& in, const Evidence& evidence,
                                             registry::RegistryReader& reader) {
  std::set<std::string> kept;
  for (const auto& cell : in.plan.cells) {
    const auto& admitted = evidence.admitted.at(cell.key);
    for (const auto& tag : pipeline::version_tags(in.plan, cell, in.configuration.release, in.today)) {
      CG_TRY(const auto reference, tag_reference(cell.image, tag));
      CG_TRY(const auto now, tag_state(reference, reader));
      CG_TRY(const auto move,
             pipeline::decide_version_tag(in.plan, cell, tag, now, admitted.digest, in.configuration.release));
      if (move.needed) {
        return fail(ErrorCode::conflict,
                    concat(reference.familiar(), ": expected ", admitted.digest.text(), " after push, found ",
                           now ? now->manifest.text() : std::string("no such tag")),
                    "Run `crategate push` first: no moving tag changes before every version tag is in place.");
      }
      if (now && now->manifest != admitted.digest) kept.insert(cell.key);
    }
  }
  return kept;
}

/// A moving tag never names an image that no version tag names: where the version tag was kept, so is this one.
pipeline::TagMove keep_with_version(const pipeline::Cell& cell, const std::string& tag,
                                    const std::optional<pipeline::TagState>& now, const oci::Digest& target) {
  return {.cell = cell.key,
          .repository = cell.image,
          .tag = tag,
          .from = now ? std::optional(now->manifest) : std::nullopt,
          .to = now ? now->manifest : target,
          .needed = false,
          .note = "the version tag was kept at another image, so this one stays, too",
          .warning = true};
}

}  // namespace

Result<Publication> plan_release(const PublishInputs& in, const sys::FileSystem& files,
                                 registry::RegistryReader& reader) {
  CG_CHECK(require_latest(in.plan));
  Publication publication;
  CG_TRY(publication.evidence, gather_evidence(in.plan, in.plan.cells, in.workspace,
                                               in.configuration.gate.ignore_labels, files, reader, in.run));
  CG_CHECK(require_admitted(publication.evidence.verdict));
  CG_TRY(const auto kept, require_pushed(in, publication.evidence, reader));
  for (const auto& tag : in.configuration.release.moving) {
    for (const auto& cell : in.plan.cells) {
      CG_TRY(const auto reference, tag_reference(cell.image, tag));
      CG_TRY(const auto now, tag_state(reference, reader));
      const auto& admitted = publication.evidence.admitted.at(cell.key);
      if (kept.contains(cell.key)) {
        publication.changes.moves.push_back(keep_with_version(cell, tag, now, admitted.digest));
        continue;
      }
      CG_TRY(auto move,
             pipeline::decide_moving_tag(in.plan, cell, tag, now, admitted.digest, in.configuration.release));
      publication.changes.moves.push_back(std::move(move));
    }
  }
  return publication;
}

Result<pipeline::ChangeSet> run_release(const PublishInputs& in, const PublishServices& svc) {
  CG_TRY(const auto publication, plan_release(in, svc.files, svc.reader));
  if (svc.announce) svc.announce(publication.changes);
  CG_CHECK(apply_changes(in, svc, publication));
  return publication.changes;
}

}  // namespace crategate::stages
