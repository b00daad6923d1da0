#include "pipeline/ci_image.h"

#include <algorithm>
#include <utility>

#include "base/strings.h"
#include "pipeline/ci_tags.h"

namespace crategate::pipeline {
namespace {

constexpr std::string_view kMergeGroup = "merge_group";

// clang-format off
constexpr std::array<CiImageRow, kCiImageRows> kTable = {{
    // event, text, runs in, modified, validated, builds, waits, publishes
    {CiEvent::pull_request_unchanged, "pull request or another event of one, also from a fork; no watched file changed",
     CiTag::base_branch, false, true, CiBuild::no, false, CiPublish::nothing},
    {CiEvent::pull_request_changed, "`pull_request`; a watched file changed",
     CiTag::own, true, true, CiBuild::yes, true, CiPublish::own},
    {CiEvent::fork_changed, "`pull_request` from a fork; a watched file changed",
     CiTag::base_branch, true, false, CiBuild::yes, false, CiPublish::nothing},
    {CiEvent::pull_request_closed, "pull request that was closed",
     CiTag::base_branch, false, false, CiBuild::no, false, CiPublish::nothing},
    {CiEvent::other_event_changed, "another event of a pull request (`pull_request_target`, a review); a watched file changed",
     CiTag::own, true, true, CiBuild::no, true, CiPublish::nothing},
    {CiEvent::other_event_fork_changed, "the same from a fork",
     CiTag::base_branch, true, false, CiBuild::no, false, CiPublish::nothing},
    {CiEvent::comment, "comment on a pull request",
     CiTag::own, true, true, CiBuild::no, true, CiPublish::nothing},
    {CiEvent::merge_group_unchanged, "`merge_group`; no watched file changed",
     CiTag::base_branch, false, true, CiBuild::no, false, CiPublish::nothing},
    {CiEvent::merge_group_changed, "`merge_group`; a watched file changed",
     CiTag::commit, true, true, CiBuild::yes, true, CiPublish::commit},
    {CiEvent::push_mapped, "push to a branch of `branches`",
     CiTag::branch, false, true, CiBuild::yes, false, CiPublish::branch_and_commit},
    {CiEvent::push_other, "push to another branch",
     CiTag::fallback, false, true, CiBuild::yes, false, CiPublish::commit},
    {CiEvent::tag, "push of a tag; manual run of a tag",
     CiTag::fallback, false, true, CiBuild::no, false, CiPublish::nothing},
    {CiEvent::schedule, "schedule",
     CiTag::branch, false, true, CiBuild::no, false, CiPublish::nothing},
    {CiEvent::dispatch, "manual run, `force_rebuild` false",
     CiTag::branch, false, true, CiBuild::yes, false, CiPublish::branch_and_commit},
    {CiEvent::dispatch_forced, "manual run, `force_rebuild` true",
     CiTag::branch, false, true, CiBuild::fresh, false, CiPublish::branch_and_commit},
    {CiEvent::deletion, "deletion of a branch or tag",
     CiTag::fallback, false, true, CiBuild::no, false, CiPublish::nothing},
    {CiEvent::unknown, "any other event",
     CiTag::fallback, false, true, CiBuild::no, false, CiPublish::nothing},
}};
// clang-format on

const CiImageRow& row_of(CiEvent event) {
  return *std::ranges::find(kTable, event, &CiImageRow::event);  // a test compares the two
}

CiEvent kind_of_pull_request(const Event& event, bool changed) {
  if (event.closed) return CiEvent::pull_request_closed;
  if (!changed) return CiEvent::pull_request_unchanged;
  // Every other event of a pull request may have secrets beside a stranger's files: it builds nothing.
  const bool own_event = event.name == "pull_request";
  if (event.from_fork) return own_event ? CiEvent::fork_changed : CiEvent::other_event_fork_changed;
  return own_event ? CiEvent::pull_request_changed : CiEvent::other_event_changed;
}

CiEvent kind_of(const Event& event, bool changed, const config::CiImage& settings) {
  if (event.kind == EventKind::pull_request) return kind_of_pull_request(event, changed);
  if (event.deleted) return CiEvent::deletion;
  if (is_comment(event)) return CiEvent::comment;
  if (event.name == kMergeGroup) return changed ? CiEvent::merge_group_changed : CiEvent::merge_group_unchanged;
  switch (event.kind) {
    case EventKind::tag_push:
      return CiEvent::tag;
    case EventKind::branch_push:
      return mapped_tag(event.branch, settings).empty() ? CiEvent::push_other : CiEvent::push_mapped;
    case EventKind::schedule:
      return CiEvent::schedule;
    case EventKind::dispatch:
      if (event.branch.empty()) return CiEvent::tag;
      return event.force_rebuild ? CiEvent::dispatch_forced : CiEvent::dispatch;
    case EventKind::pull_request:
    case EventKind::unknown:
      break;
  }
  return CiEvent::unknown;
}

Result<std::string> own_tag(const Event& event) {
  if (event.pull_request) return pull_request_tag(*event.pull_request);
  return fail(ErrorCode::bad_input,
              concat("event ", quoted(event.name), ": expected the number of its pull request, found none"),
              "Give the event's payload, or --ref refs/pull/NUMBER/merge.");
}

/// What is checked out, or was pushed. A person at a shell has given no event.
std::string ref_of(const Event& event) {
  if (!event.branch.empty()) return concat("branch ", quoted(event.branch));
  return event.ref.empty() ? std::string("HEAD is detached") : concat(quoted(event.ref), " is no branch");
}

Result<std::string> tag_of_commit(const Event& event, const config::CiImage& settings) {
  if (!event.head_sha.empty()) return commit_tag(event.branch, event.head_sha, settings);
  return fail(ErrorCode::bad_input, concat(ref_of(event), ": expected a commit, found none"),
              "Commit first; outside of a checkout give --sha.");
}

Result<std::string> tag_of(CiTag tag, const Event& event, const config::CiImage& settings) {
  switch (tag) {
    case CiTag::own:
      return own_tag(event);
    case CiTag::base_branch:
      return branch_tag(event.base_branch, settings);
    case CiTag::branch:
      return branch_tag(event.branch, settings);
    case CiTag::commit:
      return tag_of_commit(event, settings);
    case CiTag::fallback:
      break;
  }
  return settings.default_tag;
}

Result<std::vector<std::string>> published(CiPublish publish, const Event& event, const config::CiImage& settings) {
  std::vector<std::string> tags;
  if (publish == CiPublish::nothing) return tags;
  if (publish == CiPublish::own) {
    CG_TRY(tags.emplace_back(), own_tag(event));
    return tags;
  }
  // A branch that the map does not name never writes default-tag: that one belongs to another branch.
  auto mapped = mapped_tag(event.branch, settings);
  if (publish == CiPublish::branch_and_commit && !mapped.empty()) tags.push_back(std::move(mapped));
  CG_TRY(tags.emplace_back(), tag_of_commit(event, settings));
  return tags;
}

std::string subject_of(const Event& event) {
  const bool group = event.name == kMergeGroup;
  if (group || !event.pull_request) return concat("event ", quoted(event.name));
  return concat("pull request ", *event.pull_request);
}

std::string what_changed(const CiImageFacts& facts) {
  if (facts.changed) return concat(" changes ", quoted(*facts.changed));
  return concat(" counts as changing the image's files, for that cannot be told: ", facts.why_unknown);
}

/// Without a payload nobody knows, and in doubt it is a fork's. Every payload of a pull request names the head's branch.
std::string_view whose(const Event& event) {
  return event.branch.empty() ? ", and counts as a fork's, for no payload tells whose it is (give --payload): "
                              : ", and comes from a fork, which cannot push: ";
}

std::string reason_of_ref(const Event& event, const std::string& tag, const config::CiImage& settings) {
  if (!mapped_tag(event.branch, settings).empty()) return concat(ref_of(event), ": ", tag);
  return concat(ref_of(event), event.branch.empty() ? "" : " has no tag in ci-image.branches", ": default-tag, ", tag);
}

/// A sentence for the log and the output `reason`.
std::string reason_of(CiEvent kind, const CiImageFacts& facts, const std::string& tag,
                      const config::CiImage& settings) {
  const std::string subject = subject_of(facts.event);
  switch (kind) {
    case CiEvent::pull_request_unchanged:
    case CiEvent::merge_group_unchanged:
      return concat(subject, " changes no watched file: the image of branch ", quoted(facts.event.base_branch), ", ",
                    tag);
    case CiEvent::pull_request_changed:
    case CiEvent::other_event_changed:
    case CiEvent::merge_group_changed:
      return concat(subject, what_changed(facts), ": an image of its own, ", tag);
    case CiEvent::fork_changed:
    case CiEvent::other_event_fork_changed:
      return concat(subject, what_changed(facts), whose(facts.event), "its checks run in ", tag,
                    ", not in the image it asks for");
    case CiEvent::pull_request_closed:
      return concat(subject, " was closed: nothing is built; ", tag);
    case CiEvent::comment:
      return concat("a comment says nothing about the head of ", subject, ": only an image of its own would do, ", tag);
    case CiEvent::push_mapped:
    case CiEvent::schedule:
    case CiEvent::dispatch:
    case CiEvent::dispatch_forced:
    case CiEvent::push_other:
    case CiEvent::tag:
      return reason_of_ref(facts.event, tag, settings);
    case CiEvent::deletion:
    case CiEvent::unknown:
      break;
  }
  return concat("event ", quoted(facts.event.name), " on ", quoted(facts.event.ref), ": default-tag, ", tag);
}

std::string_view word(bool value) { return value ? "yes" : "no"; }

std::string_view word(CiTag tag) {
  constexpr std::string_view kWords[] = {"`pr-N`", "tag of its base branch", "tag of its branch", "`BRANCH-sha-COMMIT`",
                                         "`default-tag`"};
  return kWords[static_cast<std::size_t>(tag)];
}

std::string_view word(CiBuild build) {
  constexpr std::string_view kWords[] = {"no", "yes", "yes, `--pull --no-cache`"};
  return kWords[static_cast<std::size_t>(build)];
}

std::string_view word(CiPublish publish) {
  constexpr std::string_view kWords[] = {"nothing", "`pr-N`",
                                         "the branch's tag in `branches`, if it has one, and `BRANCH-sha-COMMIT`",
                                         "`BRANCH-sha-COMMIT`"};
  return kWords[static_cast<std::size_t>(publish)];
}

}  // namespace

const std::array<CiImageRow, kCiImageRows>& ci_image_table() { return kTable; }

std::array<std::string, 7> words_of(const CiImageRow& row) {
  return {std::string(row.text),           std::string(word(row.tag)),
          std::string(word(row.modified)), std::string(word(row.validated)),
          std::string(word(row.build)),    std::string(word(row.wait)),
          std::string(word(row.publish))};
}

bool is_comment(const Event& event) {
  return event.kind == EventKind::unknown && event.pull_request && event.name != kMergeGroup;
}

bool needs_changes(const Event& event) {
  if (event.kind == EventKind::pull_request) return !event.closed;
  return event.name == kMergeGroup && !event.deleted;
}

std::string find_watched(const std::vector<std::string>& changed, const std::vector<std::string>& watch) {
  const auto found = std::ranges::find_if(
      watch, [&](const std::string& path) { return std::ranges::find(changed, path) != changed.end(); });
  return found == watch.end() ? std::string() : *found;
}

Result<CiImageDecision> decide_ci_image(const CiImageFacts& facts, const config::CiImage& settings) {
  CG_CHECK(check_tags(settings));
  const Event& event = facts.event;
  const bool changed = !facts.changed || !facts.changed->empty();
  const CiImageRow& row = row_of(kind_of(event, changed, settings));
  CiImageDecision decision{.event = row.event,
                           .tag = {},
                           .publish = {},
                           .modified = row.modified,
                           .validated = row.validated,
                           .wait = row.wait,
                           .build = row.build,
                           // A comment runs on the default branch: that commit is not the pull request's.
                           .revision = row.wait && row.event != CiEvent::comment ? event.head_sha : std::string(),
                           .pull_request = event.name == kMergeGroup ? std::nullopt : event.pull_request,
                           .base_branch = event.base_branch,
                           .reason = {}};
  CG_TRY(decision.tag, tag_of(row.tag, event, settings));
  CG_TRY(decision.publish, published(row.publish, event, settings));
  decision.reason = reason_of(row.event, facts, decision.tag, settings);
  return decision;
}

}  // namespace crategate::pipeline
