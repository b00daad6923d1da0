#include "git/ref_failure.h"

#include <algorithm>
#include <string>

#include "base/secret.h"
#include "base/strings.h"

namespace crategate::git {
namespace {

constexpr std::size_t kLongest = 300;
constexpr std::string_view kRights =
    "Give the job `permissions: contents: write` and check out with its token, or use a login that may push "
    "refs/crategate/*; docs/leases.md";

constexpr std::string_view kBranches = "refs/heads/";
constexpr std::string_view kRightsOfBranch =
    "Give the job `permissions: contents: write`. A rule or a hook of the branch, which the server names, keeps it "
    "from "
    "whoever pushes: let them bypass it, or commit by hand.";
constexpr std::string_view kServerSays = "remote: ";

struct Words {
  std::string_view text;  ///< lower case
  ErrorCode code;
};
constexpr Words kWords[] = {
    {"could not read username", ErrorCode::unauthenticated},
    {"could not read password", ErrorCode::unauthenticated},
    {"authentication failed", ErrorCode::unauthenticated},
    {"returned error: 401", ErrorCode::unauthenticated},
    {"permission denied (", ErrorCode::unauthenticated},
    {"host key verification failed", ErrorCode::unauthenticated},
    {"returned error: 403", ErrorCode::forbidden},
    {"denied to", ErrorCode::forbidden},
    {"write access to repository not granted", ErrorCode::forbidden},
    {"dubious ownership", ErrorCode::forbidden},
    {"insufficient permission", ErrorCode::forbidden},
    {"returned error: 30", ErrorCode::not_found},  // moved: a redirect is not followed
    {"repository not found", ErrorCode::not_found},
    {"returned error: 404", ErrorCode::not_found},
    {"not appear to be a git repository", ErrorCode::not_found},
    {"does not exist", ErrorCode::not_found},
    {"' not found", ErrorCode::not_found},
};

std::string shown(const RemoteAddress& remote, std::string_view output) {
  std::string text = replace_all(std::string(trim(output)), remote.text, remote.shown);
  if (!remote.password.empty()) text = replace_all(std::move(text), remote.password, "***");
  return quoted(redact(replace_all(std::move(text), "\n", "; ")), kLongest);
}

std::string_view hint_of(ErrorCode code) {
  if (code == ErrorCode::not_found)
    return "Correct the address of the remote (release.lease-remote, regen.remote); a private repository looks like "
           "none to a login that may not read it.";
  return code == ErrorCode::unavailable ? "Run the same command again." : kRights;
}

}  // namespace

Error remote_failure(std::string_view doing, const RemoteAddress& remote, std::string_view output) {
  const std::string words = to_lower(output);
  const auto* const found =
      std::ranges::find_if(kWords, [&](const Words& row) { return words.find(row.text) != std::string::npos; });
  const ErrorCode code = found == std::end(kWords) ? ErrorCode::unavailable : found->code;
  return {code,
          concat("cannot ", doing, " in ", remote.shown, ": ", shown(remote, output)),
          std::string(hint_of(code)),
          {},
          std::nullopt,
          std::nullopt};
}

Error refused_push(std::string_view ref, const RemoteAddress& remote, std::string_view reason,
                   std::string_view output) {
  std::string said(reason);
  for (const std::string& line : split(output, '\n')) {
    const std::string_view words =
        line.starts_with(kServerSays) ? trim(std::string_view(line).substr(kServerSays.size())) : "";
    if (!words.empty()) said += concat("; ", words);
  }
  return {ErrorCode::forbidden,
          concat("cannot write ", ref, " in ", remote.shown, ": it refused, ", shown(remote, said)),
          std::string(ref.starts_with(kBranches) ? kRightsOfBranch : kRights),
          {},
          std::nullopt,
          std::nullopt};
}

}  // namespace crategate::git
