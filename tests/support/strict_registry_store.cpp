// Blobs and uploads.
#include "support/strict_registry_store.h"

#include <algorithm>

#include "base/sha256.h"
#include "base/strings.h"

namespace crategate::test {
namespace {

using json::Value;

std::string digest_of(std::string_view bytes) { return concat("sha256:", sha256_hex(bytes)); }

Reply unknown_upload() { return registry_problem(404, "BLOB_UPLOAD_UNKNOWN", "upload unknown to registry"); }

std::string state_of(const std::string& id) { return sha256_hex("state of " + id).substr(0, 32); }

std::string received_range(std::size_t size) { return concat("0-", size == 0 ? 0 : size - 1); }

}  // namespace

Reply registry_problem(int status, const std::string& code, const std::string& message) {
  const Value error = Value::object({{"code", code}, {"message", message}});
  return {.status = status,
          .headers = {{"Content-Type", "application/json"}},
          .body = Value::object({{"errors", Value::array({error})}}).canonical()};
}

void StrictStore::set_bases(std::string upload_base, std::string blob_base) {
  upload_base_ = std::move(upload_base);
  blob_base_ = std::move(blob_base);
}

Reply StrictStore::carry_out(const StrictRequest& asked, ReceivedRequest& request, bool on_storage) {
  using enum RequestKind;
  switch (asked.kind) {
    case ping:
      return {.status = 200, .headers = {{"Content-Type", "application/json"}}, .body = "{}"};
    case blob_head:
    case blob_get:
      return blob(asked, request, on_storage);
    case blob_delete:
      return remove_blob(asked);
    case upload_start:
      return start_upload(asked);
    case upload_whole:
      return this->upload_whole(asked, request);
    case RequestKind::mount:
      return this->mount(asked);
    case upload_chunk:
    case upload_status:
    case upload_end:
    case upload_cancel:
      return upload_request(asked, request);
    case manifest_head:
    case manifest_get:
      return manifest(asked, request);
    case manifest_put:
      return put_manifest(asked, request);
    case manifest_delete:
      return remove_manifest(asked);
    case RequestKind::tags:
      return this->tags(asked);
    case RequestKind::referrers:
      return this->referrers(asked);
    default:
      return registry_problem(404, "UNSUPPORTED", "no such endpoint");
  }
}

std::string StrictStore::add_blob(const std::string& repository, std::string bytes) {
  std::string digest = digest_of(bytes);
  repositories_[repository].blobs.insert_or_assign(digest, std::make_shared<const std::string>(std::move(bytes)));
  return digest;
}

Reply StrictStore::blob(const StrictRequest& asked, const ReceivedRequest& request, bool on_storage) {
  const auto repository = repositories_.find(asked.repository);
  if (repository == repositories_.end()) return registry_problem(404, "NAME_UNKNOWN", "repository name not known");
  const auto found = repository->second.blobs.find(asked.reference);
  if (found == repository->second.blobs.end()) return registry_problem(404, "BLOB_UNKNOWN", "blob unknown to registry");
  if (asked.kind == RequestKind::blob_get && !on_storage && !blob_base_.empty()) {
    const std::string path = concat("/v2/", asked.repository, "/blobs/", asked.reference);
    return {.status = 307,
            .headers = {{"Location", concat(blob_base_, path, "?signature=", sha256_hex(path).substr(0, 20))}}};
  }
  const std::string& bytes = *found->second;
  Reply reply{.status = 200, .headers = {{"Content-Type", "application/octet-stream"}}};
  if (!rules_.has(RegistryQuirk::no_content_digest)) reply.headers.emplace_back("Docker-Content-Digest", found->first);
  const std::string range = request.header("range");
  const std::string_view bounds = std::string_view(range).substr(std::min<std::size_t>(6, range.size()));
  if (range.empty() || rules_.has(RegistryQuirk::no_ranges)) {
    reply.body = bytes;
  } else {
    const std::size_t dash = std::min(bounds.find('-'), bounds.size());
    const std::size_t first = parse_unsigned(bounds.substr(0, dash)).value_or(0);
    if (first >= bytes.size()) return {.status = 416, .headers = {{"Content-Range", concat("bytes */", bytes.size())}}};
    const std::size_t last = std::min<std::size_t>(
        parse_unsigned(bounds.substr(std::min(dash + 1, bounds.size()))).value_or(bytes.size() - 1), bytes.size() - 1);
    reply.status = 206;
    reply.headers.emplace_back("Content-Range", concat("bytes ", first, "-", last, "/", bytes.size()));
    reply.body = bytes.substr(first, last - first + 1);
  }
  if (asked.kind == RequestKind::blob_head) reply.headers.emplace_back("Content-Length", std::to_string(bytes.size()));
  return reply;
}

Reply StrictStore::remove_blob(const StrictRequest& asked) {
  if (rules_.has(RegistryQuirk::no_delete)) return registry_problem(405, "UNSUPPORTED", "deletion is off");
  const auto repository = repositories_.find(asked.repository);
  if (repository == repositories_.end() || repository->second.blobs.erase(asked.reference) == 0)
    return registry_problem(404, "BLOB_UNKNOWN", "blob unknown to registry");
  return {.status = 202};
}

std::string StrictStore::upload_location(const std::string& repository, const std::string& id) const {
  return concat(upload_base_, "/v2/", repository, "/blobs/uploads/", id, "?_state=", state_of(id));
}

Reply StrictStore::start_upload(const StrictRequest& asked) {
  const std::string id = concat("00000000-0000-4000-8000-", std::to_string(100000000000 + next_upload_++));
  uploads_[id].repository = asked.repository;
  Reply reply{.status = 202,
              .headers = {{"Location", upload_location(asked.repository, id)}, {"Range", received_range(0)}}};
  if (rules_.has(RegistryQuirk::chunk_minimum))
    reply.headers.emplace_back("OCI-Chunk-Min-Length", std::to_string(rules_.chunk_minimum));
  return reply;
}

Reply StrictStore::created(const std::string& location, const std::string& digest) const {
  const bool relative = rules_.has(RegistryQuirk::relative_location) || upload_base_.empty();
  Reply reply{.status = rules_.has(RegistryQuirk::accepted_created) ? 202 : 201,
              .headers = {{"Location", relative ? location : concat(upload_base_, location)}}};
  if (!rules_.has(RegistryQuirk::no_content_digest)) reply.headers.emplace_back("Docker-Content-Digest", digest);
  return reply;
}

Reply StrictStore::blob_created(const std::string& repository, const std::string& digest) const {
  return created(concat("/v2/", repository, "/blobs/", digest), digest);
}

Reply StrictStore::upload_whole(const StrictRequest& asked, ReceivedRequest& request) {
  if (rules_.has(RegistryQuirk::small_requests) && request.body.size() > rules_.largest_request)
    return registry_problem(413, "SIZE_INVALID", "request too large");
  const std::string digest = asked.parameter("digest");
  if (digest_of(request.body) != digest) return registry_problem(400, "DIGEST_INVALID", "digest is another");
  add_blob(asked.repository, std::move(request.body));
  return blob_created(asked.repository, digest);
}

Reply StrictStore::mount(const StrictRequest& asked) {
  if (rules_.has(RegistryQuirk::refuses_mount)) return registry_problem(405, "UNSUPPORTED", "no mounts here");
  const auto from = repositories_.find(asked.parameter("from"));
  if (rules_.has(RegistryQuirk::no_mount) || from == repositories_.end()) return start_upload(asked);
  const std::string digest = asked.parameter("mount");
  const auto found = from->second.blobs.find(digest);
  if (found == from->second.blobs.end()) return start_upload(asked);
  const std::shared_ptr<const std::string> bytes = found->second;
  repositories_[asked.repository].blobs.insert_or_assign(digest, bytes);
  Reply mounted = blob_created(asked.repository, digest);
  mounted.status = 201;  // 202 would say that an upload has begun
  return mounted;
}

Reply StrictStore::upload_request(const StrictRequest& asked, ReceivedRequest& request) {
  const auto found = uploads_.find(asked.reference);
  if (asked.parameter("_state") != state_of(asked.reference))
    complain_(concat("an upload location that was never handed out: ", request.target));
  if (found == uploads_.end() || found->second.repository != asked.repository) return unknown_upload();
  Upload& upload = found->second;
  switch (asked.kind) {
    case RequestKind::upload_chunk:
      return append(upload, asked, request);
    case RequestKind::upload_end:
      return end_upload(asked, request);
    case RequestKind::upload_cancel:
      uploads_.erase(found);
      return {.status = 204};
    default:
      if (rules_.has(RegistryQuirk::no_resume)) return unknown_upload();
      return {.status = 204,
              .headers = {{"Location", upload_location(asked.repository, asked.reference)},
                          {"Range", received_range(upload.bytes.size())}}};
  }
}

void StrictStore::receive(const std::string& upload, std::string_view bytes) {
  const auto found = uploads_.find(upload);
  if (found != uploads_.end()) found->second.bytes += bytes;
}

Reply StrictStore::append(Upload& upload, const StrictRequest& asked, ReceivedRequest& request) {
  if (rules_.has(RegistryQuirk::small_requests) && request.body.size() > rules_.largest_request)
    return registry_problem(413, "SIZE_INVALID", "request too large");
  const auto range = parse_range(request.header("content-range"));
  if (range && range->first != upload.bytes.size())
    return {.status = 416,
            .headers = {{"Location", upload_location(asked.repository, asked.reference)},
                        {"Range", received_range(upload.bytes.size())}}};
  if (!request.body.empty() && upload.short_chunk) {
    complain_("a chunk after one that was shorter than OCI-Chunk-Min-Length");
    return registry_problem(400, "BLOB_UPLOAD_INVALID", "the chunk before is too short");
  }
  upload.short_chunk = rules_.has(RegistryQuirk::chunk_minimum) && request.body.size() < rules_.chunk_minimum;
  upload.chunked = true;
  upload.bytes += request.body;
  return {.status = 202,
          .headers = {{"Location", upload_location(asked.repository, asked.reference)},
                      {"Range", received_range(upload.bytes.size())}}};
}

Reply StrictStore::end_upload(const StrictRequest& asked, ReceivedRequest& request) {
  Upload& upload = uploads_.at(asked.reference);
  if (!request.body.empty()) {
    if (!upload.bytes.empty() && request.header("content-range").empty())
      complain_("the last chunk comes without Content-Range");
    Reply appended = append(upload, asked, request);
    if (appended.status != 202) return appended;
  }
  const std::string digest = asked.parameter("digest");
  const bool matches = digest_of(upload.bytes) == digest;
  if (matches) add_blob(asked.repository, std::move(upload.bytes));
  uploads_.erase(asked.reference);
  if (!matches) return registry_problem(400, "DIGEST_INVALID", "provided digest did not match uploaded content");
  return blob_created(asked.repository, digest);
}

}  // namespace crategate::test
