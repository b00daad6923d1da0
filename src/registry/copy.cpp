#include "registry/copy.h"

#include <algorithm>
#include <array>
#include <functional>
#include <mutex>
#include <set>
#include <utility>

#include "base/strings.h"
#include "oci/media_types.h"
#include "registry/blob_stream.h"
#include "sys/parallel.h"

namespace crategate::registry {
namespace {

constexpr std::size_t kMostBytes = 64u << 20;  ///< of the manifests that are held at once
constexpr std::size_t kMostManifests = 4096;   ///< that one copy brings along
constexpr int kDeepest = 2;                    ///< an index of indexes
constexpr std::array<std::string_view, 3> kSignatureTags{".sig", ".att", ".sbom"};

/// Layers that an image names without containing them.
bool stays_behind(const oci::Descriptor& layer) {
  return layer.media_type.find(".foreign.") != std::string::npos ||
         layer.media_type.find(".nondistributable.") != std::string::npos;
}

/// A manifest to be written, and where.
struct Node {
  StoredManifest stored;
  oci::Reference target;
  bool is_there = false;  ///< the target serves it already, and so all that it names
  bool is_index() const { return oci::is_index(stored.descriptor.media_type); }
};
using Nodes = std::vector<Node>;

Failure missing(const oci::Reference& reference, std::string_view what) {
  return fail(ErrorCode::not_found, concat(reference.familiar(), ": expected ", what, ", found no such manifest"),
              "check the name and the tag; `crategate registry ls` prints the tags of a repository");
}

class Copy {
 public:
  Copy(RegistryReader& source, const oci::Repository& from, RegistryReader& target_reader, RegistryWriter& target,
       const oci::Repository& to, const CopyOptions& options)
      : source_(source),
        from_(from),
        target_reader_(target_reader),
        target_(target),
        to_(to),
        options_(options),
        one_registry_(options.may_mount && from.registry == to.registry),
        one_repository_(one_registry_ && from.path == to.path) {}

  Result<Copied> run(const oci::Reference& from, const oci::Reference& to) {
    oci::Reference target = to;
    if (!target.tag && !target.digest) target.digest = from.digest;
    std::optional<StoredManifest> stored;
    std::optional<oci::Digest> there;
    CG_CHECK(for_each(2, [&](std::size_t i) -> Result<void> {
      if (i == 0) return read(stored, from);
      there = glance(target);
      return {};
    }));
    if (!stored) return missing(from, "the image");
    copied_.digest = stored->descriptor.digest;
    if (!target.tag && !target.digest) target.digest = copied_.digest;
    Nodes next{{*std::move(stored), std::move(target), there == copied_.digest}};
    // What refers to the image comes after it, and what refers to that after that.
    while (!next.empty()) {
      CG_CHECK(copy_trees(std::move(next)));
      for (const oci::Digest& known : written_) referrers_.erase(known);
      CG_TRY(next, fetch(std::exchange(referrers_, {}), "a referrer that the list names", false));
      std::move(tagged_.begin(), tagged_.end(), std::back_inserter(next));
      tagged_.clear();
    }
    return std::move(copied_);
  }

 private:
  using Work = std::function<Result<void>()>;

  Result<void> for_each(std::size_t count, const std::function<Result<void>(std::size_t)>& work) const {
    return sys::for_each_parallel(count, options_.parallel, work);
  }

  Result<void> read(std::optional<StoredManifest>& stored, const oci::Reference& from) {
    CG_TRY(stored, source_.manifest(from));
    return {};
  }

  std::optional<oci::Digest> glance(const oci::Reference& target) {
    return target_.glance(target, one_registry_ ? std::optional(from_) : std::nullopt);
  }

  /// All blobs first, then the manifests from the leaves up: a registry refuses what names something that it lacks.
  Result<void> copy_trees(Nodes roots) {
    std::vector<Nodes> levels{std::move(roots)};
    std::vector<Work> work;
    while (!one_repository_) {
      for (const Node& node : levels.back()) look_for_referrers(node.stored.descriptor.digest, work);
      CG_TRY(Nodes children, children_of(levels.back()));
      if (children.empty()) break;
      if (levels.size() > kDeepest) {
        return fail(ErrorCode::integrity,
                    concat(from_.familiar(), ": expected at most ", kDeepest, " levels of indexes, found more"));
      }
      levels.push_back(std::move(children));
    }
    if (!one_repository_) CG_CHECK(copy_blobs(levels, work));
    CG_CHECK(for_each(work.size(), [&](std::size_t i) { return work[i](); }));
    for (auto level = levels.rbegin(); level != levels.rend(); ++level) {
      CG_CHECK(for_each(level->size(), [&](std::size_t i) { return write((*level)[i]); }));
    }
    return {};
  }

  Result<Nodes> children_of(const Nodes& parents) {
    std::set<oci::Digest> digests;
    for (const Node& parent : parents) {
      if (!parent.is_index()) continue;
      CG_TRY(const auto index, oci::parse_index(parent.stored.bytes, parent.stored.descriptor.media_type));
      for (const auto& child : index.manifests) digests.insert(child.digest);
    }
    // A registry may have an index without all of its images.
    return fetch(digests, "a manifest that an index names", std::ranges::any_of(parents, &Node::is_there));
  }

  /// What a source lists without end, or too large to be held, ends here.
  Result<void> hold(std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    held_ += bytes;
    if (held_ <= kMostBytes) return {};
    return fail(
        ErrorCode::integrity,
        concat(from_.familiar(), ": expected manifests of at most ", format_bytes(kMostBytes), " in all, found more"),
        "copy the images of the index one by one");
  }

  /// `may_be_there`: the target is asked beside the source.
  Result<Nodes> fetch(const std::set<oci::Digest>& digests, std::string_view what, bool may_be_there) {
    const std::vector<oci::Digest> wanted(digests.begin(), digests.end());
    brought_ += wanted.size();
    if (brought_ > kMostManifests) {
      return fail(ErrorCode::integrity,
                  concat(from_.familiar(), ": expected at most ", kMostManifests, " manifests, found more"));
    }
    std::vector<std::optional<StoredManifest>> found(wanted.size());
    std::vector<std::optional<oci::Digest>> there(wanted.size());
    CG_CHECK(for_each(wanted.size() * (may_be_there ? 2 : 1), [&](std::size_t i) -> Result<void> {
      if (i >= wanted.size()) {
        there[i - wanted.size()] = glance({to_, std::nullopt, wanted[i - wanted.size()]});
        return {};
      }
      const oci::Reference from{from_, std::nullopt, wanted[i]};
      CG_TRY(found[i], source_.manifest(from));
      return found[i] ? hold(found[i]->bytes.size()) : missing(from, what);
    }));
    Nodes nodes;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      nodes.push_back({*std::move(found[i]), {to_, std::nullopt, wanted[i]}, there[i] == wanted[i]});
    }
    return nodes;
  }

  Result<void> copy_blobs(const std::vector<Nodes>& levels, std::vector<Work>& work) {
    const auto add = [&](const oci::Descriptor& blob) {
      if (stays_behind(blob) || !blobs_.insert(blob.digest).second) return;
      work.emplace_back([this, blob] { return copy_blob(blob); });
    };
    for (const Nodes& level : levels) {
      for (const Node& node : level) {
        if (node.is_index() || node.is_there) continue;
        CG_TRY(const auto manifest, oci::parse_manifest(node.stored.bytes, node.stored.descriptor.media_type));
        add(manifest.config);
        for (const auto& layer : manifest.layers) add(layer);
      }
    }
    return {};
  }

  Result<void> copy_blob(const oci::Descriptor& blob) {
    BlobSource bytes = stream_from(source_, from_, blob);
    if (one_registry_) bytes.mount_from = from_;
    CG_TRY(const BlobArrival arrival, target_.put_blob(to_, blob, bytes));
    const std::lock_guard lock(mutex_);
    if (arrival == BlobArrival::mounted) ++copied_.mounted;
    if (arrival == BlobArrival::present) ++copied_.present;
    if (arrival != BlobArrival::uploaded) return {};
    ++copied_.uploaded;
    copied_.bytes += blob.size;
    return {};
  }

  Result<void> write(const Node& node) {
    const oci::Descriptor& wanted = node.stored.descriptor;
    if (node.is_there) return note(wanted.digest, 0);
    CG_TRY(const auto served, target_.put_manifest(node.target, node.stored.bytes, wanted.media_type));
    if (served != wanted.digest) {
      return fail(ErrorCode::integrity, concat(node.target.familiar(), ": expected ", wanted.digest.text(),
                                               " after writing it, found ", served.text()));
    }
    return note(wanted.digest, 1);
  }

  Result<void> note(const oci::Digest& digest, std::size_t written) {
    const std::lock_guard lock(mutex_);
    copied_.manifests += written;
    written_.insert(digest);
    return {};
  }

  /// Beside the blobs: the lists and the tags cost no time of their own.
  void look_for_referrers(const oci::Digest& subject, std::vector<Work>& work) {
    if (!options_.with_referrers) return;
    work.emplace_back([this, subject]() -> Result<void> {
      CG_TRY(const auto listed, source_.referrers(from_, subject));
      const std::lock_guard lock(mutex_);
      for (const auto& entry : listed) referrers_.insert(entry.digest);
      return {};
    });
    for (const std::string_view suffix : kSignatureTags) {
      work.emplace_back([this, tag = concat(oci::referrers_tag(subject), suffix)] { return look_for_tag(tag); });
    }
  }

  Result<void> look_for_tag(const std::string& tag) {
    CG_TRY(auto stored, source_.manifest({from_, tag, std::nullopt}));
    if (!stored) return {};
    const oci::Reference target{to_, tag, std::nullopt};
    CG_TRY(const auto there, target_reader_.digest(target));
    const std::lock_guard lock(mutex_);
    if (there && *there != stored->descriptor.digest) copied_.kept.push_back(target.familiar());
    if (!there) tagged_.push_back({*std::move(stored), target, false});
    return {};
  }

  RegistryReader& source_;
  const oci::Repository& from_;
  RegistryReader& target_reader_;
  RegistryWriter& target_;
  const oci::Repository& to_;
  const CopyOptions& options_;
  const bool one_registry_, one_repository_;
  std::mutex mutex_;
  Copied copied_{.digest = oci::Digest::of("")};
  std::set<oci::Digest> written_;    ///< manifests, or found in place
  std::set<oci::Digest> blobs_;      ///< that are in place, or being brought there
  std::size_t held_ = 0;             ///< bytes of all manifests so far
  std::size_t brought_ = 0;          ///< manifests beside the image itself
  std::set<oci::Digest> referrers_;  ///< found and not looked at yet
  Nodes tagged_;                     ///< signatures by tag, the same
};

}  // namespace

Result<Copied> copy_image(RegistryReader& source, const oci::Reference& from, RegistryReader& target_reader,
                          RegistryWriter& target, const oci::Reference& to, const CopyOptions& options) {
  return Copy(source, from.repository, target_reader, target, to.repository, options).run(from, to);
}

}  // namespace crategate::registry
