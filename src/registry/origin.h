// Where a registry is on the network, and which addresses it may send us to.
// Belongs here: rules about hosts as pure functions.  Not here: sending.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/http.h"

namespace crategate::registry {

/// Host and port that serve the API of `registry`: Docker Hub's is not its name.
std::string api_host(std::string_view registry);

/// localhost, 127.0.0.0/8, [::1], with or without a port.
bool is_loopback(std::string_view host);
/// A literal address of a private, link-local, loopback or otherwise special network, in any spelling.
bool is_special_address(std::string_view host);

/// Decides what a registry may send us to by a token realm, a redirect or an upload location.
class OriginPolicy {
 public:
  explicit OriginPolicy(std::vector<std::string> insecure) : insecure_(std::move(insecure)) {}
  /// True where plain HTTP may be spoken.
  bool may_be_plain(std::string_view registry) const;
  /// https, or http from a registry that may speak it; no private address from a public registry (A40, A42).
  /// Errors: integrity, naming the target and `what` it is.
  Result<void> check_target(std::string_view registry, const net::Url& target, std::string_view what) const;

  /// What a registry with a public name sends us to on another host must not resolve to a private address (A40).
  bool must_be_public(std::string_view registry, const net::Url& target) const;

 private:
  std::vector<std::string> insecure_;
};

}  // namespace crategate::registry
