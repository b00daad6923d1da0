// Put Block, Put Block List and Get Blob (https://learn.microsoft.com/rest/api/storageservices/).
#include "actions/block_storage.h"

#include <algorithm>

#include "actions/artifact_names.h"
#include "actions/patience.h"
#include "base/strings.h"

namespace crategate::actions {
namespace {

constexpr std::size_t kPiece = 256u << 10;

net::Url with_query(net::Url url, std::string_view addition) {
  url.target += concat(url.target.find('?') == std::string::npos ? '?' : '&', addition);
  return url;
}

net::BodySource pieces_of(std::string_view bytes) {
  return [bytes]() mutable -> Result<std::string> {
    const std::string_view piece = bytes.substr(0, kPiece);
    bytes.remove_prefix(piece.size());
    return std::string(piece);
  };
}

/// `<Code>AuthenticationFailed</Code>`, or the header of the same meaning.
std::string code_of(const net::Response& response) {
  std::string code = response.header("x-ms-error-code");
  const std::size_t begin = response.body.find("<Code>"), end = response.body.find("</Code>");
  if (code.empty() && begin != std::string::npos && end != std::string::npos && begin + 6 < end)
    code = response.body.substr(begin + 6, end - begin - 6);
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  return code.size() <= 64 && std::all_of(code.begin(), code.end(), letter) ? code : std::string();
}

std::string hint_for(int status) {
  if (status == 403) return "the address has expired, or a proxy changes it: run the job again";
  if (status == 404) return "the artifact is gone: it was deleted, or has expired";
  return "run the job again; if it stays, look at the storage's status page and at proxies in between";
}

}  // namespace

net::Request put_block(const net::Url& signed_url, const std::string& id, std::string_view bytes) {
  net::Request request{.method = "PUT",
                       .url = with_query(signed_url, concat("comp=block&blockid=", net::url_encode(id)))};
  request.headers = {{"Content-Type", "application/octet-stream"}, {"x-ms-version", std::string(kStorageVersion)}};
  request.source = pieces_of(bytes);
  request.source_length = bytes.size();
  return request;
}

net::Request put_block_list(const net::Url& signed_url, const std::vector<std::string>& ids, std::string_view type) {
  net::Request request{.method = "PUT", .url = with_query(signed_url, "comp=blocklist")};
  request.headers = {{"Content-Type", "application/xml"},
                     {"x-ms-version", std::string(kStorageVersion)},
                     {"x-ms-blob-content-type", std::string(type)}};
  request.body = R"(<?xml version="1.0" encoding="utf-8"?><BlockList>)";
  for (const std::string& id : ids) request.body += concat("<Latest>", id, "</Latest>");
  request.body += "</BlockList>";
  return request;
}

net::Request get_blob(const net::Url& signed_url) { return net::Request{.url = signed_url}; }

net::Request get_range(const net::Url& signed_url, const std::string& range, const std::string& etag) {
  net::Request request{.url = signed_url, .headers = {{"Range", concat("bytes=", range)}}};
  if (etag.starts_with('"')) request.headers.emplace_back("If-Match", etag);
  return request;
}

std::optional<std::uint64_t> first_of_range(const net::Response& response) {
  const std::string range = response.header("content-range");
  constexpr std::string_view kUnit = "bytes ";
  if (!range.starts_with(kUnit)) return std::nullopt;
  return parse_unsigned(std::string_view(range).substr(kUnit.size(), range.find('-') - kUnit.size()));
}

Error storage_failure(std::string_view attempt, const net::Request& request, const net::Response& response) {
  const std::string code = code_of(response);
  const std::string after = response.header("retry-after");
  Error error{.code = ErrorCode::artifact_service,
              .message = concat("artifact storage: ", attempt, ": expected success, found ", response.status,
                                code.empty() ? "" : " ", code,
                                after.empty() ? std::string() : concat(" (asked to wait ", quoted(after), ")")),
              .hint = hint_for(response.status)};
  error.http = HttpFailure{request.method, request.url.redacted(), response.status, code,
                           neutralise(response.header("x-ms-request-id").substr(0, 100))};
  return error;
}

Error storage_failure(std::string_view attempt, Error error) {
  if (net::may_recover(error)) error.code = ErrorCode::artifact_service;
  return std::move(error).within(concat("artifact storage: ", attempt));
}

}  // namespace crategate::actions
