#include "stages/tag_writer.h"

#include <algorithm>
#include <utility>

#include "base/strings.h"
#include "stages/survey.h"

namespace crategate::stages {
namespace {

std::chrono::microseconds micro(sys::Instant::duration duration) {
  return std::chrono::duration_cast<std::chrono::microseconds>(duration);
}

}  // namespace

void TagWriter::knows(std::string bytes, std::string media_type) {
  const auto digest = oci::Digest::of(bytes);
  const oci::Descriptor descriptor{.media_type = std::move(media_type), .digest = digest, .size = bytes.size()};
  const std::lock_guard lock(mutex_);
  content_.emplace(digest, registry::StoredManifest{descriptor, std::move(bytes)});
}

void TagWriter::looks() {
  const std::lock_guard lock(mutex_);
  looked_at_ = clock_.monotonic();
}

void TagWriter::mixed_for(std::chrono::microseconds time) {
  const std::lock_guard lock(mutex_);
  first_move_ = clock_.monotonic() - time;
}

pipeline::Windows TagWriter::windows() const {
  const std::lock_guard lock(mutex_);
  auto windows = windows_;
  if (unanswered_since_)
    windows.unprotected = std::max(windows.unprotected, micro(clock_.monotonic() - *unanswered_since_));
  return windows;
}

Result<registry::StoredManifest> TagWriter::content(const oci::Reference& tag, const oci::Digest& digest) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto known = content_.find(digest); known != content_.end()) return known->second;
  }
  const oci::Reference by_digest{tag.repository, std::nullopt, digest};
  CG_TRY(auto stored, reader_.manifest(by_digest));
  if (stored) return *std::move(stored);
  return fail(ErrorCode::not_found, concat(by_digest.familiar(), ": expected the image that was staged, found none"),
              "The registry removed it while no tag named it; build and test that version again.");
}

Result<void> TagWriter::write(const pipeline::TagMove& move, const std::optional<oci::Digest>& digest) {
  CG_TRY(const auto tag, tag_reference(move.repository, move.tag));
  if (!digest) {
    const auto began = clock_.monotonic();
    CG_CHECK(writer_.remove_manifest(tag));
    note(move.rank, began);
    return {};
  }
  CG_TRY(const auto stored, content(tag, *digest));
  const auto began = clock_.monotonic();
  const auto before = *digest == move.to ? move.from : std::optional(move.to);
  auto pointed = writer_.point_tag(tag, before, stored.bytes, stored.descriptor.media_type);
  if (pointed) {
    note(move.rank, began);
  } else if (pointed.error().unsettled || is_transient(pointed.error().code)) {
    const std::lock_guard lock(mutex_);
    if (!unanswered_since_) unanswered_since_ = looked_at_;
  }
  return pointed;
}

void TagWriter::note(pipeline::TagRank rank, sys::Instant began) {
  const auto now = clock_.monotonic();
  const std::lock_guard lock(mutex_);
  windows_.unprotected = std::max(windows_.unprotected, micro(now - looked_at_));
  if (rank < pipeline::TagRank::moving) return;
  if (!first_move_ || began < *first_move_) first_move_ = began;
  windows_.mixed = std::max(windows_.mixed, micro(now - *first_move_));
}

}  // namespace crategate::stages
