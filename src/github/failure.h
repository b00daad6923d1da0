// What the API's error answers mean (https://docs.github.com/rest/using-the-rest-api/troubleshooting-the-rest-api).
// Belongs here: answer → Error.  Not here: retrying (session).
#pragma once

#include <chrono>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/result.h"
#include "base/strings.h"
#include "github/limits.h"
#include "github/query.h"

namespace crategate::github {

/// The error for an answer that is no success; `anonymous`: it was asked without a token.
///
/// Returns:  unauthenticated 401 · forbidden 403 · not_found 404 and 410 · rate_limited 429 · unavailable 5xx, 408 and
///           answers of another server after a redirect · github_api for the rest
Error api_failure(const Query& query, const Answer& answer, bool anonymous);

/// The error when nobody answered, or not to the end, with the same frame.
Error no_answer(const Query& query, Error error);

/// The error when waiting for a limit to end would take too long.
Error limit_failure(const Query& query, const RateLimit& limit, std::chrono::system_clock::time_point until,
                    HttpFailure http);

/// Method, address, status and GitHub's id of the request.
HttpFailure http_failure(const Query& query, const Answer& answer);

/// `reading` of an answer, with the question that it belongs to.
template <class T>
Result<T> answer_to(const Query& query, Result<T> reading) {
  if (reading) return reading;
  return fail(std::move(reading).error().within(concat("GitHub: cannot ", query.task)));
}

}  // namespace crategate::github
