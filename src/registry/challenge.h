// WWW-Authenticate (RFC 9110 §11.6.1).
// Belongs here: text → challenges.  Not here: answering them (authorizer).
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace crategate::registry {

struct Challenge {
  std::string scheme;                             ///< lower case
  std::map<std::string, std::string> parameters;  ///< names in lower case
  std::string parameter(const std::string& name) const;
};

/// The challenges of one header value.
/// Errors: integrity for more than 8 KiB, more than 8 challenges, or what is no challenge at all (A52).
Result<std::vector<Challenge>> parse_challenges(std::string_view header);

}  // namespace crategate::registry
