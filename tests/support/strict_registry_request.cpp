// The table of endpoints, and the rules of their headers.
#include "support/strict_registry_request.h"

#include <algorithm>
#include <array>
#include <set>

#include "base/strings.h"
#include "oci/media_types.h"

namespace crategate::test {
namespace {

constexpr std::array<std::string_view, kRequestKinds> kNames{
    "ping",          "blob_head",     "blob_get",     "blob_delete",   "upload_start",
    "upload_whole",  "mount",         "upload_chunk", "upload_status", "upload_end",
    "upload_cancel", "manifest_head", "manifest_get", "manifest_put",  "manifest_delete",
    "tags",          "referrers",     "token_get",    "token_post",    "unknown"};

using Kinds = std::map<std::string, RequestKind>;

bool all_of(std::string_view text, std::string_view allowed) {
  return text.find_first_not_of(allowed) == std::string_view::npos;
}

constexpr std::string_view kLower = "abcdefghijklmnopqrstuvwxyz0123456789";
constexpr std::string_view kTagLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";

bool is_component(std::string_view text) {
  if (text.empty() || !all_of(text.substr(0, 1), kLower) || !all_of(text.substr(text.size() - 1), kLower)) return false;
  while (!text.empty()) {
    const std::size_t separator = std::min(text.find_first_not_of(kLower), text.size());
    text.remove_prefix(separator);
    const std::size_t end = std::min(text.find_first_of(kLower), text.size());
    const std::string_view between = text.substr(0, end);
    if (!between.empty() && between != "." && between != "_" && between != "__" && !all_of(between, "-")) return false;
    text.remove_prefix(end);
  }
  return true;
}

/// The kind of a request by its method; unknown = the endpoint does not have it.
RequestKind by_method(const std::string& method, const Kinds& kinds) {
  const auto found = kinds.find(method);
  return found == kinds.end() ? RequestKind::unknown : found->second;
}

RequestKind start_kind(const StrictRequest& asked) {
  if (asked.method != "POST") return RequestKind::unknown;
  if (!asked.parameter("mount").empty()) return RequestKind::mount;
  return asked.parameter("digest").empty() ? RequestKind::upload_start : RequestKind::upload_whole;
}

/// What stands before the last part of a path: "manifests", "uploads" of "blobs/uploads"; splits the path there.
std::string split_path(const std::string& path, StrictRequest& asked) {
  const std::size_t last = path.rfind('/');
  const std::size_t before = last == std::string::npos || last == 0 ? last : path.rfind('/', last - 1);
  if (before == std::string::npos) return {};
  std::string endpoint = path.substr(before + 1, last - before - 1);
  asked.reference = path.substr(last + 1);
  asked.repository = path.substr(0, before);
  if (endpoint != "uploads") return endpoint;
  if (!asked.repository.ends_with("/blobs")) return {};
  asked.repository.resize(asked.repository.size() - 6);
  return endpoint;
}

void set_kind(const std::string& path, StrictRequest& asked) {
  using enum RequestKind;
  const std::string endpoint = split_path(path, asked);
  if (endpoint == "uploads") {
    asked.kind =
        asked.reference.empty()
            ? start_kind(asked)
            : by_method(
                  asked.method,
                  {{"PATCH", upload_chunk}, {"GET", upload_status}, {"PUT", upload_end}, {"DELETE", upload_cancel}});
  } else if (endpoint == "blobs") {
    asked.kind = by_method(asked.method, {{"HEAD", blob_head}, {"GET", blob_get}, {"DELETE", blob_delete}});
  } else if (endpoint == "manifests") {
    asked.kind =
        by_method(asked.method,
                  {{"HEAD", manifest_head}, {"GET", manifest_get}, {"PUT", manifest_put}, {"DELETE", manifest_delete}});
  } else if (endpoint == "referrers") {
    asked.kind = by_method(asked.method, {{"GET", referrers}});
  } else if (endpoint == "tags" && asked.reference == "list") {
    asked.kind = by_method(asked.method, {{"GET", tags}});
  }
}

std::set<std::string> parameters_of(RequestKind kind) {
  switch (kind) {
    case RequestKind::upload_whole:
      return {"digest"};
    case RequestKind::mount:
      return {"mount", "from"};
    case RequestKind::upload_end:
      return {"_state", "digest"};
    case RequestKind::upload_chunk:
    case RequestKind::upload_status:
    case RequestKind::upload_cancel:
      return {"_state"};
    case RequestKind::tags:
      return {"n", "last"};
    case RequestKind::referrers:
      return {"artifactType", "page"};
    case RequestKind::blob_get:
      return {"signature"};
    case RequestKind::token_get:
      return {"service", "scope", "account", "client_id", "offline_token"};
    default:
      return {};
  }
}

std::string reference_fault(const StrictRequest& asked) {
  using enum RequestKind;
  switch (asked.kind) {
    case blob_head:
    case blob_get:
    case blob_delete:
    case referrers:
      return is_digest(asked.reference) ? "" : "not a digest";
    case manifest_head:
    case manifest_get:
    case manifest_put:
    case manifest_delete:
      return is_digest(asked.reference) || is_tag(asked.reference) ? "" : "neither a tag nor a digest";
    case upload_end:
    case upload_whole:
      return is_digest(asked.parameter("digest")) ? "" : "its digest is none";
    case mount:
      return is_digest(asked.parameter("mount")) && is_repository(asked.parameter("from")) ? "" : "a wrong mount";
    default:
      return "";
  }
}

void check_framing(const ReceivedRequest& request, std::vector<std::string>& faults) {
  std::map<std::string, int> counts;
  for (const auto& [key, value] : request.headers) ++counts[to_lower(key)];
  for (const char* once : {"authorization", "content-type", "content-length", "content-range", "range", "host"})
    if (counts[once] > 1) faults.push_back(concat(once, " more than once"));
  if (counts["host"] != 1) faults.emplace_back("no Host");
  if (counts["transfer-encoding"] != 0) faults.emplace_back("Transfer-Encoding instead of Content-Length");
  if (counts["cookie"] != 0) faults.emplace_back("a cookie");
  const bool writes = request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
  if (writes && counts["content-length"] == 0) faults.emplace_back("no Content-Length");
  if (!writes && !request.body.empty()) faults.emplace_back("a body where none belongs");
  if (counts["content-length"] != 0 && !parse_unsigned(request.header("content-length")))
    faults.emplace_back("Content-Length is no number");
  for (const char c : request.target)
    if (c <= ' ' || c >= '\x7f' || c == '#') faults.emplace_back("a character that no target has");
}

void check_range(const StrictRequest& asked, const ReceivedRequest& request, std::vector<std::string>& faults) {
  const std::string content_range = request.header("content-range"), range = request.header("range");
  if (asked.kind == RequestKind::upload_chunk && content_range.empty()) faults.emplace_back("no Content-Range");
  if (!content_range.empty()) {
    const auto found = parse_range(content_range);
    const bool chunk = asked.kind == RequestKind::upload_chunk || asked.kind == RequestKind::upload_end;
    if (!chunk) faults.emplace_back("Content-Range where none belongs");
    if (!found || found->second - found->first + 1 != request.body.size())
      faults.push_back(concat("Content-Range ", quoted(content_range), " for ", request.body.size(), " bytes"));
  }
  if (range.empty()) return;
  const std::string_view bounds = std::string_view(range).substr(std::min<std::size_t>(6, range.size()));
  const bool open_end = bounds.ends_with('-') && parse_unsigned(bounds.substr(0, bounds.size() - 1));
  if (asked.kind != RequestKind::blob_get || !range.starts_with("bytes=") || !(open_end || parse_range(bounds)))
    faults.push_back(concat("Range ", quoted(range)));
}

void check_type(const StrictRequest& asked, const ReceivedRequest& request, std::vector<std::string>& faults) {
  using enum RequestKind;
  const std::string type = request.header("content-type");
  const bool blob =
      asked.kind == upload_chunk || asked.kind == upload_whole || (asked.kind == upload_end && !request.body.empty());
  if (blob && type != "application/octet-stream") faults.push_back(concat("Content-Type ", quoted(type), " of a blob"));
  if (asked.kind == manifest_put && !oci::is_manifest(type) && !oci::is_index(type))
    faults.push_back(concat("Content-Type ", quoted(type), " of a manifest"));
  if (asked.kind == manifest_head || asked.kind == manifest_get) {
    const std::string accept = request.header("accept");
    for (const auto& each : {oci::kOciManifest, oci::kOciIndex, oci::kDockerManifest, oci::kDockerManifestList})
      if (accept.find(each) == std::string::npos) faults.push_back(concat("no Accept of ", each));
  }
}

}  // namespace

std::string_view name(RequestKind kind) { return kNames.at(static_cast<std::size_t>(kind)); }

std::string StrictRequest::parameter(std::string_view key) const {
  for (const auto& [name, value] : query)
    if (name == key) return value;
  return {};
}

bool is_digest(std::string_view text) {
  return text.size() == 71 && text.starts_with("sha256:") && all_of(text.substr(7), "0123456789abcdef");
}

bool is_tag(std::string_view text) {
  return !text.empty() && text.size() <= 128 && all_of(text, kTagLetters) && text[0] != '.' && text[0] != '-';
}

bool is_repository(std::string_view text) {
  const auto components = split(text, '/');
  return text.size() <= 255 && std::all_of(components.begin(), components.end(), is_component);
}

std::optional<std::pair<std::uint64_t, std::uint64_t>> parse_range(std::string_view text) {
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto first = parse_unsigned(text.substr(0, dash)), last = parse_unsigned(text.substr(dash + 1));
  if (!first || !last || *last < *first) return std::nullopt;
  return std::pair(*first, *last);
}

std::optional<std::string> percent_decode(std::string_view text, bool form) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += form && text[i] == '+' ? ' ' : text[i];
      continue;
    }
    constexpr std::string_view kHex = "0123456789ABCDEF";
    const std::size_t high = i + 2 < text.size() ? kHex.find(text[i + 1]) : std::string_view::npos;
    const std::size_t low = i + 2 < text.size() ? kHex.find(text[i + 2]) : std::string_view::npos;
    if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return decoded;
}

std::optional<std::vector<std::pair<std::string, std::string>>> parse_pairs(std::string_view text, bool form) {
  std::vector<std::pair<std::string, std::string>> pairs;
  if (text.empty()) return pairs;
  for (const std::string& each : split(text, '&')) {
    const std::size_t equals = std::min(each.find('='), each.size());
    const auto key = percent_decode(std::string_view(each).substr(0, equals), form);
    const auto value = percent_decode(std::string_view(each).substr(std::min(equals + 1, each.size())), form);
    if (!key || !value || key->empty()) return std::nullopt;
    pairs.emplace_back(*key, *value);
  }
  return pairs;
}

StrictRequest parse_request(const ReceivedRequest& request) {
  StrictRequest asked{.method = request.method};
  const std::size_t mark = std::min(request.target.find('?'), request.target.size());
  const std::string path = request.target.substr(0, mark);
  asked.query = parse_pairs(std::string_view(request.target).substr(std::min(mark + 1, request.target.size())), false)
                    .value_or(std::vector{std::pair<std::string, std::string>("not well encoded", "")});
  if (path == "/token") {
    asked.kind = by_method(request.method, {{"GET", RequestKind::token_get}, {"POST", RequestKind::token_post}});
  } else if (path == "/v2/") {
    asked.kind = by_method(request.method, {{"GET", RequestKind::ping}, {"HEAD", RequestKind::ping}});
  } else if (path.starts_with("/v2/")) {
    set_kind(path.substr(4), asked);
  }
  return asked;
}

std::vector<std::string> find_faults(const StrictRequest& asked, const ReceivedRequest& request) {
  std::vector<std::string> faults;
  if (asked.kind == RequestKind::unknown) faults.emplace_back("no endpoint of the specification");
  const bool of_repository = asked.kind != RequestKind::ping && asked.kind != RequestKind::token_get &&
                             asked.kind != RequestKind::token_post && asked.kind != RequestKind::unknown;
  if (of_repository && !is_repository(asked.repository))
    faults.push_back(concat("not a repository: ", quoted(asked.repository)));
  if (const std::string fault = reference_fault(asked); !fault.empty()) faults.push_back(fault);
  const std::set<std::string> allowed = parameters_of(asked.kind);
  for (const auto& [key, value] : asked.query)
    if (!allowed.contains(key)) faults.push_back(concat("unknown parameter ", quoted(key)));
  check_framing(request, faults);
  check_range(asked, request, faults);
  check_type(asked, request, faults);
  return faults;
}

}  // namespace crategate::test
