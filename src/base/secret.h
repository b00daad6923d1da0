// Secrets, and the one redactor every sink uses.
#pragma once

#include <string>
#include <string_view>

namespace crategate {

/// A credential. It has no formatter; creating one (6 characters or more) registers it and its derived
/// forms (base64 with three shifts, URL-encoded, JSON-escaped, hex) with `redact`.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value);
  /// The plain text; to be called in base/hmac, base/rs256, net, registry, docker, git, github and actions only.
  const std::string& reveal() const { return value_; }
  bool empty() const { return value_.empty(); }

 private:
  std::string value_;
};

/// `text` with every registered secret replaced by `***`.
/// Effects: none (reads the process-wide set of secrets; thread-safe).
std::string redact(std::string_view text);

}  // namespace crategate
