// One request from its head to its answer.
#include "support/strict_registry.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/strings.h"

namespace crategate::test {
namespace {

using Kind = RegistryFault::Kind;

bool is_token(RequestKind kind) { return kind == RequestKind::token_get || kind == RequestKind::token_post; }

bool is_done_on_storage(RequestKind kind) {
  return kind == RequestKind::upload_chunk || kind == RequestKind::upload_status || kind == RequestKind::upload_end ||
         kind == RequestKind::upload_cancel || kind == RequestKind::blob_get;
}

void set_header(Reply& reply, std::string_view name, std::string value) {
  std::erase_if(reply.headers, [&](const auto& header) { return to_lower(header.first) == to_lower(name); });
  reply.headers.emplace_back(name, std::move(value));
}

/// The content of a GET, or the digest that another answer names, becomes another.
void falsify(Reply& reply, const std::string& method) {
  if (reply.status >= 300) return;
  if (method == "GET" && !reply.body.empty()) {
    char& byte = reply.body.back();
    byte = byte == ' ' ? '\n' : ' ';
    return;
  }
  for (auto& [name, value] : reply.headers)
    if (name == "Docker-Content-Digest") value = "sha256:" + std::string(64, 'b');
}

Reply page(Reply reply) {
  if (reply.status < 400 || reply.status == 401) return reply;
  reply.body = "<html><body>an error</body></html>";
  set_header(reply, "Content-Type", "text/html");
  return reply;
}

std::string whole_text(const ReceivedRequest& request, bool with_authorization) {
  std::string text = request.target + "\n";
  for (const auto& [name, value] : request.headers)
    if (with_authorization || to_lower(name) != "authorization") text += concat(name, ": ", value, "\n");
  return request.body.size() > (64U << 10U) ? text : text + request.body;
}

}  // namespace

StrictRegistry::StrictRegistry(Options options)
    : options_(std::move(options)),
      store_(options_.rules, [this](std::string text) { complain(std::move(text)); }),
      login_(
          options_.auth, options_.anonymous_pull, options_.token_lifetime,
          [this] { return options_.clock == nullptr ? sys::Instant() : options_.clock->monotonic(); },
          [this](std::string text) { complain(std::move(text)); }),
      elsewhere_(handler(Place::elsewhere)),
      storage_(handler(Place::storage)),
      tokens_(handler(Place::token_server)),
      registry_(handler(Place::registry)) {
  const std::scoped_lock lock(mutex_);
  const auto& rules = options_.rules;
  const std::string uploads = rules.has(RegistryQuirk::uploads_elsewhere)   ? storage_.url()
                              : rules.has(RegistryQuirk::relative_location) ? std::string()
                                                                            : registry_.url();
  store_.set_bases(uploads, rules.has(RegistryQuirk::blobs_elsewhere) ? storage_.url() : std::string());
  login_.set_realm((options_.token_elsewhere ? tokens_.url() : registry_.url()) + "/token");
}

StrictRegistry::~StrictRegistry() {
  for (const std::string& complaint : complaints_) ADD_FAILURE() << "the strict registry complains: " << complaint;
}

StrictServer::Handler StrictRegistry::handler(Place place) {
  return {.before_body = [this, place](const ReceivedRequest& request) { return before_body(place, request); },
          .answer = [this, place](ReceivedRequest& request) { return answer(place, request); },
          .complain = [this](std::string text) { complain(std::move(text)); }};
}

const StrictServer& StrictRegistry::server(Place place) const {
  if (place == Place::storage) return storage_;
  if (place == Place::token_server) return tokens_;
  return place == Place::elsewhere ? elsewhere_ : registry_;
}

void StrictRegistry::complain(std::string text) {
  const std::scoped_lock lock(complaints_mutex_);
  complaints_.push_back(std::move(text));
}

std::vector<std::string> StrictRegistry::take_complaints() {
  const std::scoped_lock lock(complaints_mutex_);
  return std::exchange(complaints_, {});
}

bool StrictRegistry::may_fail(Place place, const StrictRequest& asked, const ReceivedRequest& request) const {
  if (place == Place::elsewhere) return false;
  const bool needs_login = place == Place::registry && options_.auth != RegistryAuth::none && !is_token(asked.kind);
  return !needs_login || !request.header("authorization").empty();
}

std::optional<RegistryFault> StrictRegistry::take_fault(RequestKind kind, bool before_body) {
  auto& waiting = faults_[kind];
  if (waiting.empty()) return std::nullopt;
  Injected& next = waiting.front();
  const bool is_before = next.fault.kind == Kind::refused || next.fault.kind == Kind::reset_before;
  if (is_before != before_body) return std::nullopt;
  if (next.skip > 0) {
    --next.skip;
    return std::nullopt;
  }
  RegistryFault fault = next.fault;
  if (--next.times == 0) waiting.pop_front();
  return fault;
}

std::optional<Delivery> StrictRegistry::before_body(Place place, const ReceivedRequest& request) {
  const std::scoped_lock lock(mutex_);
  const StrictRequest asked = parse_request(request);
  const auto fault = may_fail(place, asked, request) ? take_fault(asked.kind, true) : std::nullopt;
  if (!fault) return std::nullopt;
  ++counts_[asked.kind];
  log_.push_back({place, asked.kind, request.method, request.target, request.header("host"),
                  !request.header("authorization").empty(), 0});
  if (fault->kind == Kind::refused) registry_.close_port();
  return Delivery{.way = Delivery::Way::reset};
}

void StrictRegistry::inspect(Place place, const StrictRequest& asked, const ReceivedRequest& request) {
  const std::string shown = concat(request.method, ' ', request.target, ": ");
  if (place == Place::elsewhere || place == Place::storage) {
    if (!request.header("authorization").empty() || login_.holds_secret(whole_text(request, true)))
      complain(concat("a credential leaks to another host: ", shown));
  } else if (!is_token(asked.kind) && login_.holds_secret(whole_text(request, false))) {
    complain(concat("a credential outside of Authorization: ", shown));
  }
  if (place == Place::elsewhere) return;
  for (const std::string& fault : find_faults(asked, request)) complain(shown + fault);
  const std::string host = server(place).host();
  if (request.header("host") != host && request.header("host") != replace_all(host, "127.0.0.1", "localhost"))
    complain(concat(shown, "another Host: ", request.header("host")));
}

Delivery StrictRegistry::answer(Place place, ReceivedRequest& request) {
  const std::scoped_lock lock(mutex_);
  const StrictRequest asked = parse_request(request);
  inspect(place, asked, request);
  ++counts_[asked.kind];
  const auto fault = may_fail(place, asked, request) ? take_fault(asked.kind, false) : std::nullopt;
  Logged logged{place,
                asked.kind,
                request.method,
                request.target,
                request.header("host"),
                !request.header("authorization").empty()};
  Delivery delivery = fault ? faulty(place, *fault, asked, request) : Delivery{carry_out(place, asked, request)};
  const bool silent = delivery.way == Delivery::Way::reset || delivery.way == Delivery::Way::stall;
  logged.status = silent ? 0 : delivery.reply.status;
  log_.push_back(std::move(logged));
  return delivery;
}

Delivery StrictRegistry::faulty(Place place, const RegistryFault& fault, const StrictRequest& asked,
                                ReceivedRequest& request) {
  using Way = Delivery::Way;
  switch (fault.kind) {
    case Kind::stall:
      return {.way = Way::stall};
    case Kind::cut:
      store_.receive(asked.reference, std::string_view(request.body).substr(0, request.body.size() / 2));
      return {.way = Way::reset};
    case Kind::status:
      return {{.status = fault.status, .headers = fault.headers, .body = fault.body}};
    case Kind::redirect_elsewhere:
      return {{.status = 307, .headers = {{"Location", elsewhere_.url() + request.target}}}};
    case Kind::redirect_loop:
      return {{.status = 307, .headers = {{"Location", server(place).url() + request.target}}}};
    case Kind::no_effect: {
      const StrictStore before = store_;
      Delivery delivery{carry_out(place, asked, request)};
      store_ = before;
      return delivery;
    }
    default:
      break;
  }
  Delivery delivery{carry_out(place, asked, request)};
  if (fault.kind == Kind::reset_after) delivery.way = Way::reset;
  if (fault.kind == Kind::truncated) delivery.way = Way::half;
  if (fault.kind == Kind::duplicate) delivery.way = Way::twice;
  if (fault.kind == Kind::slow) delivery.way = Way::drip;
  if (fault.kind == Kind::wrong_digest) falsify(delivery.reply, request.method);
  if (fault.kind == Kind::wrong_type) set_header(delivery.reply, "Content-Type", "text/html");
  return delivery;
}

Reply StrictRegistry::carry_out(Place place, const StrictRequest& asked, ReceivedRequest& request) {
  if (place == Place::elsewhere) return registry_problem(404, "MANIFEST_UNKNOWN", "nothing is here");
  if (place == Place::token_server && !is_token(asked.kind)) {
    complain("a request to the token server that is for no token");
    return registry_problem(404, "UNSUPPORTED", "no registry");
  }
  if (is_token(asked.kind)) return login_.token(asked, request);
  Reply reply = place == Place::storage ? Reply{} : at_registry(asked, request);
  if (place == Place::storage) {
    if (!is_done_on_storage(asked.kind)) complain("a request to the storage that belongs to the registry");
    reply = store_.carry_out(asked, request, true);
  }
  return options_.rules.has(RegistryQuirk::html_errors) ? page(std::move(reply)) : reply;
}

Reply StrictRegistry::at_registry(const StrictRequest& asked, ReceivedRequest& request) {
  const auto verdict = login_.judge(asked, request);
  const bool lacks = verdict == StrictLogin::Verdict::lacks_right;
  if (lacks && options_.rules.has(RegistryQuirk::hidden_unknown))
    return registry_problem(404, "NAME_UNKNOWN", "repository name not known");
  if (lacks && options_.rules.has(RegistryQuirk::hidden_denied))
    return registry_problem(404, "DENIED", "requested access is denied");
  if (verdict != StrictLogin::Verdict::granted) return login_.challenge(asked, verdict);
  return store_.carry_out(asked, request, false);
}

std::string StrictRegistry::add_blob(const std::string& repository, std::string bytes) {
  const std::scoped_lock lock(mutex_);
  return store_.add_blob(repository, std::move(bytes));
}

std::string StrictRegistry::add_manifest(const std::string& repository, const std::string& tag,
                                         const std::string& bytes, const std::string& media_type) {
  const std::scoped_lock lock(mutex_);
  return store_.add_manifest(repository, tag, bytes, media_type);
}

void StrictRegistry::inject(RequestKind kind, RegistryFault fault, int times, int skip) {
  const std::scoped_lock lock(mutex_);
  faults_[kind].push_back({std::move(fault), times, skip});
}

void StrictRegistry::clear_faults() {
  const std::scoped_lock lock(mutex_);
  faults_.clear();
}

void StrictRegistry::revoke_tokens() {
  const std::scoped_lock lock(mutex_);
  login_.revoke();
}

void StrictRegistry::change_password(const std::string& password) {
  const std::scoped_lock lock(mutex_);
  login_.change_password(password);
}

int StrictRegistry::count(RequestKind kind) const {
  const std::scoped_lock lock(mutex_);
  const auto found = counts_.find(kind);
  return found == counts_.end() ? 0 : found->second;
}

int StrictRegistry::requests() const {
  const std::scoped_lock lock(mutex_);
  int all = 0;
  for (const auto& [kind, count] : counts_) all += count;
  return all;
}

std::vector<StrictRegistry::Logged> StrictRegistry::log() const {
  const std::scoped_lock lock(mutex_);
  return {log_.begin(), log_.end()};
}

void StrictRegistry::clear_log() {
  const std::scoped_lock lock(mutex_);
  log_.clear();
  counts_.clear();
}

std::vector<std::string> StrictRegistry::scopes() const {
  const std::scoped_lock lock(mutex_);
  return login_.scopes();
}

std::map<std::string, StrictStore::Repository> StrictRegistry::content() const {
  const std::scoped_lock lock(mutex_);
  return store_.repositories();
}

std::size_t StrictRegistry::open_uploads() const {
  const std::scoped_lock lock(mutex_);
  return store_.uploads();
}

}  // namespace crategate::test
