#include "pipeline/ci_tags.h"

#include <algorithm>

#include "base/sha256.h"
#include "base/strings.h"
#include "oci/reference.h"

namespace crategate::pipeline {
namespace {

constexpr std::size_t kTagLimit = 128;
constexpr std::size_t kHashDigits = 8, kShortCommit = 7;
constexpr std::uint64_t kLargestNumber = std::uint64_t{1} << 53;  ///< that JSON keeps
constexpr std::string_view kPullRequest = "pr-", kCommit = "-sha-", kHexDigits = "0123456789abcdef";
constexpr std::string_view kTagCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";

/// Every run of other characters is one hyphen; a tag begins with neither `.` nor `-`.
std::string slug_of(std::string_view branch) {
  std::string slug;
  bool replaced = false;
  for (const char c : branch) {
    const bool fits = kTagCharacters.find(c) != std::string_view::npos;
    if (fits) slug += c;
    if (!fits && !replaced) slug += '-';
    replaced = !fits;
  }
  slug.erase(0, std::min(slug.find_first_not_of(".-"), slug.size()));
  return slug.empty() ? "branch" : slug;
}

bool is_of_a_pull_request(std::string_view tag) {
  return tag.starts_with(kPullRequest) && tag.size() > kPullRequest.size() &&
         tag.find_first_not_of("0123456789", kPullRequest.size()) == std::string_view::npos;
}

/// Ends in `-sha-COMMIT`, with or without the digits of a changed name.
bool is_of_a_commit(std::string_view tag) {
  const auto at = tag.rfind(kCommit);
  if (at == std::string_view::npos) return false;
  const std::string_view rest = tag.substr(at + kCommit.size());
  const std::string_view commit = rest.substr(0, rest.find('-'));
  const bool long_enough = commit.size() == kShortCommit || commit.size() == 40 || commit.size() == 64;
  return long_enough && commit.find_first_not_of(kHexDigits) == std::string_view::npos;
}

/// Empty = a branch may have it.
std::string_view owner_of(std::string_view tag) {
  if (is_of_a_pull_request(tag)) return "a pull request";
  if (is_of_a_commit(tag)) return "a commit";
  if (tag == kCacheTag) return "the build cache";
  if (tag == kLocalTag) return "images that are built on a machine";
  if (tag == kForkTag) return "images of forks";
  return {};
}

Result<void> check_tag(const std::string& setting, const std::string& tag) {
  const auto parsed = oci::parse_tag(tag);
  if (!parsed) return fail(Error(parsed.error()).within(setting));
  const std::string_view owner = owner_of(tag);
  if (owner.empty()) return {};
  return fail(
      ErrorCode::bad_input,
      concat(setting, ": expected a tag of the branch's own, found ", quoted(tag), ", which belongs to ", owner),
      "Choose another tag, for example latest: what belongs to something else is overwritten and removed.");
}

}  // namespace

std::string pull_request_tag(std::int64_t number) { return concat(kPullRequest, number); }

std::optional<std::int64_t> pull_request_of(std::string_view tag) {
  if (!is_of_a_pull_request(tag)) return std::nullopt;
  const auto number = parse_unsigned(tag.substr(kPullRequest.size()));
  if (!number || *number == 0 || *number > kLargestNumber) return std::nullopt;
  const auto found = static_cast<std::int64_t>(*number);
  if (pull_request_tag(found) != tag) return std::nullopt;  // zeros in front: nobody's
  return found;
}

std::string mapped_tag(std::string_view branch, const config::CiImage& settings) {
  const auto found = settings.branches.find(std::string(branch));
  return found == settings.branches.end() ? std::string() : found->second;
}

std::string branch_tag(std::string_view branch, const config::CiImage& settings) {
  auto tag = mapped_tag(branch, settings);
  return tag.empty() ? settings.default_tag : tag;
}

std::string commit_tag(std::string_view branch, std::string_view commit) {
  const std::string end = concat(kCommit, commit);
  std::string slug = slug_of(branch);
  if (slug == branch && slug.size() + end.size() <= kTagLimit) return slug + end;
  // The digits stand at the end: no branch whose name needed no change can have a tag that ends like this.
  slug.resize(std::min(slug.size(), kTagLimit - end.size() - kHashDigits - 1));
  return concat(slug, end, "-", sha256_hex(branch).substr(0, kHashDigits));
}

std::string commit_tag(std::string_view branch, std::string_view commit, const config::CiImage& settings) {
  return commit_tag(branch, settings.commit == "short" ? commit.substr(0, kShortCommit) : commit);
}

Result<void> check_tags(const config::CiImage& settings) {
  CG_CHECK(check_tag("ci-image.default-tag", settings.default_tag));
  for (const auto& [branch, tag] : settings.branches) CG_CHECK(check_tag(concat("ci-image.branches.", branch), tag));
  return {};
}

}  // namespace crategate::pipeline
