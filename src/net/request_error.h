// Errors that name the request they belong to.
// Belongs here: their wording.  Not here: when there is one.
#pragma once

#include "net/http.h"

namespace crategate::net {

/// `HttpFailure::code` where TLS was offered to a server that speaks something else; the error is integrity.
inline constexpr std::string_view kNoTls = "NO_TLS";

/// `HttpFailure::code` where an answer ended before it was complete; the error is integrity.
inline constexpr std::string_view kCutShort = "CUT_SHORT";
/// Another answer may come whole: unlike that of bytes that are other ones than expected.
bool is_cut_short(const Error& error);

/// `error` with the request it belongs to; `status` 0 = no answer.
Error for_request(Error error, const Request& request, int status);

/// unavailable: "WHAT SERVER: WHY".
Failure no_contact(const Request& request, std::string_view what, std::string_view why);

}  // namespace crategate::net
