// WWW-Authenticate (RFC 9110 §11.6.1).
// Belongs here: text → challenges.  Not here: answering them (authorizer).
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/http.h"

namespace crategate::registry {

struct Challenge {
  std::string scheme;                             ///< lower case
  std::string token68;                            ///< of schemes that have no parameters
  std::map<std::string, std::string> parameters;  ///< names in lower case, values without quotation marks
  /// Empty = there is none.
  std::string parameter(const std::string& name) const;
  bool operator==(const Challenge&) const = default;
};

/// The challenges of one header value.
/// Errors: integrity for more than 8 KiB, more than 8 challenges, a parameter twice, or what is not in the grammar (A52).
Result<std::vector<Challenge>> parse_challenges(std::string_view header);

/// The same over all WWW-Authenticate headers of an answer, with the same limits for all of them together.
Result<std::vector<Challenge>> challenges_of(const net::Headers& headers);

}  // namespace crategate::registry
