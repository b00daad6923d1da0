// The names of faults and requests, and what the client of a registry makes of each fault.
#include <array>

#include "simulation/process.h"

namespace crategate::simulation {

std::string_view to_string(Fault fault) {
  constexpr std::array<std::string_view, 12> kNames = {"none",         "forbidden",    "immutable", "unavailable",
                                                       "lost answer",  "rate limited", "late",      "late, refused",
                                                       "wrong digest", "not found",    "no space",  "cancelled"};
  return kNames.at(static_cast<std::size_t>(fault));
}

std::string_view to_string(Request::Kind kind) {
  constexpr std::array<std::string_view, 9> kNames = {"open",  "read", "stage", "keep", "look",
                                                      "check", "hold", "write", "wait"};
  return kNames.at(static_cast<std::size_t>(kind));
}

Error error_of(Fault fault) {
  switch (fault) {
    case Fault::forbidden:
      return {ErrorCode::forbidden, "403", "", {}, {}, {}};
    case Fault::late_refused: {
      Error error{ErrorCode::forbidden, "403 to the second try", "", {}, {}, {}};
      error.unsettled = true;
      return error;
    }
    case Fault::immutable:
      return {ErrorCode::conflict, "the registry does not do that", "", {}, {}, {}};
    case Fault::rate_limited:
      return {ErrorCode::rate_limited, "429", "", {}, {}, {}};
    case Fault::wrong_digest:
      return {ErrorCode::integrity, "other bytes than were asked for", "", {}, {}, {}};
    case Fault::not_found:
      return {ErrorCode::not_found, "404", "", {}, {}, {}};
    case Fault::no_space:
      return {ErrorCode::no_space, "no space left", "", {}, {}, {}};
    case Fault::cancelled:
      return {ErrorCode::terminated, "SIGTERM", "", {}, {}, {}};
    default:
      return {ErrorCode::unavailable, "no answer", "", {}, {}, {}};
  }
}

}  // namespace crategate::simulation
