// Wording.
#include "net/request_error.h"

#include "base/strings.h"

namespace crategate::net {

bool is_cut_short(const Error& error) { return error.http && error.http->code == kCutShort; }

Error for_request(Error error, const Request& request, int status) {
  if (!error.http) error.http = HttpFailure{.method = request.method, .url = request.url.redacted(), .status = status};
  return error;
}

Failure no_contact(const Request& request, std::string_view what, std::string_view why) {
  const std::string server = request.unix_socket.empty() ? request.url.origin() : request.unix_socket;
  Error error{.code = ErrorCode::unavailable,
              .message = concat(what, " ", server, why.empty() ? "" : ": ", why),
              .hint = "check that the server runs and can be reached from here, then try again"};
  return fail(for_request(std::move(error), request, 0));
}

}  // namespace crategate::net
