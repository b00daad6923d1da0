// HttpRegistry: manifests and deletion.
// Belongs here: writing and reading back what was written.  Not here: blobs (upload).
#include <algorithm>

#include "base/strings.h"
#include "registry/http_registry.h"
#include "registry/referrers.h"
#include "sys/cancel.h"

namespace crategate::registry {
namespace {

using std::chrono::milliseconds;

Result<std::string> checked_media_type(const oci::Reference& reference, std::string_view bytes,
                                       std::string_view media_type, const oci::Digest& digest) {
  if (bytes.size() > oci::kManifestLimit) {
    return fail(ErrorCode::bad_input,
                concat(reference.familiar(), ": expected a manifest of at most ", format_bytes(oci::kManifestLimit),
                       ", found ", format_bytes(bytes.size())));
  }
  if (reference.digest && *reference.digest != digest) {
    return fail(ErrorCode::integrity,
                concat(reference.familiar(), ": expected a manifest of that digest, found ", digest.text()));
  }
  return oci::manifest_media_type(bytes, media_type);
}

constexpr milliseconds kStale = std::chrono::seconds(10);  ///< for how long something else may still be served

/// Whether the registry serves exactly this under the reference. Absent, or for a while something else = not yet: some
/// answer before all of their machines know (B05).
Result<void> read_back(HttpRegistry& registry, Session& session, const oci::Reference& reference,
                       const oci::Digest& digest) {
  net::Deadline deadline(session.clock(), session.patience().lag);
  milliseconds pause{200};
  while (true) {
    CG_TRY(const auto served, registry.digest(reference));
    if (served && *served == digest) return {};
    if (served && session.patience().lag - deadline.left() >= kStale) {
      return fail(
          ErrorCode::integrity,
          concat(reference.familiar(), ": expected ", digest.text(), " after writing it, found ", served->text()),
          "something else writes to the same tag, or the registry ignored the write; run again");
    }
    CG_CHECK(sys::check_cancelled());
    if (!deadline.sleep(std::min(pause, deadline.left())) || deadline.left() == milliseconds(0)) break;
    pause *= 2;
  }
  return fail(ErrorCode::unavailable,
              concat(reference.familiar(), ": expected ", digest.text(), " after writing it, found nothing yet"),
              "the registry accepted the manifest but does not serve it yet; run again");
}

Query put_of(const oci::Reference& reference, std::string path, std::string_view bytes, const std::string& type) {
  return {.method = "PUT",
          .repository = reference.repository,
          .path = std::move(path),
          .actions = std::string(kPushActions),
          .headers = {{"Content-Type", type}},
          .body = std::string(bytes)};
}

Result<void> write_list(Session& session, const oci::Reference& tag, const oci::Index& list) {
  CG_TRY(std::string path, manifest_path(tag));
  CG_TRY(const Answer answer, session.send_patiently(put_of(tag, std::move(path), list.to_json(), list.media_type)));
  if (answer.response.status >= 200 && answer.response.status < 300) return {};
  return fail(registry_failure(answer.asked, answer.response));
}

Lists lists_of(HttpRegistry& registry, Session& session, std::mutex& changing) {
  const auto wait = [&session](int n) {
    const net::RetryPolicy pauses{.tries = n + 1, .first = milliseconds(100), .longest = milliseconds(5000)};
    session.clock().sleep(net::backoff(pauses, n, session.patience().random()).value_or(pauses.longest));
  };
  return {.reader = registry,
          .write = [&session](const auto& tag, const auto& list) { return write_list(session, tag, list); },
          .wait = wait,
          .changing = changing};
}

/// What a manifest refers to, before it is deleted. What cannot be read is deleted all the same.
std::optional<oci::Referral> referral_of(RegistryReader& registry, const oci::Reference& reference) {
  if (!reference.digest) return std::nullopt;
  const auto stored = registry.manifest(reference);
  if (!stored || !*stored) return std::nullopt;
  const auto referral = oci::parse_referral((*stored)->bytes, (*stored)->descriptor.media_type);
  return referral ? *referral : std::nullopt;
}

Result<void> unlist(HttpRegistry& registry, Session& session, std::mutex& changing, const oci::Reference& reference,
                    const oci::Referral& gone) {
  // Also where the registry lists by itself: one that does without saying so was given a list as well.
  auto unlisted = unlist_referrer(lists_of(registry, session, changing), reference.repository, gone);
  if (unlisted) return {};
  CG_TRY(const bool by_registry, lists_referrers(session, reference.repository, gone.subject));
  if (by_registry) return {};
  return unlisted;
}

/// Where a registry does not delete over its API.
std::string deletion_hint(const oci::Reference& reference) {
  if (reference.repository.registry == "ghcr.io") {
    return "GitHub deletes versions of a package only, not over this API: `crategate ci-image prune` does so for tags "
           "of "
           "pull requests; else use the package's page";
  }
  if (reference.repository.registry == "docker.io") return "Docker Hub removes tags on the repository's page only";
  return concat("the registry does not delete ", reference.digest ? "manifests" : "tags",
                " over its API, or deletion is switched off (distribution: REGISTRY_STORAGE_DELETE_ENABLED=true); else "
                "use the registry's own tools");
}

/// A manifest on its way: what it is called, as what.
struct Sending {
  oci::Digest digest;
  std::string media_type;
  Query query;
  bool guarded = false;  ///< not again where the tag names neither this nor `before`
  std::optional<oci::Digest> before{};
};

Result<Sending> sending(const oci::Reference& reference, std::string_view bytes, std::string_view media_type) {
  oci::Digest digest = reference.digest ? oci::digest_like(*reference.digest, bytes) : oci::Digest::of(bytes);
  CG_TRY(std::string checked, checked_media_type(reference, bytes, media_type, digest));
  CG_TRY(std::string path, manifest_path(reference));
  Query query = put_of(reference, std::move(path), bytes, checked);
  return Sending{.digest = std::move(digest), .media_type = std::move(checked), .query = std::move(query)};
}

Error moved_meanwhile(const oci::Reference& reference, const std::optional<oci::Digest>& served) {
  return {ErrorCode::conflict,
          concat(reference.familiar(), ": somebody else moved it while it was being written; it names ",
                 served ? served->text() : std::string("nothing"), " now"),
          "look at who writes this tag, and run it again",
          {},
          std::nullopt,
          std::nullopt};
}

/// What the registry acknowledged with; nullopt = without an answer it was found in place.
Result<std::optional<net::Response>> send(HttpRegistry& registry, Session& session, const oci::Reference& reference,
                                          const Sending& sending) {
  net::Deadline deadline = session.deadline();
  bool unanswered = false;
  const auto failure = [&unanswered](Error error) {
    error.unsettled = unanswered;
    return fail(std::move(error));
  };
  for (int failed = 1;; ++failed) {
    auto answer = session.send(sending.query, deadline);
    const int status = answer ? answer->response.status : 0;
    if (status >= 200 && status < 300) return std::move(answer->response);
    const bool again = session.wait_for_another_try(answer, failed, deadline);
    CG_CHECK(sys::check_cancelled());
    // Without an answer it may have arrived: what is served decides, before anything is written once more (B09).
    const bool may_have_arrived = status == 0 || status >= 500;
    unanswered = unanswered || may_have_arrived;
    if (may_have_arrived || (again && sending.guarded)) {
      const auto served = registry.digest(reference);
      if (served && *served && **served == sending.digest) return std::nullopt;
      if (sending.guarded && served && *served != sending.before) return failure(moved_meanwhile(reference, *served));
      if (sending.guarded && !served) return failure(served.error());
    }
    if (again) continue;
    return failure(answer ? registry_failure(answer->asked, answer->response) : std::move(answer).error());
  }
}

}  // namespace

Result<oci::Digest> HttpRegistry::put_manifest(const oci::Reference& reference, std::string_view bytes,
                                               std::string_view media_type) {
  Session& session = impl_->session;
  const Lists lists = lists_of(*this, session, impl_->listing);
  CG_TRY(const Sending manifest, sending(reference, bytes, media_type));
  CG_TRY(const auto acknowledged, send(*this, session, reference, manifest));
  if (!acknowledged) {
    CG_CHECK(list_unless_listed(lists, reference.repository, bytes, manifest.media_type));
    return manifest.digest;
  }
  CG_CHECK(read_back(*this, session, reference, manifest.digest));
  if (acknowledged->header("oci-subject").empty()) {
    CG_CHECK(list_as_referrer(lists, reference.repository, bytes, manifest.media_type));
  }
  return manifest.digest;
}

Result<void> HttpRegistry::point_tag(const oci::Reference& tag, const std::optional<oci::Digest>& before,
                                     std::string_view bytes, std::string_view media_type) {
  CG_TRY(Sending manifest, sending(tag, bytes, media_type));
  manifest.guarded = true;
  manifest.before = before;
  CG_CHECK(send(*this, impl_->session, tag, manifest));
  return {};
}

Result<bool> HttpRegistry::remove_manifest(const oci::Reference& reference) {
  Query query{.method = "DELETE", .repository = reference.repository, .actions = std::string(kDeleteActions)};
  CG_TRY(query.path, manifest_path(reference));
  const auto gone = referral_of(*this, reference);
  CG_CHECK(sys::check_cancelled());
  CG_TRY(const Answer answer, impl_->session.send_patiently(query));
  const int status = answer.response.status;
  if (status >= 200 && status < 300) {
    auto unlisted = gone ? unlist(*this, impl_->session, impl_->listing, reference, *gone) : Result<void>{};
    if (unlisted) return true;
    return fail(std::move(unlisted).error().within(
        concat(reference.familiar(), " was deleted; taking it off the list of what refers to its subject")));
  }
  if (status == 404) {
    CG_CHECK(require_registry_404(answer));
    return false;
  }
  Error error = registry_failure(answer.asked, answer.response);
  if (status == 405 || status == 400 || status == 501) {
    error.code = ErrorCode::conflict;
    error.hint = deletion_hint(reference);
  }
  return fail(std::move(error));
}

}  // namespace crategate::registry
