// How a remote is reached from a repository of our own: its address, and the credentials that the checkout has for it.
// Belongs here: what is taken over from the checkout.  Not here: what is asked of the remote (ref_store).
//
// Of the checkout's own configuration only addresses and `http.*.extraheader` count (actions/checkout leaves the token
// there): a step of the job may have written the rest, and a helper, an ssh command or a proxy would be run.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/secret.h"
#include "git/remote_address.h"
#include "sys/environment.h"
#include "sys/process.h"

namespace crategate::git {

/// The name by which `variables` know the remote.
inline constexpr std::string_view kRemoteName = "crategate";

/// That `remote` can be one: a plain name, or an address or path that may be spoken to. Asks nobody.
/// Errors: bad_input, as find_remote_access.
Result<void> check_remote(const sys::Path& directory, const std::string& remote);

/// What a remote is asked for, which says by which address, where a checkout has two, and how its objects are checked.
enum class Use : unsigned char {
  exchange,  ///< read and written: where the checkout pushes to
  history    ///< compared only: where the checkout fetches from, by git's least rules, for it may be old
};

struct RemoteAccess {
  RemoteAddress address;
  /// Environment of git: it may speak to the remote, with the configuration above. Holds credentials.
  std::map<std::string, std::string> variables;
};

/// `remote`: the name of a remote of the checkout in `directory`, an address, or a path (relative to it). `token` is for
/// an https remote on the host of GITHUB_SERVER_URL for which the checkout has no header. A person's own configuration
/// (credential helpers, ssh) counts outside of a workflow's jobs; in one, a remote's name stands for https or ssh only.
/// Errors: bad_input when there is no such remote, or its address is none that may be spoken to.
Result<RemoteAccess> find_remote_access(sys::ProcessRunner& processes, const sys::Environment& environment,
                                        const sys::Path& directory, const std::string& remote, const Secret& token,
                                        Use use = Use::exchange);

}  // namespace crategate::git
