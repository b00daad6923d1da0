// The storage behind signed addresses, and answers that are damaged on their way.
#include <algorithm>

#include "base/sha256.h"
#include "base/strings.h"
#include "support/artifact_service.h"

namespace crategate::test {
namespace {

Reply storage_error(int status, const std::string& code) {
  return {.status = status,
          .headers = {{"x-ms-error-code", code}, {"Content-Type", "application/xml"}},
          .body = concat("<?xml version=\"1.0\"?><Error><Code>", code, "</Code></Error>")};
}

std::string percent_decoded(const std::string& text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%' || i + 2 >= text.size()) {
      decoded += text[i];
      continue;
    }
    decoded += static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16));
    i += 2;
  }
  return decoded;
}

Reply cut_short(Reply reply) {
  if (reply.body.empty()) return {.raw = "HTTP/1.1 20", .close = true};
  reply.headers.emplace_back("Content-Length", std::to_string(reply.body.size()));
  reply.body.resize(reply.body.size() / 2);
  reply.close = true;
  return reply;
}

Reply of_other_length(Ask ask, Reply reply) {
  if (ask == Ask::get_blob) {
    if (!reply.body.empty()) reply.body.pop_back();
    return reply;
  }
  if (reply.body.empty()) {
    reply.headers.emplace_back("Content-Length", "7");
    reply.close = true;
  } else {
    reply.headers.emplace_back("Content-Length", std::to_string(reply.body.size() - 1));
  }
  return reply;
}

}  // namespace

Reply ArtifactService::damaged(const Fault& fault, Ask ask, Reply reply) {
  switch (fault.kind) {
    case Fault::Kind::lost_answer:
      return {.reset = true};
    case Fault::Kind::truncated:
      return cut_short(std::move(reply));
    case Fault::Kind::wrong_length:
      return of_other_length(ask, std::move(reply));
    case Fault::Kind::wrong_bytes:
      if (!reply.body.empty()) reply.body.back() = static_cast<char>(reply.body.back() ^ 1);
      return reply;
    default:
      return reply;
  }
}

Reply ArtifactService::storage(Ask ask, ReceivedRequest& request) {
  if (!request.header("authorization").empty()) complaints_.emplace_back("the token was sent to the storage");
  const auto address = addresses_.find(signed_part(request));
  const bool to_write = ask != Ask::get_blob;
  if (address == addresses_.end() || address->second.second != to_write)
    return storage_error(403, "AuthenticationFailed");
  const auto found = std::find_if(stored_.begin(), stored_.end(),
                                  [&](const Stored& stored) { return stored.id == address->second.first; });
  if (found == stored_.end()) return storage_error(404, "BlobNotFound");
  if (to_write && request.header("x-ms-version").empty()) complaints_.emplace_back("no x-ms-version");
  if (ask == Ask::put_block) return put_block(*found, request);
  return ask == Ask::put_block_list ? put_block_list(*found, request) : get_blob(*found, request);
}

Reply ArtifactService::put_block(Stored& artifact, ReceivedRequest& request) {
  const std::string encoded = percent_decoded(added(request, "blockid"));
  const auto id = decode_base64(encoded);
  if (!id || id->empty() || id->size() > 64 || base64(*id) != encoded) return complain(400, "no block id");
  if (rules_ == Rules::act) {
    artifact.bytes += request.body;
    return {.status = 201};
  }
  if (!artifact.blocks.empty() && artifact.blocks.begin()->first.size() != encoded.size())
    return complain(400, "block ids of different lengths");
  if (request.body.empty()) return complain(400, "an empty block");
  artifact.blocks[encoded] = std::move(request.body);
  return {.status = 201};
}

Reply ArtifactService::put_block_list(Stored& artifact, const ReceivedRequest& request) {
  if (rules_ == Rules::act) return {.status = 201};
  if (!request.header("content-type").starts_with("application/xml")) return complain(400, "a list that is no XML");
  constexpr std::string_view kOpen = "<Latest>", kClose = "</Latest>";
  if (request.body.find("<BlockList>") == std::string::npos || !request.body.starts_with("<?xml"))
    return complain(400, "no list of blocks");
  std::string bytes;
  std::size_t size = 0;
  for (const auto& [id, block] : artifact.blocks) size += block.size();
  bytes.reserve(size);
  for (std::size_t at = 0; (at = request.body.find(kOpen, at)) != std::string::npos;) {
    at += kOpen.size();
    const auto block = artifact.blocks.find(request.body.substr(at, request.body.find(kClose, at) - at));
    if (block == artifact.blocks.end()) return storage_error(400, "InvalidBlockList");
    bytes += block->second;
  }
  artifact.bytes = std::move(bytes);
  artifact.mime_type = request.header("x-ms-blob-content-type");
  return {.status = 201};
}

Reply ArtifactService::get_blob(const Stored& artifact, const ReceivedRequest& request) const {
  const std::string etag = concat("\"", artifact.id, "-", artifact.bytes.size(), "\"");
  Reply reply{.status = 200, .headers = {{"ETag", etag}, {"Content-Type", artifact.mime_type}}, .body = artifact.bytes};
  reply.headers.emplace_back("Content-Disposition",
                             concat("attachment; filename=\"", artifact.name, ending_of(artifact), "\""));
  if (const std::string match = request.header("if-match"); !match.empty() && match != etag)
    return storage_error(412, "ConditionNotMet");
  const std::vector<std::string> range = split(replace_all(request.header("range"), "bytes=", ""), '-');
  const std::size_t size = artifact.bytes.size();
  const bool from_end = range.size() == 2 && range[0].empty();
  // The storage of the real service does not know `bytes=-N`.
  if (range.size() != 2 || !ranges_ || (from_end && rules_ == Rules::service)) return reply;
  const std::size_t number = parse_unsigned(range[from_end ? 1 : 0]).value_or(0);
  const std::size_t first = from_end ? size - std::min(size, number) : number;
  const std::size_t last = from_end ? size - 1 : std::min(size - 1, parse_unsigned(range[1]).value_or(size - 1));
  if (first >= artifact.bytes.size()) return storage_error(416, "InvalidRange");
  reply.status = 206;
  reply.body = artifact.bytes.substr(first, last - first + 1);
  reply.headers.emplace_back("Content-Range", concat("bytes ", first, "-", last, "/", artifact.bytes.size()));
  return reply;
}

}  // namespace crategate::test
