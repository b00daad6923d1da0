// HttpRegistry, the half that reads.
// Belongs here: when content is present, absent, or not to be believed.
#include <algorithm>

#include "base/strings.h"
#include "oci/media_types.h"
#include "registry/http_registry.h"

namespace crategate::registry {
namespace {

constexpr std::size_t kErrorLimit = 64U << 10U;

std::string accepted_manifests() {
  return concat(oci::kOciManifest, ", ", oci::kOciIndex, ", ", oci::kDockerManifest, ", ", oci::kDockerManifestList);
}

// A 404 means "absent" only when the registry itself says so; a proxy's error page must not look like a free tag.
Result<void> require_registry_404(const Answer& answer) {
  if (answer.by_registry && is_registry_404(answer.response)) return {};
  Error error = registry_failure(answer.asked, answer.response);
  if (error.code == ErrorCode::not_found) {
    error.code = ErrorCode::unavailable;
    error.message += ", without a registry's error code";
    error.hint = "the answer does not come from a registry: check the registry's name and proxies in between";
  }
  return fail(std::move(error));
}

Error wrong_content(const oci::Reference& reference, std::string_view expected, std::string_view found) {
  return {ErrorCode::integrity,
          concat("registry ", reference.repository.registry, ": ", reference.familiar(), ": expected ", expected,
                 ", found ", found),
          "run again; if it persists, a mirror or proxy serves other content",
          {},
          std::nullopt,
          std::nullopt};
}

// The registry's own claim about a manifest's digest; nullopt when it makes none that can be read.
std::optional<oci::Digest> claimed_digest(const net::Response& response) {
  const auto parsed = oci::Digest::parse(response.header("docker-content-digest"));
  if (!parsed) return std::nullopt;
  return *parsed;
}

Result<StoredManifest> check_manifest(const oci::Reference& reference, const Answer& answer) {
  const std::string& bytes = answer.response.body;
  const oci::Digest digest = oci::Digest::of(bytes);
  if (reference.digest && *reference.digest != digest) {
    return fail(wrong_content(reference, reference.digest->text(), digest.text()));
  }
  const auto claimed = claimed_digest(answer.response);
  if (claimed && claimed->algorithm() == "sha256" && *claimed != digest) {
    return fail(wrong_content(reference, concat("the announced ", claimed->text()), digest.text()));
  }
  const std::string content_type = answer.response.header("content-type");
  const std::string served(trim(std::string_view(content_type).substr(0, content_type.find(';'))));
  auto media_type = oci::manifest_media_type(bytes, served);
  if (!media_type) return fail(std::move(media_type.error()).within(reference.familiar()));
  if (oci::is_index(*media_type)) {
    CG_CHECK(oci::parse_index(bytes, *media_type));
  } else {
    CG_CHECK(oci::parse_manifest(bytes, *media_type));
  }
  return StoredManifest{{std::move(*media_type), digest, bytes.size(), {}, std::nullopt}, bytes};
}

}  // namespace

Result<std::string> manifest_path(const oci::Reference& reference) {
  if (reference.digest) return concat("manifests/", reference.digest->text());
  if (reference.tag) return concat("manifests/", *reference.tag);
  return fail(ErrorCode::bad_input, concat(reference.familiar(), ": expected a tag or a digest, found neither"));
}

HttpRegistry::HttpRegistry(net::HttpClient& http, sys::Clock& clock, CredentialSource credentials,
                           std::vector<std::string> insecure)
    : impl_(std::make_unique<Impl>(http, clock, std::move(credentials), std::move(insecure))) {}
HttpRegistry::~HttpRegistry() = default;

Result<std::optional<StoredManifest>> HttpRegistry::manifest(const oci::Reference& reference) {
  Query query{.repository = reference.repository, .headers = {{"Accept", accepted_manifests()}}, .follow = true};
  CG_TRY(query.path, manifest_path(reference));
  CG_TRY(const Answer answer, impl_->session.send_patiently(query));
  if (answer.response.status == 404) {
    CG_CHECK(require_registry_404(answer));
    return std::nullopt;
  }
  if (answer.response.status != 200) return fail(registry_failure(answer.asked, answer.response));
  CG_TRY(StoredManifest stored, check_manifest(reference, answer));
  return stored;
}

Result<std::optional<oci::Digest>> HttpRegistry::digest(const oci::Reference& reference) {
  Query query{.method = "HEAD",
              .repository = reference.repository,
              .headers = {{"Accept", accepted_manifests()}},
              .follow = true};
  CG_TRY(query.path, manifest_path(reference));
  CG_TRY(const Answer answer, impl_->session.send_patiently(query));
  const auto claimed = claimed_digest(answer.response);
  if (answer.response.status == 200 && claimed) {
    if (!reference.digest || *reference.digest == *claimed) return *claimed;
    return fail(wrong_content(reference, reference.digest->text(), claimed->text()));
  }
  const int status = answer.response.status;
  if (status == 401 || status == 403 || status == 429 || status >= 500) {
    return fail(registry_failure(answer.asked, answer.response));
  }
  // Everything else is decided by a GET, whose answer has a body: the content itself, or the registry's error code.
  CG_TRY(const auto stored, manifest(reference));
  if (!stored) return std::nullopt;
  return stored->descriptor.digest;
}

Query blob_query(const oci::Repository& repository, const oci::Digest& digest, std::string actions) {
  return {.method = "HEAD",
          .repository = repository,
          .path = concat("blobs/", digest.text()),
          .actions = std::move(actions)};
}

Result<bool> is_present(const Answer& answer) {
  const int status = answer.response.status;
  // A redirect to the storage says that the blob is there; signed storage URLs often allow GET only.
  if (status == 200 || status == 302 || status == 303 || status == 307) return true;
  if (status == 404) return false;
  return fail(registry_failure(answer.asked, answer.response));
}

Result<bool> HttpRegistry::has_blob(const oci::Repository& repository, const oci::Digest& digest) {
  CG_TRY(const Answer answer, impl_->session.send_patiently(blob_query(repository, digest, "pull")));
  return is_present(answer);
}

Result<std::optional<std::string>> HttpRegistry::blob(const oci::Repository& repository, const oci::Digest& digest,
                                                      std::size_t limit) {
  // Room for an error answer, which says whether the blob is absent.
  const Query query{.repository = repository,
                    .path = concat("blobs/", digest.text()),
                    .limit = std::max(limit, kErrorLimit),
                    .follow = true};
  CG_TRY(const Answer answer, impl_->session.send_patiently(query));
  if (answer.response.status == 404) {
    CG_CHECK(require_registry_404(answer));
    return std::nullopt;
  }
  if (answer.response.status != 200) return fail(registry_failure(answer.asked, answer.response));
  if (answer.response.body.size() > limit) {
    return fail(wrong_content({repository, std::nullopt, digest}, concat("at most ", format_bytes(limit)),
                              format_bytes(answer.response.body.size())));
  }
  const oci::Digest found = oci::Digest::of(answer.response.body);
  if (found != digest) return fail(wrong_content({repository, std::nullopt, digest}, digest.text(), found.text()));
  return answer.response.body;
}

}  // namespace crategate::registry
