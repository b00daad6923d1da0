// POST, JSON, Bearer (https://twitchtv.github.io/twirp/docs/spec_v7.html).
#include "actions/twirp_client.h"

#include "actions/artifact_messages.h"
#include "actions/artifact_names.h"
#include "base/strings.h"

namespace crategate::actions {
namespace {

std::string subject_of(const Call& call) {
  return call.subject.empty() ? std::string(call.method) : concat(call.method, " of ", quoted(call.subject));
}

net::Url address_of(const Call& call, net::Url service) {
  service.target = concat(kServicePath, call.method);
  return service;
}

bool is_quota(const net::Response& response) {
  return decode_message(response.body).find("insufficient usage") != std::string::npos;
}

std::string hint_for(const net::Response& response) {
  if (is_quota(response))
    return "the account's storage for artifacts is full: delete old artifacts, or raise the limit";
  switch (response.status) {
    case 401:
    case 403:
      return "the job's token is not valid (any more), or not for this run: run the job again";
    case 404:
      return "the artifact or its run is gone, or the server has no artifact service of this version";
    case 409:
      return "another job or attempt has that name: give each job's artifact a name of its own, or overwrite it";
    case 429:
      return "run the job again after that time; fewer, larger artifacts need fewer requests";
    default:
      return response.status >= 500 ? "run the job again; if it stays, look at the service's status page"
                                    : "the service does not accept the request; its message says why";
  }
}

std::string asked_to_wait(const net::Response& response) {
  const std::string after = response.header("retry-after");
  return after.empty() ? std::string() : concat(" (asked to wait ", quoted(after), ")");
}

/// An answer that cannot be read is as good as none.
Failure unreadable(const Call& call, const net::Url& service) {
  Error error{.code = ErrorCode::unavailable,
              .message = concat(subject_of(call), " was answered with something else than a JSON object"),
              .hint = "check that no proxy answers instead of the service"};
  error.http = HttpFailure{"POST", address_of(call, service).redacted(), 200, "", ""};
  return fail(std::move(error));
}

Error no_answer(const Call& call, Error error) {
  const bool lost = net::may_recover(error);
  if (lost) error.code = ErrorCode::artifact_service;
  return std::move(error).within(concat("artifact service: ", subject_of(call)));
}

}  // namespace

Error refusal(const Call& call, const net::Url& service, const net::Response& response) {
  const std::string message = decode_message(response.body);
  Error error{.code = ErrorCode::artifact_service,
              .message = concat("artifact service: ", subject_of(call), ": expected 200, found ", response.status,
                                message.empty() ? "" : ": ", message, asked_to_wait(response)),
              .hint = hint_for(response)};
  error.http = HttpFailure{"POST", address_of(call, service).redacted(), response.status, "",
                           neutralise(response.header("x-github-request-id").substr(0, 100))};
  return error;
}

net::Request TwirpClient::request(const Call& call) const {
  net::Request request{.method = "POST", .url = address_of(call, access_.service)};
  request.headers = {{"Content-Type", "application/json"},
                     {"Accept", "application/json"},
                     {"Authorization", concat("Bearer ", access_.token.reveal())}};
  request.body = call.body;
  request.timeout = silence_;
  request.ignore_cancellation = call.ignore_cancellation;
  return request;
}

Result<CallAnswer> TwirpClient::call(const Call& call, Patience& patience) {
  CallAnswer answer;
  for (int tried = 1;; ++tried) {
    auto response = http_.send(request(call));
    if (response && response->status == 200 && !is_answer(response->body)) response = unreadable(call, access_.service);
    const bool settled = !may_recover(response) || (response && is_quota(*response));
    if (!settled && !call.once) {
      answer.in_doubt = answer.in_doubt || !response || response->status != 429;
      CG_TRY(const bool again, patience.wait(tried, response));
      if (again) continue;
    }
    if (!response) return fail(no_answer(call, std::move(response).error()));
    if (!settled) return fail(refusal(call, access_.service, *response));
    answer.response = std::move(*response);
    return answer;
  }
}

Result<std::string> TwirpClient::ask(const Call& call, Patience& patience) {
  CG_TRY(CallAnswer answer, this->call(call, patience));
  if (answer.response.status == 200) return std::move(answer.response.body);
  return fail(refusal(call, access_.service, answer.response));
}

bool TwirpClient::is_alive() {
  net::Request request{.url = access_.service};
  request.timeout = silence_;
  return http_.send(request).has_value();
}

}  // namespace crategate::actions
