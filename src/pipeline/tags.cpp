// The rules for version tags and moving tags, one function each.
#include "pipeline/tags.h"

#include <algorithm>
#include <utility>

#include "base/strings.h"

namespace crategate::pipeline {
namespace {

constexpr std::string_view kRelease = "release";
constexpr std::string_view kSchedule = "schedule";
constexpr std::string_view kManual = "manual";

bool is_later_run(std::string_view trigger) { return trigger == kSchedule || trigger == kManual; }

TagMove move_of(const Cell& cell, const std::string& tag, const std::optional<TagState>& now,
                const oci::Digest& target) {
  return TagMove{.cell = cell.key,
                 .repository = cell.image,
                 .tag = tag,
                 .from = now ? std::optional(now->manifest) : std::nullopt,
                 .to = target};
}

TagMove kept(TagMove move, std::string note, bool warning) {
  move.needed = false;
  move.note = std::move(note);
  move.warning = warning;
  return move;
}

TagMove noted(TagMove move, std::string note) {
  move.note = std::move(note);
  move.warning = true;
  return move;
}

Failure conflict(const TagMove& move, std::string_view made_by) {
  return fail(ErrorCode::conflict,
              concat(move.repository, ":", move.tag, ": expected no such tag, or ", move.to.text(), "; found ",
                     move.from ? move.from->text() : std::string("nothing"), ", ", made_by),
              "A published version is never replaced: give the new content a new version, or set "
              "release.version-tag: move if replacing it is meant.");
}

/// A tag push meets other content under its version's name (P-EV-6).
Result<TagMove> meet_release(TagMove move, const TagState& now) {
  if (now.trigger == kRelease) return conflict(move, "made by a release");
  if (!is_later_run(now.trigger)) return conflict(move, "of unknown origin");
  const std::string run = concat("a ", now.trigger, " run");
  if (now.released == "false") {
    move.note = concat("replaces what ", run, " published before this release");
    return move;
  }
  if (now.released != "true") return conflict(move, concat("made by ", run, " of unknown time"));
  return kept(std::move(move), concat("kept: ", run, " after this release moved it on purpose"), true);
}

}  // namespace

bool ChangeSet::empty() const {
  return std::none_of(moves.begin(), moves.end(), [](const TagMove& move) { return move.needed; });
}

std::vector<std::string> version_tags(const Plan& plan, const Cell& cell, const config::Release& release,
                                      std::string_view today) {
  auto tags = cell.tags;
  if (release.version_tag != config::VersionTagPolicy::dated || !is_later_run(plan.policy.trigger)) return tags;
  for (auto& tag : tags) tag += concat("-", today);
  return tags;
}

Result<TagMove> decide_version_tag(const Plan& plan, const Cell& cell, const std::string& tag,
                                   const std::optional<TagState>& now, const oci::Digest& target,
                                   const config::Release& release) {
  auto move = move_of(cell, tag, now, target);
  if (!now) return move;
  if (now->manifest == target) return kept(std::move(move), "already there", false);
  if (is_later_run(plan.policy.trigger)) {
    if (release.version_tag == config::VersionTagPolicy::dated) return conflict(move, "published earlier on this day");
    move.note = concat("moved by a ", plan.policy.trigger, " run");
    return move;
  }
  if (release.version_tag == config::VersionTagPolicy::move) {
    return noted(std::move(move), "replaces other content, as release.version-tag: move says");
  }
  return meet_release(std::move(move), *now);
}

Result<TagMove> decide_moving_tag(const Plan& plan, const Cell& cell, const std::string& tag,
                                  const std::optional<TagState>& now, const oci::Digest& target,
                                  const config::Release& release) {
  auto move = move_of(cell, tag, now, target);
  if (!now) return move;
  if (now->manifest == target) return kept(std::move(move), "already there", false);
  CG_TRY(const auto version, parse_version(plan.version));
  const auto current = parse_version(now->version);
  if (!current) {
    return noted(std::move(move),
                 concat("the version it named is ", now->version.empty() ? "not labelled" : "unreadable",
                        ": cannot tell whether this is a step back"));
  }
  if (compare(*current, version) <= 0) return move;
  const std::string versions = concat(current->text, " is higher than ", version.text);
  if (release.allow_downgrade)
    return noted(std::move(move), concat(versions, "; release.allow-downgrade moves it back"));
  return kept(std::move(move), concat("kept: ", versions, " (release.allow-downgrade would move it back)"), true);
}

}  // namespace crategate::pipeline
