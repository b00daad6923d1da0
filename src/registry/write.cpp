// HttpRegistry, the half that writes.
// Belongs here: uploads, mounts, manifests and reading back what was written.
#include "base/strings.h"
#include "registry/http_registry.h"

namespace crategate::registry {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view kPushActions = "pull,push";
constexpr int kReadBacks = 4;

net::Url with_digest(net::Url url, const oci::Digest& digest) {
  const char separator = url.target.find('?') == std::string::npos ? '?' : '&';
  url.target += concat(separator, "digest=", net::url_encode(digest.text()));
  return url;
}

Result<void> upload(Session& session, const oci::Repository& repository, const oci::Descriptor& blob,
                    const std::function<Result<net::BodySource>()>& open) {
  const Query start{
      .method = "POST", .repository = repository, .path = "blobs/uploads/", .actions = std::string(kPushActions)};
  CG_TRY(const Answer started, session.send(start));
  if (started.response.status != 202) return fail(registry_failure(started.asked, started.response));
  CG_TRY(const net::Url location, session.location(started));
  Query put{.method = "PUT", .repository = repository, .url = with_digest(location, blob.digest)};
  put.actions = kPushActions;
  put.headers = {{"Content-Type", "application/octet-stream"}};
  put.open = open;
  put.length = blob.size;
  CG_TRY(const Answer finished, session.send(put));
  if (finished.response.status == 201) return {};
  return fail(registry_failure(finished.asked, finished.response));
}

}  // namespace

Result<void> HttpRegistry::put_blob(const oci::Repository& repository, const oci::Descriptor& blob,
                                    const std::function<Result<net::BodySource>()>& open) {
  auto done = impl_->session.patiently([&]() -> Result<void> {
    CG_TRY(const Answer answer, impl_->session.send(blob_query(repository, blob.digest, std::string(kPushActions))));
    CG_TRY(const bool present, is_present(answer));
    if (present) return {};
    return upload(impl_->session, repository, blob, open);
  });
  if (!done) return fail(std::move(done.error()).within(concat("uploading ", blob.digest.text())));
  return {};
}

Result<bool> HttpRegistry::mount_blob(const oci::Repository& to, const oci::Repository& from,
                                      const oci::Digest& digest) {
  if (to.registry != from.registry) return false;
  Query query{.method = "POST", .repository = to, .actions = std::string(kPushActions)};
  if (to.path != from.path) query.also_pull.push_back(from);
  query.path = concat("blobs/uploads/?mount=", net::url_encode(digest.text()), "&from=", net::url_encode(from.path));
  CG_TRY(const Answer answer, impl_->session.send(query));
  if (answer.response.status == 201) return true;
  if (answer.response.status == 202) return false;
  return fail(registry_failure(answer.asked, answer.response).within(concat("mounting ", digest.text())));
}

Result<oci::Digest> HttpRegistry::put_manifest(const oci::Reference& reference, std::string_view bytes,
                                               std::string_view media_type) {
  oci::Digest digest = oci::Digest::of(bytes);
  if (bytes.size() > oci::kManifestLimit) {
    return fail(ErrorCode::bad_input,
                concat(reference.familiar(), ": expected a manifest of at most ", format_bytes(oci::kManifestLimit),
                       ", found ", format_bytes(bytes.size())));
  }
  if (reference.digest && *reference.digest != digest) {
    return fail(ErrorCode::integrity,
                concat(reference.familiar(), ": expected a manifest of that digest, found ", digest.text()));
  }
  CG_TRY(std::string checked, oci::manifest_media_type(bytes, media_type));
  Query query{.method = "PUT", .repository = reference.repository, .actions = std::string(kPushActions)};
  CG_TRY(query.path, manifest_path(reference));
  query.headers = {{"Content-Type", std::move(checked)}};
  query.body = bytes;
  CG_TRY(const Answer answer, impl_->session.send_patiently(query));
  if (answer.response.status != 201) return fail(registry_failure(answer.asked, answer.response));
  for (int look = 1;; ++look) {
    CG_TRY(const auto served, manifest(reference));
    if (served && served->descriptor.digest == digest) return digest;
    if (served) {
      return fail(ErrorCode::integrity,
                  concat(reference.familiar(), ": expected ", digest.text(), " after writing it, found ",
                         served->descriptor.digest.text()),
                  "something else writes to the same tag, or the registry ignored the write; run again");
    }
    if (look == kReadBacks) break;
    impl_->session.clock().sleep(milliseconds(100 << look));
  }
  return fail(ErrorCode::unavailable,
              concat(reference.familiar(), ": expected ", digest.text(), " after writing it, found nothing yet"),
              "the registry accepted the manifest but does not serve it yet; run again");
}

}  // namespace crategate::registry
