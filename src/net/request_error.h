// Errors that name the request they belong to.
// Belongs here: their wording.  Not here: when there is one.
#pragma once

#include "net/http.h"

namespace crategate::net {

/// `HttpFailure::code` where TLS was offered to a server that speaks something else; the error is integrity.
inline constexpr std::string_view kNoTls = "NO_TLS";

/// `error` with the request it belongs to; `status` 0 = no answer.
Error for_request(Error error, const Request& request, int status);

/// unavailable: "WHAT SERVER: WHY".
Failure no_contact(const Request& request, std::string_view what, std::string_view why);

}  // namespace crategate::net
