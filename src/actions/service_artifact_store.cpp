// Create, send, finalize; list; sign and read; delete.
#include "actions/service_artifact_store.h"

#include <algorithm>

#include "actions/artifact_messages.h"
#include "actions/artifact_names.h"
#include "actions/blob_download.h"
#include "base/strings.h"

namespace crategate::actions {
namespace {

constexpr int kOk = 200, kNotFound = 404, kConflict = 409;
constexpr int kStarts = 3;  ///< of one upload, each with a new address
constexpr std::chrono::milliseconds kCleaning{2'000};

/// The local runner's storage appends: one block after the other, none twice.
ServiceLimits limits_for(ServiceLimits limits, bool is_act) {
  if (is_act) limits.blocks.parallel = 1;
  if (is_act) limits.blocks.resend = false;
  return limits;
}

bool was_never_answered(const Error& error) {
  return error.code == ErrorCode::artifact_service && error.http && error.http->status == 0;
}

}  // namespace

ServiceArtifactStore::ServiceArtifactStore(net::HttpClient& http, sys::Clock& clock, ArtifactAccess access,
                                           ServiceLimits limits)
    : http_(http),
      clock_(clock),
      access_(std::move(access)),
      limits_(limits_for(std::move(limits), access_.is_act)),
      service_(http, access_, limits_.silence) {}

// --- reading ---

Result<std::vector<Artifact>> ServiceArtifactStore::list(const std::optional<std::string>& name, Patience& patience) {
  const Call call{
      .method = kList, .body = encode_list(access_.ids, name), .subject = name.value_or(""), .once = access_.is_act};
  auto answer = service_.ask(call, patience);
  // Before a run's first upload act's service closes the connection instead of answering.
  if (!answer && access_.is_act && was_never_answered(answer.error()) && service_.is_alive())
    return std::vector<Artifact>{};
  if (!answer) return fail(std::move(answer).error());
  CG_TRY(std::vector<Artifact> artifacts, decode_list(*answer, access_.is_act));
  if (name) std::erase_if(artifacts, [&](const Artifact& artifact) { return artifact.name != *name; });
  return artifacts;
}

Result<std::vector<Artifact>> ServiceArtifactStore::list(const std::optional<std::string>& name) {
  Patience patience(clock_, limits_.patience);
  return list(name, patience);
}

Result<net::Url> ServiceArtifactStore::sign(const Artifact& artifact, Patience& patience) {
  const BackendIds ids{artifact.run_backend_id, artifact.job_backend_id};
  CG_TRY(const std::string answer,
         service_.ask({kSignedUrl, encode_named(ids, artifact.name), artifact.name}, patience));
  return decode_signed_url(answer, kSignedUrl, access_.service);
}

Result<Downloaded> ServiceArtifactStore::download(const Artifact& artifact, const net::BodySink& sink) {
  Patience patience(clock_, limits_.patience);
  const auto sign_again = [&] { return sign(artifact, patience); };
  return BlobDownload(http_, patience, sign_again, limits_.silence).run(artifact, sink);
}

Result<std::string> ServiceArtifactStore::read_tail(const Artifact& artifact, std::size_t bytes) {
  Patience patience(clock_, limits_.patience);
  const auto sign_again = [&] { return sign(artifact, patience); };
  return BlobDownload(http_, patience, sign_again, limits_.silence).tail(artifact, bytes);
}

// --- removing ---

Result<void> ServiceArtifactStore::remove(const Artifact& artifact, Patience& patience) {
  const BackendIds ids{artifact.run_backend_id, artifact.job_backend_id};
  const Call call{kDelete, encode_named(ids, artifact.name), artifact.name};
  CG_TRY(const CallAnswer answer, service_.call(call, patience));
  const int status = answer.response.status;
  if (status == kOk || status == kNotFound) return {};  // a repeated deletion finds nothing any more
  return fail(refusal(call, access_.service, answer.response));
}

Result<bool> ServiceArtifactStore::remove(const std::string& name) {
  CG_CHECK(check_artifact_name(name));
  Patience patience(clock_, limits_.patience);
  CG_TRY(const std::vector<Artifact> artifacts, list(name, patience));
  for (const Artifact& artifact : artifacts) CG_CHECK(remove(artifact, patience));
  return !artifacts.empty();
}

void ServiceArtifactStore::release(const std::string& name, Left left) {
  PatienceLimits once = limits_.patience;
  once.policy.tries = 1;
  Patience patience(clock_, once);
  TwirpClient cleaner(http_, access_, std::min(kCleaning, limits_.silence));
  Call call{.subject = name, .once = true, .ignore_cancellation = true};
  if (left == Left::perhaps_ours) {
    call.method = kList;
    call.body = encode_list(access_.ids, name);
    const auto answer = cleaner.ask(call, patience);
    const auto finished = answer ? decode_list(*answer, access_.is_act) : fail(answer.error());
    if (!finished || !finished->empty()) return;
  }
  call.method = kDelete;
  call.body = encode_named(access_.ids, name);
  [[maybe_unused]] const auto released = cleaner.call(call, patience);
}

// --- uploading ---

NewArtifact ServiceArtifactStore::request_for(const Upload& upload) const {
  NewArtifact artifact{.name = upload.name};
  if (!access_.is_act) artifact.mime_type = upload.mime_type.empty() ? std::string(kZip) : upload.mime_type;
  if (upload.retention_days.value_or(0) > 0) {
    const unsigned days = std::min(*upload.retention_days, access_.retention_limit.value_or(*upload.retention_days));
    artifact.expires_at = sys::rfc3339(clock_.now() + std::chrono::days(days));
  }
  return artifact;
}

Result<net::Url> ServiceArtifactStore::reserve(const Upload& upload, bool again, Patience& patience) {
  const Call call{kCreate, encode_create(access_.ids, request_for(upload)), upload.name};
  auto answer = service_.call(call, patience);
  if (answer && answer->response.status == kConflict) {
    CG_CHECK(make_room(upload, again || answer->in_doubt, patience));
    answer = service_.call(call, patience);
  }
  if (answer && answer->response.status == kOk)
    return decode_signed_url(answer->response.body, kCreate, access_.service);
  if (!answer || answer->in_doubt) release(upload.name, Left::perhaps_ours);
  if (!answer) return fail(std::move(answer).error());
  return fail(refusal(call, access_.service, answer->response));
}

Result<void> ServiceArtifactStore::make_room(const Upload& upload, bool may_be_ours, Patience& patience) {
  CG_TRY(std::vector<Artifact> existing, list(upload.name, patience));
  if (existing.empty()) {
    Artifact unfinished{.name = upload.name, .run_backend_id = access_.ids.run};
    if (!may_be_ours) CG_CHECK(check_replacing(upload, {unfinished}, access_.ids.job));
    unfinished.job_backend_id = access_.ids.job;
    existing.push_back(std::move(unfinished));
  } else {
    CG_CHECK(check_replacing(upload, existing, access_.ids.job));
  }
  for (const Artifact& artifact : existing) CG_CHECK(remove(artifact, patience));
  return {};
}

Result<Artifact> ServiceArtifactStore::find_finalized(const std::string& name, const Stored& stored, Error error,
                                                      Patience& patience) {
  const auto artifacts = list(name, patience);
  if (!artifacts) return fail(std::move(error));
  for (const Artifact& artifact : *artifacts) {
    const bool same = artifact.size == stored.size && to_lower(artifact.digest) == stored.digest;
    if (same && artifact.job_backend_id == access_.ids.job) return artifact;
  }
  return fail(std::move(error));
}

Result<Artifact> ServiceArtifactStore::finalize(const std::string& name, const Stored& stored, Patience& patience) {
  const Call call{kFinalize, encode_finalize(access_.ids, name, stored.size, stored.digest), name};
  auto answer = service_.ask(call, patience);
  // Nobody knows what became of a request without an answer, and a repeated one may be refused: the list decides.
  if (!answer) return find_finalized(name, stored, std::move(answer).error(), patience);
  CG_TRY(const std::int64_t id, decode_finalized(*answer));
  return Artifact{.name = name,
                  .id = id,
                  .size = stored.size,
                  .digest = stored.digest,
                  .created_at = sys::rfc3339(clock_.now()),
                  .run_backend_id = access_.ids.run,
                  .job_backend_id = access_.ids.job};
}

Result<Artifact> ServiceArtifactStore::send(const Upload& upload, const net::Url& address, Patience& patience,
                                            bool& may_start_again) {
  BlockUpload blocks(http_, patience, address, limits_.blocks);
  const auto produced = upload.content([&](std::string_view bytes) { return blocks.add(bytes); });
  Result<Stored> stored;
  if (const auto failure = blocks.failure()) {
    stored = fail(*failure);
  } else if (produced) {
    stored = blocks.finish(upload.mime_type.empty() ? kZip : std::string_view(upload.mime_type));
  } else {
    stored = fail(produced.error());
  }
  may_start_again = blocks.may_start_again();
  if (!stored) return fail(std::move(stored).error());
  return finalize(upload.name, *stored, patience);
}

Result<Artifact> ServiceArtifactStore::upload(const Upload& upload) {
  CG_CHECK(check_artifact_name(upload.name));
  Patience patience(clock_, limits_.patience);
  for (int start = 1;; ++start) {
    CG_TRY(const net::Url address, reserve(upload, start > 1, patience));
    bool may_start_again = false;
    auto artifact = send(upload, address, patience, may_start_again);
    if (artifact) return artifact;
    release(upload.name, Left::ours);
    if (!may_start_again || start == kStarts)
      return fail(std::move(artifact).error().within(concat("uploading the artifact ", quoted(upload.name))));
  }
}

}  // namespace crategate::actions
