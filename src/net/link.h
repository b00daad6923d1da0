// The Link header (RFC 8288 §3): where the next page of a list is.
// Belongs here: its grammar.  Not here: whether we go there (the callers).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "net/http.h"

namespace crategate::net {

struct Link {
  std::string target;                                           ///< between < and >, as it stands
  std::vector<std::pair<std::string, std::string>> parameters;  ///< names in lower case, values unquoted
  /// True for one of the words of the first `rel`, compared without case.
  bool has_relation(std::string_view relation) const;
};

/// Errors: integrity for what is not in the grammar: half a list must not pass for a whole one.
Result<std::vector<Link>> parse_links(std::string_view header);

/// The target of rel=next over all Link headers; nullopt = this page is the last one.
/// Errors: integrity for a header outside the grammar, or two different next pages.
Result<std::optional<std::string>> next_page(const Headers& headers);

}  // namespace crategate::net
