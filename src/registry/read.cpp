// HttpRegistry: manifests and small blobs.
// Belongs here: when content is present, absent, or not to be believed.  Not here: blobs of any size (download).
#include <algorithm>

#include "base/log.h"

#include "base/strings.h"
#include "oci/media_types.h"
#include "registry/http_registry.h"

namespace crategate::registry {
namespace {

std::string accepted_manifests() {
  return concat(oci::kOciManifest, ", ", oci::kOciIndex, ", ", oci::kDockerManifest, ", ", oci::kDockerManifestList);
}

Result<StoredManifest> check_manifest(const oci::Reference& reference, const Answer& answer) {
  const std::string& bytes = answer.response.body;
  const oci::Digest digest = reference.digest ? oci::digest_like(*reference.digest, bytes) : oci::Digest::of(bytes);
  if (reference.digest && *reference.digest != digest) {
    return fail(wrong_content(reference, reference.digest->text(), digest.text()));
  }
  const auto claimed = claimed_digest(answer.response);
  if (claimed && *claimed != oci::digest_like(*claimed, bytes)) {
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

/// A 404 of the registry is nullopt. What a cache in between has wrong is asked for once more past it (B12).
Result<std::optional<StoredManifest>> fetch_manifest(Session& session, const oci::Reference& reference,
                                                     bool hurried = false) {
  Query query{.repository = reference.repository, .headers = {{"Accept", accepted_manifests()}}, .follow = true};
  CG_TRY(query.path, manifest_path(reference));
  query.hurried = hurried;
  net::Deadline deadline = session.deadline();
  for (bool again = hurried;; again = true) {
    CG_TRY(const Answer answer, hurried ? session.send(query, deadline) : session.send_patiently(query, deadline));
    if (answer.response.status == 404) {
      CG_CHECK(require_registry_404(answer));
      return std::nullopt;
    }
    if (answer.response.status != 200) return fail(registry_failure(answer.asked, answer.response));
    auto stored = check_manifest(reference, answer);
    if (stored) return std::optional(*std::move(stored));
    if (again) return fail(std::move(stored).error());
    query.headers.emplace_back("Cache-Control", "no-cache");
  }
}

Result<Query> head_of(const oci::Reference& reference) {
  Query query{.method = "HEAD",
              .repository = reference.repository,
              .headers = {{"Accept", accepted_manifests()}},
              .follow = true};
  CG_TRY(query.path, manifest_path(reference));
  return query;
}

/// The digest that HEAD announces; nullopt = it decides nothing, and a GET must.
Result<std::optional<oci::Digest>> announced_digest(Session& session, const oci::Reference& reference) {
  const std::string& registry = reference.repository.registry;
  if (!session.capabilities().has(registry, Capability::manifest_head)) return std::nullopt;
  CG_TRY(const Query query, head_of(reference));
  CG_TRY(const Answer answer, session.send_patiently(query));
  const int status = answer.response.status;
  if (status == 401 || status == 403 || status == 429 || status >= 500) {
    return fail(registry_failure(answer.asked, answer.response));
  }
  auto claimed = claimed_digest(answer.response);
  if (status == 405 || (status == 200 && !claimed)) session.capabilities().lacks(registry, Capability::manifest_head);
  if (status != 200) return std::nullopt;
  // A registry may announce sha256 for what was asked for by sha512: then the content decides.
  if (claimed && reference.digest && claimed->algorithm() != reference.digest->algorithm()) return std::nullopt;
  if (claimed && reference.digest && *reference.digest != *claimed) {
    return fail(wrong_content(reference, reference.digest->text(), claimed->text()));
  }
  return claimed;
}

}  // namespace

Result<std::string> manifest_path(const oci::Reference& reference) {
  if (reference.digest) return concat("manifests/", reference.digest->text());
  if (reference.tag) return concat("manifests/", *reference.tag);
  return fail(ErrorCode::bad_input, concat(reference.familiar(), ": expected a tag or a digest, found neither"));
}

std::optional<oci::Digest> claimed_digest(const net::Response& response) {
  const auto parsed = oci::Digest::parse(response.header("docker-content-digest"));
  if (!parsed) return std::nullopt;
  return *parsed;
}

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

Result<bool> is_blob_there(Session& session, const oci::Repository& repository, const oci::Digest& digest,
                           std::string_view actions, net::Deadline& deadline, std::optional<std::uint64_t> size) {
  const Query query{.method = "HEAD",
                    .repository = repository,
                    .path = concat("blobs/", digest.text()),
                    .actions = std::string(actions)};
  CG_TRY(const Answer answer, session.send_patiently(query, deadline));
  const int status = answer.response.status;
  // What has another length is not the blob (some servers say 0 to HEAD); an upload of it says what is wrong.
  const std::string length = answer.response.header("content-length");
  if (status == 200 && size && !length.empty() && length != "0" && length != std::to_string(*size)) return false;
  // A redirect to the storage says that the blob is there; signed storage URLs often allow GET only.
  if (status == 200 || status == 302 || status == 303 || status == 307) return true;
  if (status == 404) return false;
  return fail(registry_failure(answer.asked, answer.response));
}

HttpRegistry::HttpRegistry(net::HttpClient& http, sys::Clock& clock, CredentialSource credentials,
                           RegistryOptions options)
    : impl_(std::make_unique<Impl>(http, clock, std::move(credentials), std::move(options))) {}
HttpRegistry::~HttpRegistry() = default;

Result<std::optional<StoredManifest>> HttpRegistry::manifest(const oci::Reference& reference) {
  // A tag is what the registry says it is; only what a digest names may come from somewhere else.
  const auto sources = reference.digest ? impl_->session.sources(reference.repository) : std::vector<oci::Repository>{};
  for (std::size_t i = 0; i + 1 < sources.size(); ++i) {
    auto mirrored = fetch_manifest(impl_->session, {sources[i], std::nullopt, reference.digest}, true);
    if (mirrored && *mirrored) return mirrored;
    if (!mirrored) log::debug(concat("mirror ", sources[i].registry, ": ", describe(mirrored.error())));
  }
  return fetch_manifest(impl_->session, reference);
}

Result<std::optional<oci::Digest>> HttpRegistry::digest(const oci::Reference& reference) {
  CG_TRY(auto announced, announced_digest(impl_->session, reference));
  if (announced) return announced;
  // The answer of a GET has a body: the content itself, or the registry's error code.
  CG_TRY(const auto stored, fetch_manifest(impl_->session, reference));
  if (!stored) return std::nullopt;
  return stored->descriptor.digest;
}

std::optional<oci::Digest> HttpRegistry::glance(const oci::Reference& reference,
                                                const std::optional<oci::Repository>& mount_from) {
  auto query = head_of(reference);
  if (!query || !impl_->session.capabilities().has(reference.repository.registry, Capability::manifest_head)) {
    return std::nullopt;
  }
  query->actions = kPushActions;
  if (mount_from && mount_from->path != reference.repository.path) query->also_pull.push_back(*mount_from);
  net::Deadline deadline = impl_->session.deadline();
  const auto answer = impl_->session.send(*query, deadline);
  if (!answer || answer->response.status != 200) return std::nullopt;
  return claimed_digest(answer->response);
}

bool HttpRegistry::is_anonymous(const std::string& registry) { return impl_->session.user(registry).empty(); }

Result<bool> HttpRegistry::has_blob(const oci::Repository& repository, const oci::Digest& digest) {
  net::Deadline deadline = impl_->session.deadline();
  return is_blob_there(impl_->session, repository, digest, kPullActions, deadline);
}

Result<std::optional<std::string>> HttpRegistry::blob(const oci::Repository& repository, const oci::Digest& digest,
                                                      std::size_t limit) {
  // Room for an error answer, which says whether the blob is absent.
  Query query{.repository = repository,
              .path = concat("blobs/", digest.text()),
              .limit = std::max(limit, kErrorLimit),
              .follow = true};
  net::Deadline deadline = impl_->session.deadline();
  const oci::Reference asked{repository, std::nullopt, digest};
  for (bool again = false;; again = true) {
    CG_TRY(const Answer answer, impl_->session.send_patiently(query, deadline));
    if (answer.response.status == 404) {
      CG_CHECK(require_registry_404(answer));
      return std::nullopt;
    }
    if (answer.response.status != 200) return fail(registry_failure(answer.asked, answer.response));
    if (answer.response.body.size() > limit) {
      return fail(
          wrong_content(asked, concat("at most ", format_bytes(limit)), format_bytes(answer.response.body.size())));
    }
    const oci::Digest found = oci::digest_like(digest, answer.response.body);
    if (found == digest) return answer.response.body;
    if (again) return fail(wrong_content(asked, digest.text(), found.text()));
    query.headers = {{"Cache-Control", "no-cache"}};
  }
}

}  // namespace crategate::registry
