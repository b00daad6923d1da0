// Session, the half that reads: JSON, lists over pages, addresses.
#include "base/strings.h"
#include "github/failure.h"
#include "github/session.h"
#include "net/link.h"

namespace crategate::github {
namespace {

constexpr int kMaxPages = 100;

/// `error` of what an answer says, with the question and the answer that it belongs to.
Failure about(const Query& query, const Answer& answer, Error error) {
  if (!error.http) error.http = http_failure(query, answer);
  if (error.hint.empty()) error.hint = "try again; if it persists, something between here and GitHub changes answers";
  return fail(no_answer(query, std::move(error)));
}

/// Half a list is a failure of GitHub's interface, wherever the header was changed.
Error not_a_link(Error error) {
  error.code = ErrorCode::github_api;
  error.hint = "try again; a proxy between here and GitHub may have changed the answer";
  return error;
}

Result<json::Document> parse(const Query& query, const Answer& answer) {
  auto document = json::Document::parse(answer.response.body, "the answer",
                                        {.max_bytes = kAnswerLimit, .max_depth = 64}, ErrorCode::github_api);
  if (!document) return about(query, answer, std::move(document).error());
  return document;
}

}  // namespace

Result<json::Document> Session::read(const Query& query) {
  net::Deadline end = deadline();
  CG_TRY(const Answer answer, send(query, end));
  return parse(query, answer);
}

Result<net::Url> Session::page_after(const Answer& answer, const std::string& target) const {
  CG_TRY(net::Url next, net::resolve(answer.url, target));
  if (answer.by_api && next.origin() == endpoint_.base.origin()) return next;
  return fail(ErrorCode::integrity,
              concat("the next page is at ", next.redacted(), ": expected an address of ", endpoint_.base.origin()));
}

Result<void> Session::each_page(Query query, const std::function<Result<void>(const json::Reader&)>& take) {
  net::Deadline end = deadline();
  for (int page = 1; page <= kMaxPages; ++page) {
    CG_TRY(const Answer answer, send(query, end));
    CG_TRY(const json::Document document, parse(query, answer));
    auto taken = take(document.root());
    if (!taken) return about(query, answer, std::move(taken).error());
    auto target = net::next_page(answer.response.headers);
    if (!target) return about(query, answer, not_a_link(std::move(target).error()));
    if (!*target) return {};
    auto next = page_after(answer, **target);
    if (!next) return about(query, answer, std::move(next).error());
    query.url = std::move(*next);
  }
  return fail(ErrorCode::github_api,
              concat("GitHub: cannot ", query.task, ": expected at most ", kMaxPages, " pages, found more"),
              "ask for less, by a name or another filter");
}

Result<net::Url> Session::location(const Query& query, net::Deadline& deadline) {
  CG_TRY(const Answer answer, send(query, deadline));
  if (answer.response.status < 300)
    return about(query, answer,
                 {.code = ErrorCode::github_api,
                  .message = concat("expected a redirect to the content, found ", answer.response.status)});
  auto url = net::resolve(answer.url, answer.response.header("location"));
  if (!url) return about(query, answer, std::move(url).error());
  return url;
}

}  // namespace crategate::github
