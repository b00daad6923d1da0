// HttpRegistry: what the login in force may do.
#include "base/strings.h"
#include "json/value.h"
#include "registry/http_registry.h"
#include "sys/cancel.h"

namespace crategate::registry {
namespace {

/// What kept a request from being served, when it was the login; nothing for success and for what is absent.
Result<std::optional<Error>> refusal(Result<Answer> answer, int expected) {
  if (!answer) {
    const ErrorCode code = answer.error().code;
    if (code == ErrorCode::unauthenticated || code == ErrorCode::forbidden) return std::move(answer).error();
    return fail(std::move(answer).error());
  }
  const int status = answer->response.status;
  if (status == expected || (status == 404 && is_registry_404(answer->response))) return std::nullopt;
  Error error = registry_failure(answer->asked, answer->response);
  if (error.code == ErrorCode::unauthenticated || error.code == ErrorCode::forbidden) return error;
  return fail(std::move(error));
}

}  // namespace

Result<Access> HttpRegistry::check_access(const oci::Repository& repository) {
  Session& session = impl_->session;
  Access access;
  if (repository.path.empty()) {
    CG_TRY(access.no_pull, refusal(session.send_patiently({.repository = repository}), 200));
    access.user = session.user(repository.registry);
    return access;
  }
  const Query list{.repository = repository, .path = "tags/list?n=1"};
  auto listed = session.send_patiently(list);
  if (listed && listed->response.status == 200 && !json::Document::parse(listed->response.body, "tags")) {
    return fail(ErrorCode::unavailable,
                concat(repository.familiar(), ": expected a list of tags, found what no registry says"),
                "check the registry's name, and proxies in between");
  }
  CG_TRY(access.no_pull, refusal(std::move(listed), 200));
  const Query start{
      .method = "POST", .repository = repository, .path = "blobs/uploads/", .actions = std::string(kPushActions)};
  auto started = session.send_patiently(start);
  std::optional<net::Url> opened;
  if (started && started->response.status == 202) {
    CG_TRY(opened, session.location(*started));
  }
  CG_TRY(access.no_push, refusal(std::move(started), 202));
  access.asked_push = true;
  access.user = session.user(repository.registry);
  if (opened) {
    // Nothing is kept of it; a registry that cannot cancel forgets it by itself.
    const Query cancel{.method = "DELETE",
                       .repository = repository,
                       .url = opened,
                       .actions = std::string(kPushActions),
                       .public_only = true};
    net::Deadline deadline = session.deadline();
    static_cast<void>(session.send(cancel, deadline));
    CG_CHECK(sys::check_cancelled());
  }
  return access;
}

}  // namespace crategate::registry
