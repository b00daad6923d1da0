// The fields, as the service's protocol names them. What a signed address says stays out of every message.
#include "actions/artifact_messages.h"

#include "actions/artifact_names.h"
#include "base/strings.h"
#include "json/value.h"

namespace crategate::actions {
namespace {

constexpr std::size_t kMessageLimit = 300;

json::Value with_ids(const BackendIds& ids) {
  return json::Value::object({{"workflow_run_backend_id", ids.run}, {"workflow_job_run_backend_id", ids.job}});
}

Failure unexpected(std::string_view method, std::string_view what) {
  return fail(ErrorCode::artifact_service,
              concat("artifact service: ", method, " answered without what was asked: expected ", what),
              "try again; if it stays, look at the service's status page");
}

Result<json::Document> parse(std::string_view body, std::string_view method) {
  auto document = json::Document::parse(body, std::string(method));
  if (document && document->root().is_object()) return document;
  return unexpected(method, "a JSON object");
}

/// `signed_url` → `signedUrl`.
std::string camel(std::string_view snake) {
  std::string name;
  bool raise = false;
  for (const char c : snake) {
    if (c != '_') name += raise ? static_cast<char>(c - 'a' + 'A') : c;
    raise = c == '_';
  }
  return name;
}

std::optional<json::Reader> field(const json::Reader& object, std::string_view snake) {
  for (const std::string& key : {std::string(snake), camel(snake)}) {
    auto found = object.find(key);
    if (found && *found) return *found;
  }
  return std::nullopt;
}

std::string text_field(const json::Reader& object, std::string_view snake) {
  const auto value = field(object, snake);
  return value && value->is_string() ? value->as_string().value_or("") : std::string();
}

/// A number left out is 0; nullopt: it is something else.
std::optional<std::int64_t> number_field(const json::Reader& object, std::string_view snake) {
  const auto value = field(object, snake);
  if (!value) return 0;
  if (value->is_number()) {
    const auto number = value->as_integer();
    return number ? std::optional(*number) : std::nullopt;
  }
  const auto number = parse_unsigned(value->is_string() ? value->as_string().value_or("") : "");
  if (!number || *number > INT64_MAX) return std::nullopt;
  return static_cast<std::int64_t>(*number);
}

/// The signature of an address becomes unprintable, as it stands there and decoded.
void hide_signature(const net::Url& url) {
  const std::size_t question = url.target.find('?');
  if (question == std::string::npos) return;
  for (const std::string& pair : split(std::string_view(url.target).substr(question + 1), '&')) {
    if (!pair.starts_with("sig=")) continue;
    const std::string raw = pair.substr(4);
    const Secret as_sent(raw);
    const Secret decoded(replace_all(replace_all(replace_all(raw, "%2B", "+"), "%2F", "/"), "%3D", "="));
  }
}

Result<Artifact> decode_entry(const json::Reader& entry, bool is_act) {
  const auto id = number_field(entry, "database_id"), size = number_field(entry, "size");
  Artifact artifact{.name = text_field(entry, "name"),
                    .digest = text_field(entry, "digest"),
                    .created_at = text_field(entry, "created_at"),
                    .run_backend_id = text_field(entry, "workflow_run_backend_id"),
                    .job_backend_id = text_field(entry, "workflow_job_run_backend_id")};
  if (artifact.name.empty() || !id || !size || *size < 0)
    return unexpected(kList, "a name, an id and a size for each artifact");
  artifact.id = *id;
  if (!is_act) artifact.size = static_cast<std::uint64_t>(*size);
  return artifact;
}

}  // namespace

std::string encode_create(const BackendIds& ids, const NewArtifact& artifact) {
  json::Value request = with_ids(ids);
  request.set("name", artifact.name);
  if (!artifact.expires_at.empty()) request.set("expires_at", artifact.expires_at);
  request.set("version", artifact.mime_type.empty() ? kVersionWithoutType : kVersion);
  if (!artifact.mime_type.empty()) request.set("mime_type", artifact.mime_type);
  return request.canonical();
}

std::string encode_finalize(const BackendIds& ids, std::string_view name, std::uint64_t size, std::string_view digest) {
  json::Value request = with_ids(ids);
  request.set("name", name).set("size", std::to_string(size)).set("hash", digest);
  return request.canonical();
}

std::string encode_list(const BackendIds& ids, const std::optional<std::string>& name) {
  json::Value request = with_ids(ids);
  if (name) request.set("name_filter", *name);
  return request.canonical();
}

std::string encode_named(const BackendIds& ids, std::string_view name) {
  return with_ids(ids).set("name", name).canonical();
}

bool is_answer(std::string_view body) { return parse(body, "answer").has_value(); }

Result<net::Url> decode_signed_url(std::string_view body, std::string_view method, const net::Url& service) {
  CG_TRY(const json::Document document, parse(body, method));
  const auto url = net::Url::parse(text_field(document.root(), method == kCreate ? "signed_upload_url" : "signed_url"));
  if (!url) return unexpected(method, "a signed address");
  if (url->scheme != "https" && url->scheme != service.scheme) return unexpected(method, "a signed https address");
  hide_signature(*url);
  return *url;
}

Result<std::int64_t> decode_finalized(std::string_view body) {
  CG_TRY(const json::Document document, parse(body, kFinalize));
  const auto ok = field(document.root(), "ok");
  const auto id = number_field(document.root(), "artifact_id");
  if (!ok || !ok->is_bool() || !ok->as_bool().value_or(false)) return unexpected(kFinalize, "ok: true");
  if (!id || *id <= 0) return unexpected(kFinalize, "the artifact's id");
  return *id;
}

Result<std::vector<Artifact>> decode_list(std::string_view body, bool is_act) {
  CG_TRY(const json::Document document, parse(body, kList));
  std::vector<Artifact> artifacts;
  const auto entries = field(document.root(), "artifacts");
  if (!entries) return artifacts;
  const auto items = entries->items();
  if (!items) return unexpected(kList, "a list");
  for (const json::Reader& item : *items) {
    if (!item.is_object()) return unexpected(kList, "a list of objects");
    CG_TRY(Artifact artifact, decode_entry(item, is_act));
    artifacts.push_back(std::move(artifact));
  }
  sort_newest_first(artifacts);
  return artifacts;
}

std::string decode_message(std::string_view body) {
  const auto document = json::Document::parse(body, "answer");
  if (!document || !document->root().is_object()) return {};
  return neutralise(redact(text_field(document->root(), "msg").substr(0, kMessageLimit)));
}

}  // namespace crategate::actions
