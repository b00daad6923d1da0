#include "stages/local_change.h"

#include <vector>

#include "base/strings.h"
#include "pipeline/ci_image.h"

namespace crategate::stages {
namespace {

constexpr std::string_view kBranches = "refs/heads/";

/// In the order in which they are tried.
std::vector<std::string> branches_of_the_image(const config::CiImage& settings, const std::string& head_ref) {
  const std::string here = head_ref.starts_with(kBranches) ? head_ref.substr(kBranches.size()) : std::string();
  if (settings.branches.contains(here)) return {here};
  std::vector<std::string> branches;
  for (const auto& [branch, tag] : settings.branches) {
    if (tag == settings.default_tag) branches.push_back(branch);
  }
  branches.emplace_back("HEAD");
  return branches;
}

}  // namespace

Result<LocalChange> find_local_change(const config::CiImage& settings, git::Repository& repository) {
  CG_TRY(const std::string head_ref, repository.head_ref());
  for (const std::string& branch : branches_of_the_image(settings, head_ref)) {
    CG_TRY(const auto changed, repository.changed_since(concat("refs/remotes/origin/", branch), settings.watch));
    if (changed) return LocalChange{pipeline::find_watched(*changed, settings.watch), concat("origin/", branch)};
  }
  return LocalChange{};
}

}  // namespace crategate::stages
