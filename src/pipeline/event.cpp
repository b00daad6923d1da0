// Reading GitHub's event payloads; every doubt is resolved towards "pull request" or refused.
// Belongs here: the shapes of payloads.  Not here: what an event leads to (policy).
#include "pipeline/event.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "base/strings.h"
#include "json/value.h"

namespace crategate::pipeline {
namespace {

constexpr std::string_view kPullPrefix = "refs/pull/";
constexpr std::string_view kTagPrefix = "refs/tags/";
constexpr std::string_view kBranchPrefix = "refs/heads/";
constexpr std::int64_t kLargestNumber = std::int64_t{1} << 53;
constexpr std::size_t kDescriptionLimit = 1024, kLicenseLimit = 64;
constexpr std::string_view kSpdxCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.+";

Result<void> check_commit(std::string_view text, std::string_view name) {
  const bool is_hex = text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  if (text.empty() || (is_hex && (text.size() == 40 || text.size() == 64))) return {};
  return fail(ErrorCode::bad_input,
              concat(name, ": expected a commit as 40 or 64 lower-case hexadecimal digits, found ", quoted(text)),
              "Give the full commit id, as `git rev-parse HEAD` prints it.");
}

Result<void> check_text(std::string_view text, std::string_view name) {
  if (is_valid_utf8(text)) return {};
  return fail(ErrorCode::bad_input, concat(name, ": expected UTF-8, found ", quoted(text)),
              "Rename the branch or tag: such a name cannot travel through JSON.");
}

Result<void> check_ref(const EventFacts& facts) {
  CG_CHECK(check_text(facts.name, "event name"));
  CG_CHECK(check_text(facts.ref, "ref"));
  CG_CHECK(check_text(facts.base_ref, "base ref"));
  if (!facts.ref_type.empty() && facts.ref_type != "branch" && facts.ref_type != "tag") {
    return fail(ErrorCode::bad_input, concat("ref type: expected branch or tag, found ", quoted(facts.ref_type)),
                "Leave --ref-type out: it follows from --ref.");
  }
  const bool is_tag = facts.ref.starts_with(kTagPrefix);
  if (facts.ref_type.empty() || is_tag == (facts.ref_type == "tag")) return {};
  return fail(ErrorCode::bad_input,
              concat("ref ", quoted(facts.ref), ": expected a ref below ", is_tag ? kBranchPrefix : kTagPrefix,
                     " because the ref type is ", facts.ref_type, ", found ",
                     is_tag ? "a tag" : "one that is not below refs/tags/"),
              "The ref and its type contradict each other: give both from the same event, or leave the type out.");
}

Result<std::optional<json::Reader>> find_path(const json::Reader& root, const std::vector<std::string_view>& path) {
  std::optional<json::Reader> here = root;
  for (const auto key : path) {
    CG_TRY(here, here->find(key));
    if (!here) return std::optional<json::Reader>();
  }
  return here;
}

/// Text at a path; missing or null anywhere on the way is empty.
Result<std::string> text_at(const json::Reader& root, const std::vector<std::string_view>& path) {
  CG_TRY(const auto found, find_path(root, path));
  if (!found) return std::string();
  return found->as_string();
}

/// A commit at a path; empty when there is none.
Result<std::string> commit_at(const json::Reader& root, const std::vector<std::string_view>& path) {
  CG_TRY(const auto found, find_path(root, path));
  if (!found) return std::string();
  CG_TRY(std::string commit, found->as_string());
  if (check_commit(commit, "")) return commit;
  return found->expected("a commit as 40 or 64 lower-case hexadecimal digits");
}

Failure of_another_event(const json::Reader& value, std::string_view expected) {
  Failure failure = value.expected(expected);
  failure.value().hint = "The payload belongs to another event: give the ref and the payload of the same one.";
  return failure;
}

Result<std::int64_t> number_of(const json::Reader& value) {
  const auto number = value.as_integer();
  if (!number || *number < 1 || *number > kLargestNumber) {
    return value.expected("a pull request number (an integer from 1 to 2^53)");
  }
  return *number;
}

Result<std::optional<std::int64_t>> number_in_ref(std::string_view ref) {
  if (!ref.starts_with(kPullPrefix)) return std::optional<std::int64_t>();
  const std::string_view rest = ref.substr(kPullPrefix.size());
  const auto number = parse_unsigned(rest.substr(0, rest.find('/')));
  if (!number || *number < 1 || *number > static_cast<std::uint64_t>(kLargestNumber)) {
    return fail(ErrorCode::bad_input, concat("ref ", quoted(ref), ": expected refs/pull/NUMBER/merge"),
                "Give the ref as GITHUB_REF has it.");
  }
  return std::optional<std::int64_t>(static_cast<std::int64_t>(*number));
}

Result<void> set_number(Event& event, const json::Reader& payload, const json::Reader& pull_request) {
  std::optional<std::int64_t> number;
  std::optional<json::Reader> source;
  for (const auto& holder : {payload, pull_request}) {
    CG_TRY(const auto member, holder.find("number"));
    if (!member) continue;
    CG_TRY(const auto found, number_of(*member));
    if (number && *number != found) return member->expected(concat("the number ", *number, " of the same event"));
    number = found;
    source = member;
  }
  if (number && event.pull_request && *number != *event.pull_request)
    return of_another_event(*source, concat("pull request ", *event.pull_request, " as in ", quoted(event.ref)));
  if (number) event.pull_request = number;
  return {};
}

/// The repository as id, else as name: ids survive a rename and cannot be taken over.
Result<std::string> identity(const json::Reader& value, const std::vector<std::string_view>& path, bool by_id) {
  auto member = path;
  member.push_back(by_id ? "id" : "full_name");
  CG_TRY(const auto found, find_path(value, member));
  if (!found) return std::string();
  return by_id ? found->dump() : found->as_string().map(to_lower);
}

/// Same repository only where its identity is known on both sides.
Result<bool> is_from_fork(const json::Reader& payload, const json::Reader& pull_request) {
  for (const bool by_id : {true, false}) {
    CG_TRY(const auto head, identity(pull_request, {"head", "repo"}, by_id));
    CG_TRY(auto base, identity(payload, {"repository"}, by_id));
    if (base.empty()) {
      CG_TRY(base, identity(pull_request, {"base", "repo"}, by_id));
    }
    if (!head.empty() && !base.empty()) return head != base;
  }
  return true;
}

Result<void> read_pull_request(Event& event, const EventFacts& facts, const json::Reader& payload) {
  CG_TRY(const auto pull_request, payload.find("pull_request"));
  if (!pull_request) return {};
  if (!pull_request->is_object()) return pull_request->expected("an object");
  CG_CHECK(set_number(event, payload, *pull_request));
  CG_TRY(const auto action, text_at(payload, {"action"}));
  event.closed = action == "closed";
  CG_TRY(event.branch, text_at(*pull_request, {"head", "ref"}));
  CG_TRY(event.head_sha, commit_at(*pull_request, {"head", "sha"}));
  CG_TRY(event.from_fork, is_from_fork(payload, *pull_request));
  if (facts.base_ref.empty()) {
    CG_TRY(event.base_branch, text_at(*pull_request, {"base", "ref"}));
  }
  return {};
}

Result<void> read_push(Event& event, const json::Reader& payload) {
  CG_TRY(const auto deleted, payload.find("deleted"));
  if (deleted) {
    CG_TRY(event.deleted, deleted->as_bool());
  }
  CG_TRY(const auto ref, text_at(payload, {"ref"}));
  if (event.ref.empty() || (event.deleted && !ref.empty())) event.ref = ref;
  if (!ref.empty() && ref != event.ref) {
    CG_TRY(const auto found, payload.at("ref"));
    return of_another_event(found, concat(quoted(event.ref), " as in GITHUB_REF"));
  }
  if (!event.sha.empty() || event.deleted) return {};
  CG_TRY(event.sha, commit_at(payload, {"after"}));
  return {};
}

Result<bool> exact_boolean(const json::Reader& value) {
  if (value.is_bool()) return value.as_bool();
  const auto text = value.is_string() ? value.as_string() : Result<std::string>(std::string());
  if (text && *text == "true") return true;
  if (text && *text == "false") return false;
  auto failure = value.expected("exactly true or false");
  failure.value().hint = "Write exactly true or false, or leave the input out.";
  return failure;
}

/// A dispatch input under any of its spellings; false when there is none.
Result<bool> dispatch_flag(const json::Reader& inputs, const std::vector<std::string_view>& spellings) {
  std::optional<bool> given;
  for (const std::string_view key : spellings) {
    CG_TRY(const auto input, inputs.find(key));
    if (!input) continue;
    CG_TRY(const bool value, exact_boolean(*input));
    if (given && *given != value) return input->expected("the value of the other spelling of this input");
    given = value;
  }
  return given.value_or(false);
}

Result<void> read_dispatch(Event& event, const json::Reader& payload) {
  CG_TRY(const auto inputs, payload.find("inputs"));
  if (!inputs) return {};
  CG_TRY(event.rebuild_base, dispatch_flag(*inputs, {"REBUILD_BASE", "rebuild-base", "rebuild_base"}));
  CG_TRY(event.force_rebuild, dispatch_flag(*inputs, {"force_rebuild", "force-rebuild"}));
  CG_TRY(const auto publish, inputs->find("publish"));
  if (publish) {
    CG_TRY(event.publish, exact_boolean(*publish));
  }
  return {};
}

Result<void> read_merge_group(Event& event, const json::Reader& payload) {
  CG_TRY(const auto base, text_at(payload, {"merge_group", "base_ref"}));
  event.base_branch = base.starts_with(kBranchPrefix) ? base.substr(kBranchPrefix.size()) : base;
  CG_TRY(event.head_sha, commit_at(payload, {"merge_group", "head_sha"}));
  return {};
}

/// A comment on a pull request carries the number in `issue`; it stays an event that runs nothing by itself.
Result<void> read_issue(Event& event, const json::Reader& payload) {
  CG_TRY(const auto marker, find_path(payload, {"issue", "pull_request"}));
  if (!marker) return {};
  CG_TRY(const auto number, find_path(payload, {"issue", "number"}));
  if (!number) return {};
  CG_TRY(event.pull_request, number_of(*number));
  return {};
}

Result<EventKind> push_kind(const Event& event) {
  if (event.ref.starts_with(kTagPrefix)) return EventKind::tag_push;
  if (event.ref.starts_with(kBranchPrefix)) return EventKind::branch_push;
  return fail(ErrorCode::bad_input,
              concat("ref of the push: expected a full ref such as refs/tags/v1.2.3, found ", quoted(event.ref)),
              "Give --ref refs/tags/TAG or --ref refs/heads/BRANCH.");
}

bool is_all_zero(std::string_view sha) { return !sha.empty() && sha.find_first_not_of('0') == std::string_view::npos; }

/// What its owner says of the repository; what is no line of text, or no SPDX expression, is left out.
Result<void> read_repository(Event& event, const json::Reader& payload) {
  CG_TRY(event.default_branch, text_at(payload, {"repository", "default_branch"}));
  CG_TRY(const auto description, text_at(payload, {"repository", "description"}));
  if (description.size() <= kDescriptionLimit) event.description = trim(neutralise(description));
  CG_TRY(event.license, text_at(payload, {"repository", "license", "spdx_id"}));
  const bool is_spdx = event.license.size() <= kLicenseLimit && event.license != "NOASSERTION" &&
                       event.license.find_first_not_of(kSpdxCharacters) == std::string::npos;
  if (!is_spdx) event.license.clear();
  return {};
}

Result<void> read_payload(Event& event, const EventFacts& facts, const json::Reader& payload) {
  if (!payload.is_object()) return payload.expected("an object");
  CG_CHECK(read_repository(event, payload));
  CG_TRY(const auto pull_request, payload.find("pull_request"));
  if (pull_request) event.kind = EventKind::pull_request;
  if (event.kind == EventKind::pull_request) return read_pull_request(event, facts, payload);
  if (facts.name == "push") return read_push(event, payload);
  if (facts.name == "workflow_dispatch") return read_dispatch(event, payload);
  if (facts.name == "merge_group") return read_merge_group(event, payload);
  return read_issue(event, payload);
}

void name_ref(Event& event) {
  if (event.kind == EventKind::tag_push) event.tag = event.ref.substr(kTagPrefix.size());
  if (event.kind != EventKind::pull_request && event.ref.starts_with(kBranchPrefix)) {
    event.branch = event.ref.substr(kBranchPrefix.size());
  }
  if (event.head_sha.empty()) event.head_sha = event.sha;
  if (is_all_zero(event.sha)) event.deleted = true;
}

}  // namespace

Result<Event> parse_event(const EventFacts& facts) {
  CG_CHECK(check_ref(facts));
  CG_CHECK(check_commit(facts.sha, "commit"));
  Event event{.name = facts.name, .ref = facts.ref, .base_branch = facts.base_ref, .sha = facts.sha};
  const bool named = facts.name.starts_with("pull_request");
  if (named || facts.ref.starts_with(kPullPrefix)) event.kind = EventKind::pull_request;
  event.from_fork = event.kind == EventKind::pull_request;  // until the payload shows the head's repository
  CG_TRY(event.pull_request, number_in_ref(facts.ref));
  if (!facts.payload.empty()) {
    CG_TRY(const auto document, json::Document::parse(facts.payload, facts.payload_name));
    CG_CHECK(read_payload(event, facts, document.root()));
  }
  if (event.kind != EventKind::pull_request) {
    if (facts.name == "schedule") event.kind = EventKind::schedule;
    if (facts.name == "workflow_dispatch") event.kind = EventKind::dispatch;
    if (facts.name == "push") {
      CG_TRY(event.kind, push_kind(event));
    }
  }
  if (facts.rebuild_base) event.rebuild_base = *facts.rebuild_base;
  name_ref(event);
  return event;
}

}  // namespace crategate::pipeline
