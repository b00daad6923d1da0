// Certificates beside the system's: which authorities a host may use, and what we show to it.
// Belongs here: which files count for which host.  Not here: what is in them (tls).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "net/http.h"
#include "sys/file_system.h"

namespace crategate::net {

struct TlsMaterial {
  std::vector<sys::Path> authorities;  ///< PEM; trusted for this host in addition to the system's
  sys::Path certificate, key;          ///< PEM; ours for this host, or both empty
};

/// By host[:port] in lower case; without a port it is the one of https.
using TlsMaterials = std::map<std::string, TlsMaterial>;

/// What there is for the server of `url`; null = only the system's authorities.
const TlsMaterial* material_for(const TlsMaterials& materials, const Url& url);

/// Docker's layout: DIRECTORY/HOST[:PORT]/ with *.crt (authorities) and one pair *.cert and *.key (ours).
///
/// An absent directory is an empty one. Other files are passed over.
/// Errors: bad_input for half a pair, or two pairs; what the file system answers.
Result<TlsMaterials> read_certificate_directory(const sys::FileSystem& files, const sys::Path& directory);

}  // namespace crategate::net
