#include "registry/remembering_reader.h"

#include "base/strings.h"

namespace crategate::registry {
namespace {

std::string key_of(const oci::Repository& repository, const oci::Digest& digest) {
  return concat(repository.registry, "/", repository.path, "@", digest.text());
}

}  // namespace

Result<std::optional<StoredManifest>> RememberingReader::manifest(const oci::Reference& reference) {
  if (reference.digest) {
    const std::lock_guard lock(mutex_);
    const auto known = manifests_.find(key_of(reference.repository, *reference.digest));
    if (known != manifests_.end()) return known->second;
  }
  CG_TRY(auto stored, inner_.manifest(reference));
  if (!stored) return std::nullopt;
  const std::lock_guard lock(mutex_);
  manifests_.insert_or_assign(key_of(reference.repository, stored->descriptor.digest), *stored);
  return stored;
}

Result<std::optional<oci::Digest>> RememberingReader::digest(const oci::Reference& reference) {
  return inner_.digest(reference);
}

Result<bool> RememberingReader::has_blob(const oci::Repository& repository, const oci::Digest& digest) {
  return inner_.has_blob(repository, digest);
}

Result<std::optional<std::string>> RememberingReader::blob(const oci::Repository& repository, const oci::Digest& digest,
                                                           std::size_t limit) {
  const std::string key = key_of(repository, digest);
  {
    const std::lock_guard lock(mutex_);
    const auto known = blobs_.find(key);
    if (known != blobs_.end() && known->second.size() <= limit) return known->second;
  }
  CG_TRY(auto bytes, inner_.blob(repository, digest, limit));
  if (!bytes) return std::nullopt;
  const std::lock_guard lock(mutex_);
  blobs_.insert_or_assign(key, *bytes);
  return bytes;
}

Result<bool> RememberingReader::read_blob(const oci::Repository& repository, const oci::Descriptor& blob,
                                          const net::BodySink& sink) {
  return inner_.read_blob(repository, blob, sink);
}

Result<std::optional<std::vector<std::string>>> RememberingReader::tags(const oci::Repository& repository) {
  return inner_.tags(repository);
}

Result<std::vector<oci::Descriptor>> RememberingReader::referrers(const oci::Repository& repository,
                                                                  const oci::Digest& subject) {
  return inner_.referrers(repository, subject);
}

}  // namespace crategate::registry
