// The protocol's other end, without a single liberty (docs/artifacts.md).
#include "support/artifact_service.h"

#include <algorithm>
#include <set>

#include "base/sha256.h"
#include "base/strings.h"

namespace crategate::test {
namespace {

using json::Reader;
using json::Value;

constexpr std::string_view kRun = "workflow_run_backend_id", kJob = "workflow_job_run_backend_id";

Reply as_json(Value value) {
  return {.status = 200, .headers = {{"Content-Type", "application/json"}}, .body = value.canonical()};
}

Reply twirp_error(int status, const std::string& message) {
  return {.status = status, .body = Value::object({{"code", "scripted"}, {"msg", message}}).canonical()};
}

std::string text(const Reader& request, std::string_view key) { return request.string_or(key, "").value_or(""); }

/// A field that is unknown, of another type or missing.
std::string find_fault(Ask ask, const Reader& request, bool is_act) {
  std::set<std::string> required{std::string(kRun), std::string(kJob)}, optional;
  if (ask != Ask::list) required.insert("name");
  if (ask == Ask::create) {
    required.insert("version");
    optional.insert("expires_at");
    if (!is_act) optional.insert("mime_type");
  }
  if (ask == Ask::finalize) required.insert({"size", "hash"});
  if (ask == Ask::list) optional.insert({"name_filter", "id_filter"});
  const auto members = request.members().value();
  for (const auto& [key, value] : members) {
    if (!required.contains(key) && !optional.contains(key)) return concat("unknown field ", key);
    required.erase(key);
    const bool good = key == "version" ? value.is_number() : value.is_string() && !value.as_string()->empty();
    if (!good) return concat("wrong type of ", key);
  }
  return required.empty() ? "" : concat("no ", *required.begin());
}

std::string digest_of(const std::string& bytes) { return concat("sha256:", sha256_hex(bytes)); }

}  // namespace

ArtifactService::ArtifactService(Rules rules) : rules_(rules) {
  server_.serve_with({.answer = [this](ReceivedRequest& request) { return answer(request); },
                      .reset_after = [this](const ReceivedRequest& request) -> std::optional<std::size_t> {
                        const auto ask = ask_of(request);
                        const std::scoped_lock lock(mutex_);
                        if (ask == Ask::put_block) most_ = std::max(most_, ++receiving_);
                        if (!ask || !take_fault(*ask, true)) return std::nullopt;
                        ++counts_[*ask];
                        if (ask == Ask::put_block) --receiving_;
                        return parse_unsigned(request.header("content-length")).value_or(0) / 2;
                      }});
}

void ArtifactService::inject(Ask ask, Fault fault, int times) {
  const std::scoped_lock lock(mutex_);
  faults_[ask].emplace_back(std::move(fault), times);
}

std::optional<Fault> ArtifactService::take_fault(Ask ask, bool before_body) {
  auto& left = faults_[ask];
  if (left.empty() || (left.front().first.kind == Fault::Kind::reset) != before_body) return std::nullopt;
  Fault fault = left.front().first;
  if (--left.front().second == 0) left.erase(left.begin());
  return fault;
}

void ArtifactService::add(const std::string& name, const std::string& bytes, const std::string& job, bool finished) {
  const std::scoped_lock lock(mutex_);
  stored_.push_back({.name = name,
                     .run = "run-1",
                     .job = job,
                     .mime_type = "application/zip",
                     .bytes = bytes,
                     .digest = digest_of(bytes),
                     .created_at = "2026-11-20T08:00:00Z",
                     .id = ++last_id_,
                     .finished = finished});
}

void ArtifactService::expire_addresses() {
  const std::scoped_lock lock(mutex_);
  addresses_.clear();
}

void ArtifactService::ignore_ranges() {
  const std::scoped_lock lock(mutex_);
  ranges_ = false;
}

std::vector<ArtifactService::Stored> ArtifactService::stored() const {
  const std::scoped_lock lock(mutex_);
  return stored_;
}

std::vector<std::string> ArtifactService::complaints() const {
  const std::scoped_lock lock(mutex_);
  return complaints_;
}

int ArtifactService::count(Ask ask) const {
  const std::scoped_lock lock(mutex_);
  const auto found = counts_.find(ask);
  return found == counts_.end() ? 0 : found->second;
}

std::size_t ArtifactService::most_at_a_time() const {
  const std::scoped_lock lock(mutex_);
  return most_;
}

Reply ArtifactService::complain(int status, const std::string& why) {
  complaints_.push_back(why);
  // The local runner says nothing about what it does not take.
  return rules_ == Rules::act ? Reply{.status = 500} : twirp_error(status, why);
}

Reply ArtifactService::answer(ReceivedRequest& request) {
  const auto ask = ask_of(request);
  const std::scoped_lock lock(mutex_);
  if (!ask)
    return request.target == "/" ? Reply{.status = 404} : complain(404, concat("no such call: ", path_of(request)));
  ++counts_[*ask];
  if (ask == Ask::put_block) --receiving_;
  const auto fault = take_fault(*ask, false);
  if (fault && fault->kind == Fault::Kind::stall) return {.stall = true};
  if (fault && fault->kind == Fault::Kind::status)
    return {.status = fault->status, .headers = fault->headers, .body = fault->body};
  Reply reply = carry_out(*ask, request);
  return fault ? damaged(*fault, *ask, std::move(reply)) : reply;
}

Reply ArtifactService::carry_out(Ask ask, ReceivedRequest& request) {
  if (ask == Ask::put_block || ask == Ask::put_block_list || ask == Ask::get_blob) return storage(ask, request);
  return call(ask, request);
}

Reply ArtifactService::call(Ask ask, const ReceivedRequest& request) {
  const auto claims = claims_of(request);
  const bool is_act = rules_ == Rules::act;
  if (request.method != "POST" || !request.header("content-type").starts_with("application/json"))
    return complain(400, "a call is a POST of JSON");
  if (!claims) return complain(401, "no token");
  const auto document = json::Document::parse(request.body, "request");
  if (!document || !document->root().is_object()) return complain(400, "no JSON object");
  const Reader body = document->root();
  const std::string fault = find_fault(ask, body, is_act);
  if (!fault.empty()) return complain(400, fault);
  const bool own = ask == Ask::create || ask == Ask::finalize || ask == Ask::list;
  if (text(body, kRun) != claims->first || (own && text(body, kJob) != claims->second))
    return complain(403, "ids that are not the token's");
  switch (ask) {
    case Ask::create:
      return create(body);
    case Ask::finalize:
      return finalize(body);
    case Ask::list:
      return list(body);
    case Ask::get_signed:
      return get_signed(body);
    default:
      return remove(body);
  }
}

ArtifactService::Stored* ArtifactService::find(const std::string& run, const std::string& name) {
  const auto found = std::find_if(stored_.begin(), stored_.end(),
                                  [&](const Stored& stored) { return stored.run == run && stored.name == name; });
  return found == stored_.end() ? nullptr : &*found;
}

std::string ArtifactService::field(std::string_view snake) const {
  if (rules_ == Rules::service) return std::string(snake);
  const std::vector<std::string> words = split(snake, '_');
  std::string name = words.front();
  for (std::size_t i = 1; i < words.size(); ++i)
    name += concat(static_cast<char>(words[i][0] - 'a' + 'A'), words[i].substr(1));
  return name;
}

std::string ArtifactService::sign(const Stored& artifact, bool to_write) {
  const bool is_act = rules_ == Rules::act;
  const std::string signature = sha256_hex(concat(artifact.id, to_write, addresses_.size())).substr(0, 20);
  const std::string query =
      is_act ? concat("sig=", signature,
                      "==&expires=2026-11-20+10%3A29%3A18&artifactName=", net::url_encode(artifact.name), "&taskID=1")
             : concat("sv=2026-04-06&se=2026-11-20T10%3A29%3A18Z&sr=b&sp=", to_write ? "cw" : "r", "&sig=", signature,
                      "%2Bx%3D");
  addresses_[query] = {artifact.id, to_write};
  const std::string path = is_act ? concat(kArtifactCalls, to_write ? "UploadArtifact" : "DownloadArtifact")
                                  : concat("/actions-results/", artifact.id, ending_of(artifact));
  return concat(server_.url(path).text(), "?", query);
}

Reply ArtifactService::create(const Reader& request) {
  const bool has_type = !text(request, "mime_type").empty();
  const std::int64_t version = request.integer("version").value_or(0);
  const std::string name = text(request, "name"), run = text(request, kRun);
  if (version != (has_type ? 7 : 4)) return complain(400, "version and mime_type do not belong together");
  if (name.find_first_of("\":<>|*?\r\n\\/") != std::string::npos) return complain(400, "a name that is not allowed");
  Stored* existing = find(run, name);
  if (existing != nullptr && rules_ == Rules::service)
    return twirp_error(409, "an artifact with this name already exists on the workflow run");
  Stored created{.name = name,
                 .run = run,
                 .job = text(request, kJob),
                 .mime_type = text(request, "mime_type"),
                 .created_at = "2026-11-20T09:29:18Z",
                 .expires_at = text(request, "expires_at"),
                 .id = ++last_id_};
  if (existing == nullptr) existing = &stored_.emplace_back();
  *existing = std::move(created);
  return as_json(Value::object({{"ok", true}, {field("signed_upload_url"), sign(*existing, true)}}));
}

Reply ArtifactService::finalize(const Reader& request) {
  Stored* stored = find(text(request, kRun), text(request, "name"));
  if (stored == nullptr || stored->job != text(request, kJob)) return twirp_error(404, "artifact not found");
  if (stored->finished) return twirp_error(409, "the artifact is finalized");
  stored->digest = digest_of(stored->bytes);
  if (text(request, "size") != std::to_string(stored->bytes.size()) || text(request, "hash") != stored->digest)
    return complain(400, "size or hash of other bytes");
  stored->finished = true;
  return as_json(Value::object({{"ok", true}, {field("artifact_id"), std::to_string(stored->id)}}));
}

Reply ArtifactService::list(const Reader& request) const {
  const bool is_act = rules_ == Rules::act;
  if (is_act && stored_.empty()) return {.cut_after = 0};
  std::vector<Value> entries;
  for (const Stored& stored : stored_) {
    const std::string name = text(request, "name_filter"), id = text(request, "id_filter");
    if (!stored.finished || stored.run != text(request, kRun)) continue;
    if ((!name.empty() && name != stored.name) || (!id.empty() && id != std::to_string(stored.id))) continue;
    Value entry = Value::object({{field(kRun), stored.run},
                                 {field(kJob), stored.job},
                                 {field("database_id"), std::to_string(stored.id)},
                                 {"name", stored.name},
                                 {"size", is_act ? "4096" : std::to_string(stored.bytes.size())},
                                 {field("created_at"), stored.created_at}});
    if (!is_act) entry.set("digest", stored.digest);
    entries.push_back(std::move(entry));
  }
  return as_json(Value::object({{"artifacts", Value::array(std::move(entries))}}));
}

Reply ArtifactService::get_signed(const Reader& request) {
  const Stored* stored = find(text(request, kRun), text(request, "name"));
  const bool there = stored != nullptr && stored->finished && stored->job == text(request, kJob);
  if (!there) return rules_ == Rules::act ? Reply{.cut_after = 0} : twirp_error(404, "workflow run not found");
  return as_json(Value::object({{field("signed_url"), sign(*stored, false)}}));
}

Reply ArtifactService::remove(const Reader& request) {
  const Stored* stored = find(text(request, kRun), text(request, "name"));
  const bool there = stored != nullptr && stored->job == text(request, kJob);
  if (!there && rules_ == Rules::service) return twirp_error(404, "artifact not found");
  const std::int64_t id = there ? stored->id : 0;
  std::erase_if(stored_, [id](const Stored& other) { return other.id == id; });
  return as_json(Value::object({{"ok", true}, {field("artifact_id"), std::to_string(id)}}));
}

}  // namespace crategate::test
