// Manifests, tags and referrers of the strict registry.
#include <algorithm>

#include "base/sha256.h"
#include "base/strings.h"
#include "oci/media_types.h"
#include "support/strict_registry_store.h"

namespace crategate::test {
namespace {

using json::Document;
using json::Reader;
using json::Value;

constexpr std::size_t kLargest = 4U << 20U;

std::string digest_of(std::string_view bytes) { return concat("sha256:", sha256_hex(bytes)); }

std::string text_at(const Reader& object, std::string_view key) { return object.string_or(key, "").value_or(""); }

/// The digests of a descriptor list but those of layers that stay elsewhere; nullopt = one is none.
std::optional<std::vector<std::string>> digests_at(const Reader& document, std::string_view key) {
  std::vector<std::string> digests;
  const auto list = document.find(key);
  if (!list) return std::nullopt;
  if (!*list) return digests;
  const auto items = (*list)->items();
  if (!items) return std::nullopt;
  for (const Reader& item : *items) {
    if (!item.is_object() || !is_digest(text_at(item, "digest"))) return std::nullopt;
    if (text_at(item, "mediaType").find(".foreign.") == std::string::npos) digests.push_back(text_at(item, "digest"));
  }
  return digests;
}

std::string subject_of(const Reader& document) {
  const auto subject = document.find("subject");
  return subject && *subject ? text_at(**subject, "digest") : std::string();
}

std::string artifact_type_of(const Reader& document) {
  const std::string own = text_at(document, "artifactType");
  const auto config = document.find("config");
  return own.empty() && config && *config ? text_at(**config, "mediaType") : own;
}

Value descriptor_of(const std::string& digest, const StrictStore::Manifest& manifest, const Reader& document) {
  Value descriptor = Value::object(
      {{"mediaType", manifest.media_type}, {"digest", digest}, {"size", std::uint64_t{manifest.bytes.size()}}});
  const std::string type = artifact_type_of(document);
  if (!type.empty()) descriptor.set("artifactType", type);
  const auto annotations = document.string_map("annotations");
  if (annotations && !annotations->empty()) descriptor.set("annotations", Value::object_of(*annotations));
  return descriptor;
}

}  // namespace

std::string StrictStore::add_manifest(const std::string& repository, const std::string& tag, const std::string& bytes,
                                      const std::string& media_type) {
  std::string digest = digest_of(bytes);
  repositories_[repository].manifests.insert_or_assign(digest, Manifest{bytes, media_type});
  if (!tag.empty()) repositories_[repository].tags[tag] = digest;
  return digest;
}

Reply StrictStore::manifest(const StrictRequest& asked, const ReceivedRequest& request) {
  const bool head = asked.kind == RequestKind::manifest_head;
  if (head && rules_.has(RegistryQuirk::no_head)) return registry_problem(405, "UNSUPPORTED", "no HEAD here");
  const auto repository = repositories_.find(asked.repository);
  if (repository == repositories_.end()) return registry_problem(404, "NAME_UNKNOWN", "repository name not known");
  Reply unknown = registry_problem(404, "MANIFEST_UNKNOWN", "manifest unknown to registry");
  const auto tag = repository->second.tags.find(asked.reference);
  const std::string digest = tag == repository->second.tags.end() ? asked.reference : tag->second;
  const auto found = repository->second.manifests.find(digest);
  if (found == repository->second.manifests.end() || lags(asked.repository, asked.reference)) return unknown;
  if (head && rules_.has(RegistryQuirk::head_not_found)) return unknown;
  if (request.header("accept").find(found->second.media_type) == std::string::npos) return unknown;
  Reply reply{.status = 200, .headers = {{"Content-Type", found->second.media_type}}, .body = found->second.bytes};
  if (!rules_.has(RegistryQuirk::no_content_digest)) reply.headers.emplace_back("Docker-Content-Digest", digest);
  return reply;
}

bool StrictStore::lags(const std::string& repository, const std::string& reference) {
  const auto found = hidden_.find(concat(repository, '@', reference));
  return found != hidden_.end() && found->second-- > 0;
}

std::string StrictStore::manifest_problem(const Repository& repository, const Reader& document) const {
  const auto children = digests_at(document, "manifests");
  auto blobs = digests_at(document, "layers");
  if (!children || !blobs) return "MANIFEST_INVALID";
  const auto config = document.find("config");
  if (config && *config) blobs->push_back(text_at(**config, "digest"));
  const bool index = oci::is_index(text_at(document, "mediaType"));
  if (index ? !blobs->empty() : !children->empty() || !config || !*config) return "MANIFEST_INVALID";
  const auto is_child = [&](const std::string& digest) { return repository.manifests.contains(digest); };
  const auto is_blob = [&](const std::string& digest) { return repository.blobs.contains(digest); };
  const bool complete =
      std::all_of(children->begin(), children->end(), is_child) && std::all_of(blobs->begin(), blobs->end(), is_blob);
  return complete ? "" : "MANIFEST_BLOB_UNKNOWN";
}

Reply StrictStore::put_manifest(const StrictRequest& asked, const ReceivedRequest& request) {
  if (request.body.size() > kLargest) return registry_problem(413, "SIZE_INVALID", "manifest too large");
  const std::string digest = digest_of(request.body), type = request.header("content-type");
  const auto document = Document::parse(request.body, "manifest");
  if (!document || !document->root().is_object()) return registry_problem(400, "MANIFEST_INVALID", "not an object");
  const Reader root = document->root();
  if (root.integer("schemaVersion").value_or(0) != 2 || text_at(root, "mediaType") != type)
    return registry_problem(400, "MANIFEST_INVALID", "schemaVersion or mediaType is wrong");
  if (is_digest(asked.reference) && asked.reference != digest)
    return registry_problem(400, "DIGEST_INVALID", "provided digest did not match uploaded content");
  const auto known = repositories_.find(asked.repository);
  if (const auto problem = manifest_problem(known == repositories_.end() ? Repository{} : known->second, root);
      !problem.empty())
    return registry_problem(problem == "MANIFEST_INVALID" ? 400 : 404, problem, "refused");
  Repository& repository = repositories_[asked.repository];
  if (is_tag(asked.reference)) {
    const std::string before = repository.tags[asked.reference];
    if (rules_.has(RegistryQuirk::immutable_tags) && !before.empty() && before != digest)
      return registry_problem(400, "TAG_INVALID", concat("the tag '", asked.reference, "' exists and is immutable"));
    repository.tags[asked.reference] = digest;
    if (!before.empty() && before != digest) collect(repository, before);
  }
  repository.manifests.insert_or_assign(digest, Manifest{request.body, type});
  if (rules_.has(RegistryQuirk::lag)) hidden_[concat(asked.repository, '@', asked.reference)] = rules_.lag;
  Reply reply = created(concat("/v2/", asked.repository, "/manifests/", digest), digest);
  const std::string subject = subject_of(root);
  if (!subject.empty() && !rules_.has(RegistryQuirk::no_referrers)) reply.headers.emplace_back("OCI-Subject", subject);
  return reply;
}

void StrictStore::collect(Repository& repository, const std::string& digest) const {
  if (!rules_.has(RegistryQuirk::collects_untagged)) return;
  for (const auto& [tag, target] : repository.tags)
    if (target == digest) return;
  for (const auto& [other, manifest] : repository.manifests)
    if (other != digest && manifest.bytes.find(digest) != std::string::npos) return;
  repository.manifests.erase(digest);
}

Reply StrictStore::remove_manifest(const StrictRequest& asked) {
  const bool by_tag = is_tag(asked.reference);
  if (rules_.has(RegistryQuirk::no_delete)) return registry_problem(405, "UNSUPPORTED", "deletion is off");
  if (by_tag && rules_.has(RegistryQuirk::no_tag_delete))
    return registry_problem(400, "UNSUPPORTED", "tags are not deleted here");
  const auto found = repositories_.find(asked.repository);
  if (found == repositories_.end()) return registry_problem(404, "NAME_UNKNOWN", "repository name not known");
  Repository& repository = found->second;
  if (by_tag) {
    const auto tag = repository.tags.find(asked.reference);
    if (tag == repository.tags.end()) return registry_problem(404, "MANIFEST_UNKNOWN", "manifest unknown");
    const std::string digest = tag->second;
    repository.tags.erase(tag);
    collect(repository, digest);
    return {.status = 202};
  }
  if (repository.manifests.erase(asked.reference) == 0)
    return registry_problem(404, "MANIFEST_UNKNOWN", "manifest unknown");
  std::erase_if(repository.tags, [&](const auto& tag) { return tag.second == asked.reference; });
  return {.status = 202};
}

Reply StrictStore::tags(const StrictRequest& asked) const {
  const auto repository = repositories_.find(asked.repository);
  if (repository == repositories_.end()) return registry_problem(404, "NAME_UNKNOWN", "repository name not known");
  const std::string last = asked.parameter("last"), wanted = asked.parameter("n");
  const auto number = parse_unsigned(wanted);
  if (!wanted.empty() && !number) return registry_problem(400, "UNSUPPORTED", "n is no number");
  std::size_t most = number.value_or(repository->second.tags.size());
  if (rules_.has(RegistryQuirk::pages)) most = std::min(most, rules_.page);
  std::vector<std::string> found;
  bool more = false;
  for (auto at = repository->second.tags.upper_bound(last); at != repository->second.tags.end() && !more; ++at) {
    more = found.size() == most;
    if (!more) found.push_back(at->first);
  }
  Reply reply{.status = 200,
              .headers = {{"Content-Type", "application/json"}},
              .body = Value::object({{"name", asked.repository}, {"tags", Value::array_of(found)}}).canonical()};
  if (more && !found.empty())
    reply.headers.emplace_back(
        "Link", concat("</v2/", asked.repository, "/tags/list?last=", found.back(), "&n=", most, ">; rel=\"next\""));
  return reply;
}

Reply StrictStore::referrers(const StrictRequest& asked) const {
  if (rules_.has(RegistryQuirk::no_referrers)) return {.status = 404, .body = "404 page not found\n"};
  const auto repository = repositories_.find(asked.repository);
  const std::string wanted = asked.parameter("artifactType");
  std::vector<Value> found;
  if (repository != repositories_.end()) {
    for (const auto& [digest, manifest] : repository->second.manifests) {
      const auto document = Document::parse(manifest.bytes, "manifest");
      if (!document || subject_of(document->root()) != asked.reference) continue;
      if (wanted.empty() || artifact_type_of(document->root()) == wanted)
        found.push_back(descriptor_of(digest, manifest, document->root()));
    }
  }
  Reply reply{.status = 200, .headers = {{"Content-Type", std::string(oci::kOciIndex)}}};
  if (!wanted.empty()) reply.headers.emplace_back("OCI-Filters-Applied", "artifactType");
  if (rules_.has(RegistryQuirk::pages)) {
    const std::size_t page = parse_unsigned(asked.parameter("page")).value_or(0), begin = page * rules_.page;
    const std::size_t end = std::min(begin + rules_.page, found.size());
    if (end < found.size())
      reply.headers.emplace_back("Link", concat("</v2/", asked.repository, "/referrers/", asked.reference,
                                                "?page=", page + 1, ">; rel=\"next\""));
    std::vector<Value> part;
    for (std::size_t i = begin; i < end; ++i) part.push_back(found[i]);
    found = std::move(part);
  }
  reply.body = Value::object({{"schemaVersion", 2},
                              {"mediaType", std::string(oci::kOciIndex)},
                              {"manifests", Value::array(std::move(found))}})
                   .canonical();
  return reply;
}

}  // namespace crategate::test
