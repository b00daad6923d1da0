// One table from status to the product's error codes, and one for what to do.
#include "github/failure.h"

#include "base/strings.h"
#include "github/permission.h"
#include "json/value.h"
#include "sys/clock.h"

namespace crategate::github {
namespace {

constexpr std::size_t kMessageLimit = 300;

std::string header_text(const net::Response& response, std::string_view name) {
  return neutralise(response.header(name).substr(0, 100));
}

struct ApiMessage {
  std::string text, code;
};

/// `message`, and the code of the first of `errors`.
ApiMessage api_message(const net::Response& response) {
  const auto document = json::Document::parse(response.body, "answer");
  if (!document || !document->root().is_object()) return {};
  ApiMessage message;
  message.text = document->root().string_or("message", "").value_or("").substr(0, kMessageLimit);
  const auto errors = document->root().find("errors");
  if (!errors || !*errors || !(*errors)->is_array()) return message;
  const auto items = (*errors)->items();
  if (items && !items->empty() && items->front().is_object())
    message.code = items->front().string_or("code", "").value_or("").substr(0, 64);
  return message;
}

ErrorCode code_for(const Answer& answer) {
  const int status = answer.response.status;
  if (!answer.by_api || status == 408 || status >= 500) return ErrorCode::unavailable;
  switch (status) {
    case 401:
      return ErrorCode::unauthenticated;
    case 403:
      return ErrorCode::forbidden;
    case 404:
    case 410:
      return ErrorCode::not_found;
    case 429:
      return ErrorCode::rate_limited;
    default:
      return ErrorCode::github_api;
  }
}

std::string hint_for(const Query& query, const Answer& answer, bool anonymous) {
  std::string permission = permission_hint(answer.response.header("x-accepted-github-permissions"), query.needs);
  if (!answer.by_api)
    return "check the repository's address: GitHub sent the request on, and the other server refused it";
  if (anonymous && (answer.response.status == 401 || answer.response.status == 403 || answer.response.status == 404))
    return concat("no token was given: set github-token to ${{ github.token }}, and ", permission);
  switch (answer.response.status) {
    case 401:
      return concat(
          "the token is wrong, or has expired: set github-token to ${{ github.token }}, or make a new one, and ",
          permission);
    case 403:
      return permission;
    case 404:
      return concat("check owner, name and number; if they are right, the token may not see it: ", permission,
                    "; a workflow's own token sees its own repository only, and public ones");
    case 410:
      return "it was removed, or its time is over: run the workflow again that made it";
    default:
      return answer.response.status >= 500 ? "try again; if it persists, look at https://www.githubstatus.com"
                                           : "GitHub does not accept the request; its message says why";
  }
}

std::string_view meaning(int status) {
  if (status == 404) return " (GitHub says the same of what is not there and of what the token may not see)";
  return {};
}

}  // namespace

HttpFailure http_failure(const Query& query, const Answer& answer) {
  return {query.method, answer.url.redacted(), answer.response.status, "",
          header_text(answer.response, "x-github-request-id")};
}

Error api_failure(const Query& query, const Answer& answer, bool anonymous) {
  const ApiMessage message = api_message(answer.response);
  const int status = answer.response.status;
  Error error;
  error.code = code_for(answer);
  error.message = concat("GitHub: cannot ", query.task, ": found ", status, meaning(status),
                         message.text.empty() ? "" : ": ", neutralise(message.text));
  error.hint = hint_for(query, answer, anonymous);
  error.http = http_failure(query, answer);
  error.http->code = neutralise(message.code);
  return error;
}

Error no_answer(const Query& query, Error error) {
  const bool answered_badly = error.code == ErrorCode::unavailable || error.code == ErrorCode::integrity;
  if (answered_badly && error.hint.empty()) error.hint = "check the network, and https://www.githubstatus.com";
  return std::move(error).within(concat("GitHub: cannot ", query.task));
}

Error limit_failure(const Query& query, const RateLimit& limit, std::chrono::system_clock::time_point until,
                    HttpFailure http) {
  Error error;
  error.code = ErrorCode::rate_limited;
  error.message = concat("GitHub: cannot ", query.task, ": ",
                         limit.is_primary ? "this hour's requests are used up" : "too many requests in a short time",
                         "; nothing more is answered until ", sys::rfc3339(until));
  error.hint =
      limit.is_primary
          ? "run again after that time; a job's token has 1000 requests an hour for its repository, no token 60"
          : "run again after that time, with fewer jobs at once";
  error.http = std::move(http);
  return error;
}

}  // namespace crategate::github
