// Overrides of the policy table, and what no override may do.
// Belongs here: names of events and the refusal for pull requests.  Not here: the policy table (pipeline/policy).
#include <algorithm>

#include "base/strings.h"
#include "config/decode.h"
#include "config/section.h"

namespace crategate::config {
namespace {

/// https://docs.github.com/actions/reference/workflows-and-actions/events-that-trigger-workflows
const std::vector<std::string>& known_events() {
  static const std::vector<std::string> events = {"branch_protection_rule",
                                                  "check_run",
                                                  "check_suite",
                                                  "create",
                                                  "delete",
                                                  "deployment",
                                                  "deployment_status",
                                                  "discussion",
                                                  "discussion_comment",
                                                  "fork",
                                                  "gollum",
                                                  "image_version",
                                                  "issue_comment",
                                                  "issues",
                                                  "label",
                                                  "merge_group",
                                                  "milestone",
                                                  "page_build",
                                                  "public",
                                                  "pull_request",
                                                  "pull_request_review",
                                                  "pull_request_review_comment",
                                                  "pull_request_target",
                                                  "push",
                                                  "registry_package",
                                                  "release",
                                                  "repository_dispatch",
                                                  "schedule",
                                                  "status",
                                                  "watch",
                                                  "workflow_call",
                                                  "workflow_dispatch",
                                                  "workflow_run"};
  return events;
}

bool is_pull_request(std::string_view event) { return event.starts_with("pull_request") || event == "merge_group"; }

Result<> refuse_for_pull_requests(const Node& node, const std::string& path, const EventPolicy& policy) {
  if (!is_pull_request(node.key)) return {};
  const std::string_view key = policy.cache_write.value_or(false) ? "cache-write"
                               : policy.latest.value_or(false)    ? "latest"
                                                                  : "";
  if (key.empty()) return {};
  return fail(error_at(*node.find(key), concat(path, ".", key),
                       concat("expected false, found true: ", node.key, " runs code that nobody has reviewed"),
                       "remove the line; a pull request never writes the cache and never moves a tag"));
}

Result<EventPolicy> decode_event(const Node& node, const std::string& path) {
  enum class Cells : unsigned char { all, none };
  static constexpr std::array<Choice<Cells>, 2> kCells = {Choice<Cells>{"all", Cells::all}, {"none", Cells::none}};
  EventPolicy policy;
  Cells cells = Cells::all;
  Section section(node, path);
  if (section.find("cells") != nullptr) {
    section.read("cells", cells, kCells);
    policy.all_cells = cells == Cells::all;
  }
  section.read_with("fresh", policy.fresh, read_fresh);
  section.read_with("cache-write", policy.cache_write, read_boolean);
  section.read_with("latest", policy.latest, read_boolean);
  CG_CHECK(section.finish());
  CG_CHECK(refuse_for_pull_requests(node, path, policy));
  return policy;
}

}  // namespace

Result<std::map<std::string, EventPolicy>> decode_policy(const Node& node, std::string_view path) {
  if (node.kind != Node::Kind::mapping)
    return fail(error_at(node, path, concat("expected events by name, found ", describe_found(node)),
                         "write for example {pull_request: {cells: all}}"));
  std::map<std::string, EventPolicy> out;
  for (const Node& item : node.items) {
    const auto& events = known_events();
    if (std::find(events.begin(), events.end(), item.key) == events.end()) {
      const auto near = nearest(item.key, events);
      return fail(error_at_key(item, path, concat("expected the name of a GitHub event, found ", quoted(item.key)),
                               near ? concat("did you mean ", *near, "?") : "write for example pull_request or push"));
    }
    CG_TRY(out[item.key], decode_event(item, concat(path, ".", item.key)));
  }
  return out;
}

}  // namespace crategate::config
