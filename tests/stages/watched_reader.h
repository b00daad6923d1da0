// A registry that a test can take away.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "registry/client.h"

namespace crategate::stages::sample {

/// Answers as a layout does, or not at all.
class WatchedReader : public registry::RegistryReader {
 public:
  explicit WatchedReader(registry::RegistryReader& inner) : inner_(inner) {}
  Result<std::optional<registry::StoredManifest>> manifest(const oci::Reference& reference) override {
    if (down) return fail(*down);
    return inner_.manifest(reference);
  }
  Result<std::optional<oci::Digest>> digest(const oci::Reference& reference) override {
    if (down) return fail(*down);
    return inner_.digest(reference);
  }
  Result<bool> has_blob(const oci::Repository& repository, const oci::Digest& digest) override {
    return inner_.has_blob(repository, digest);
  }
  Result<std::optional<std::string>> blob(const oci::Repository& repository, const oci::Digest& digest,
                                          std::size_t limit) override {
    return inner_.blob(repository, digest, limit);
  }
  Result<bool> read_blob(const oci::Repository& repository, const oci::Descriptor& blob,
                         const net::BodySink& sink) override {
    return inner_.read_blob(repository, blob, sink);
  }
  Result<std::optional<std::vector<std::string>>> tags(const oci::Repository& repository) override {
    return inner_.tags(repository);
  }
  Result<std::vector<oci::Descriptor>> referrers(const oci::Repository& repository,
                                                 const oci::Digest& subject) override {
    return inner_.referrers(repository, subject);
  }
  bool is_anonymous(const std::string&) override { return anonymous; }

  std::optional<Error> down;
  bool anonymous = false;

 private:
  registry::RegistryReader& inner_;
};

}  // namespace crategate::stages::sample
