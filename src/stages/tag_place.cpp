#include "stages/tag_place.h"

#include <algorithm>
#include <optional>

#include "base/strings.h"
#include "registry/failure.h"
#include "registry/untag.h"

namespace crategate::stages {
namespace {

bool names(const github::PackageVersion& version, const std::string& tag) {
  return std::ranges::find(version.tags, tag) != version.tags.end();
}

/// Empty = nothing else would go with it.
std::string reason_to_keep(const github::PackageVersion& version, const std::set<std::string>& unwanted) {
  std::vector<std::string> others;
  for (const auto& tag : version.tags)
    if (!unwanted.contains(tag)) others.push_back(tag);
  return others.empty() ? std::string() : concat("the same image is ", join(others, ", "));
}

}  // namespace

Result<std::vector<std::string>> RegistryTags::tags() {
  CG_TRY(auto tags, reader_.tags(repository_));
  if (tags || !reader_.is_anonymous(repository_.registry)) return std::move(tags).value_or(std::vector<std::string>{});
  return fail(ErrorCode::not_found,
              concat("the tags of ", repository_.familiar(), ": found none that are shown without a login"),
              registry::login_hint(repository_.registry, "pull", false));
}

Result<std::string> RegistryTags::remove(const std::string& tag, const std::set<std::string>& /*unwanted*/,
                                         bool really) {
  if (really) CG_CHECK(registry::remove_tag(reader_, writer_, {repository_, tag, std::nullopt}));
  return std::string();
}

Result<std::vector<std::string>> PackageTags::tags() {
  CG_TRY(versions_, client_.package_versions(package_));
  std::vector<std::string> tags;
  for (const auto& version : versions_) tags.insert(tags.end(), version.tags.begin(), version.tags.end());
  return tags;
}

Result<std::string> PackageTags::remove(const std::string& tag, const std::set<std::string>& unwanted, bool really) {
  const auto listed = std::ranges::find_if(versions_, [&tag](const auto& version) { return names(version, tag); });
  if (listed == versions_.end()) return std::string();
  std::string reason = reason_to_keep(*listed, unwanted);
  if (!reason.empty() || !really) return reason;
  CG_TRY(const auto version, client_.package_version(package_, listed->id));
  // Gone: with another of its tags, or by somebody else.
  if (!version) return std::string();
  if (!names(*version, tag)) return std::string("it names another image by now");
  reason = reason_to_keep(*version, unwanted);
  if (reason.empty()) CG_CHECK(client_.delete_package_version(package_, version->id));
  return reason;
}

}  // namespace crategate::stages
