// Revisions come from events and users: checked before git sees them.
#include "git/revision.h"

#include <algorithm>

#include "base/strings.h"

namespace crategate::git {

Result<void> check_revision(std::string_view revision) {
  constexpr std::size_t kLongest = 1024;
  const auto bad = [](char c) {
    return (c >= 0 && c <= ' ') || c == '\x7f' || std::string_view(":?*[\\").find(c) != std::string_view::npos;
  };
  if (!revision.empty() && revision.size() <= kLongest && revision.front() != '-' && revision.front() != '^' &&
      revision.find("..") == std::string_view::npos && std::none_of(revision.begin(), revision.end(), bad))
    return {};
  return fail(ErrorCode::bad_input, concat("not a git revision: ", quoted(revision)),
              "name a commit, a branch or a tag");
}

bool is_oid(std::string_view text) {
  constexpr std::size_t kSha1 = 40, kSha256 = 64;
  return (text.size() == kSha1 || text.size() == kSha256) &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace crategate::git
