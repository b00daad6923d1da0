// Which permission a request needs, in the words of a workflow
// (https://docs.github.com/actions/reference/workflow-syntax-for-github-actions#permissions).
// Belongs here: headers and names → one line of advice.  Not here: errors (failure).
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace crategate::github {

/// "actions" → "read"; names as a workflow writes them.
using PermissionSet = std::vector<std::pair<std::string, std::string>>;

/// X-Accepted-GitHub-Permissions: "contents=read,pull_requests=write; administration=write" → its alternatives.
/// What is not such a list is left out.
std::vector<PermissionSet> accepted_permissions(std::string_view header);

/// True for a key of `permissions:`; the others can be given to an app's or a personal token only.
bool can_be_granted(const PermissionSet& set);

/// "add `permissions: actions: read` to the job …". `needs`: what we know the request to need, "actions: read";
/// `header` knows better. Empty needs: nothing that a workflow could grant.
std::string permission_hint(std::string_view header, std::string_view needs);

}  // namespace crategate::github
