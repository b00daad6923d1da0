#include "stages/publication.h"

#include <utility>

#include "base/strings.h"
#include "registry/blob_stream.h"
#include "sys/cancel.h"
#include "sys/parallel.h"

namespace crategate::stages {
namespace {

constexpr std::size_t kBlobsAtATime = 8;

/// Makes the image's blobs available in the repository of the tag: mounted, or streamed where the registry mounts nothing.
Result<void> bring_blobs(const Admitted& image, const oci::Repository& to, const PublishServices& svc) {
  const oci::Repository& from = image.candidate.repository;
  if (from == to) return {};
  std::vector<oci::Descriptor> blobs = image.manifest.layers;
  blobs.push_back(image.manifest.config);
  return sys::for_each_parallel(blobs.size(), kBlobsAtATime, [&](std::size_t i) -> Result<void> {
    registry::BlobSource source = registry::stream_from(svc.reader, from, blobs[i]);
    if (from.registry == to.registry) source.mount_from = from;
    CG_CHECK(svc.writer.put_blob(to, blobs[i], source));
    return {};
  });
}

Result<void> apply_move(const pipeline::TagMove& move, const Admitted& image, const PublishServices& svc) {
  CG_TRY(const auto target, tag_reference(move.repository, move.tag));
  CG_CHECK(bring_blobs(image, target.repository, svc));
  CG_TRY(const auto served, svc.writer.put_manifest(target, image.manifest_bytes, image.manifest.media_type));
  if (served == move.to) return {};
  return fail(ErrorCode::integrity,
              concat(target.familiar(), ": expected ", move.to.text(), ", the registry serves ", served.text()),
              "Another writer may have moved the tag; look at it before running again.");
}

}  // namespace

Result<oci::Reference> tag_reference(const std::string& repository, const std::string& tag) {
  CG_TRY(auto parsed, oci::parse_repository(repository));
  CG_TRY(auto name, oci::parse_tag(tag));
  return oci::Reference{std::move(parsed), std::move(name), std::nullopt};
}

Result<void> apply_changes(const PublishInputs& in, const PublishServices& svc, const Publication& publication) {
  std::vector<pipeline::TagMove> applied;
  const auto stop = [&](Error error) -> Result<void> {
    static_cast<void>(append_moves(svc.files, in.workspace, in.plan, applied));
    return fail(
        std::move(error).within(concat("after ", applied.size(), " of ", publication.changes.moves.size(), " tags")));
  };
  for (const auto& move : publication.changes.moves) {
    if (!move.needed) continue;
    if (auto going = sys::check_cancelled(); !going) return stop(std::move(going).error());
    auto done = apply_move(move, publication.evidence.admitted.at(move.cell), svc);
    if (!done) return stop(std::move(done).error());
    applied.push_back(move);
  }
  return append_moves(svc.files, in.workspace, in.plan, applied);
}

}  // namespace crategate::stages
