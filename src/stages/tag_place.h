// Where the tags of a repository are, and how one of them goes.
// Belongs here: a registry, and GitHub's packages, whose registry deletes nothing.  Not here: which tags go (prune_ci_image).
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "github/packages.h"
#include "registry/client.h"

namespace crategate::stages {

class TagPlace {
 public:
  virtual ~TagPlace() = default;
  virtual Result<std::vector<std::string>> tags() = 0;
  /// Why the tag stays; empty = it is gone, or would be without `really`, which changes nothing. No tag but those of
  /// `unwanted` is ever removed with it.
  virtual Result<std::string> remove(const std::string& tag, const std::set<std::string>& unwanted, bool really) = 0;
};

/// One tag at a time: what it names stays.
class RegistryTags final : public TagPlace {
 public:
  RegistryTags(oci::Repository repository, registry::RegistryReader& reader, registry::RegistryWriter& writer)
      : repository_(std::move(repository)), reader_(reader), writer_(writer) {}
  Result<std::vector<std::string>> tags() override;
  Result<std::string> remove(const std::string& tag, const std::set<std::string>& unwanted, bool really) override;

 private:
  oci::Repository repository_;
  registry::RegistryReader& reader_;
  registry::RegistryWriter& writer_;
};

/// The versions of a package: GitHub takes all tags of one or none. Each is read once more before it is deleted, as a merge
/// may have given it another tag meanwhile.
class PackageTags final : public TagPlace {
 public:
  PackageTags(github::ContainerPackage package, github::PackageClient& client)
      : package_(std::move(package)), client_(client) {}
  Result<std::vector<std::string>> tags() override;
  Result<std::string> remove(const std::string& tag, const std::set<std::string>& unwanted, bool really) override;

 private:
  github::ContainerPackage package_;
  github::PackageClient& client_;
  std::vector<github::PackageVersion> versions_;
};

}  // namespace crategate::stages
