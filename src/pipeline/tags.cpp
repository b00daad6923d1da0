// The rules of tags, one function for each rank.
#include "pipeline/tags.h"

#include <algorithm>
#include <utility>

#include "base/strings.h"

namespace crategate::pipeline {
namespace {

constexpr std::string_view kRelease = "release";
constexpr std::string_view kSchedule = "schedule";
constexpr std::string_view kManual = "manual";

TagMove move_of(const PlannedTag& tag, const std::optional<TagState>& now, const oci::Digest& target) {
  return TagMove{.cell = tag.cell,
                 .repository = tag.repository,
                 .tag = tag.tag,
                 .rank = tag.rank,
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

/// Other content stands under the version's name.
Result<TagMove> decide_version(TagMove move, const Plan& plan, const TagState& now, const config::Release& release) {
  if (is_later_run(plan.policy.trigger)) {
    if (release.version_tag == config::VersionTagPolicy::dated) return conflict(move, "published earlier on this day");
    move.note = concat("moved by a ", plan.policy.trigger, " run");
    return move;
  }
  if (release.version_tag == config::VersionTagPolicy::move) {
    return noted(std::move(move), "replaces other content, as release.version-tag: move says");
  }
  if (now.leftover) return noted(std::move(move), "replaces what an undone release of this version left");
  return meet_release(std::move(move), now);
}

/// A version that a moving tag must not fall behind, and who says so.
struct Floor {
  Version version;
  std::string_view known_by;
};

std::optional<Version> readable(const std::string& text) {
  auto version = parse_version(text);
  return version ? std::optional(*std::move(version)) : std::nullopt;
}

std::string_view said_by(VersionBy by) {
  switch (by) {
    case VersionBy::tag:
      return "the tag of that name names the same";
    case VersionBy::journal:
      return "the journal says that it was moved there";
    case VersionBy::label:
      break;
  }
  return "its label says so";
}

/// The highest version that the tag names, or ever named.
std::optional<Floor> floor_of(const TagMove& move, const std::optional<TagState>& now,
                              const std::map<std::string, std::string>& newest) {
  std::optional<Floor> floor;
  if (const auto named = now ? readable(now->version) : std::nullopt) {
    floor = {*named, said_by(now->version_by)};
  }
  const auto entry = newest.find(move.tag);
  const auto known = entry == newest.end() ? std::nullopt : readable(entry->second);
  if (known && (!floor || compare(*known, floor->version) > 0)) {
    floor = {*known, said_by(VersionBy::journal)};
  }
  return floor;
}

std::string unknown_version(const TagState& now) {
  return concat("the version it named is ", now.version.empty() ? "not labelled" : "unreadable",
                ": cannot tell whether this is a step back");
}

Result<TagMove> decide_moving(TagMove move, const Plan& plan, const std::optional<TagState>& now,
                              const config::Release& release, const std::map<std::string, std::string>& newest) {
  CG_TRY(const auto version, parse_version(plan.version));
  const auto floor = floor_of(move, now, newest);
  if (now && now->may_be_higher && !release.allow_downgrade) {
    const std::string why = concat("kept: ", unknown_version(*now), ", for not every tag could be looked at");
    return kept(std::move(move), concat(why, " (release.allow-downgrade would move it)"), true);
  }
  if (!floor || compare(floor->version, version) <= 0) {
    return !now || readable(now->version) ? Result<TagMove>(std::move(move))
                                          : noted(std::move(move), unknown_version(*now));
  }
  const std::string why = concat(floor->version.text, " is higher than ", version.text, "; ", floor->known_by);
  if (release.allow_downgrade) return noted(std::move(move), concat(why, "; release.allow-downgrade moves it back"));
  return kept(std::move(move), concat("kept: ", why, " (release.allow-downgrade would move it back)"), true);
}

/// The index under its version's own name: that of this version may be made anew, nothing else is replaced.
Result<TagMove> decide_set_version(TagMove move, const Plan& plan, const TagState& now,
                                   const config::Release& release) {
  CG_TRY(const auto version, parse_version(plan.version));
  const auto named = readable(now.version);
  const bool same = named && compare(*named, version) == 0;
  if (same) return noted(std::move(move), "the images of this version are not those that it listed before");
  if (release.version_tag == config::VersionTagPolicy::move) {
    return noted(std::move(move), "replaces other content, as release.version-tag: move says");
  }
  return conflict(move, named ? concat("of version ", named->text) : std::string("of unknown origin"));
}

}  // namespace

bool is_later_run(std::string_view trigger) { return trigger == kSchedule || trigger == kManual; }

Result<TagMove> decide_tag(const Plan& plan, const PlannedTag& tag, const std::optional<TagState>& now,
                           const oci::Digest& target, const config::Release& release,
                           const std::map<std::string, std::string>& newest) {
  auto move = move_of(tag, now, target);
  if (now && now->manifest == target) return kept(std::move(move), "already there", false);
  const bool own_name = tag.rank == TagRank::version || (tag.rank == TagRank::set && tag.tag == plan.version);
  if (tag.rank == TagRank::extra || (own_name && !now)) return move;
  if (tag.rank == TagRank::version) return decide_version(std::move(move), plan, *now, release);
  if (own_name) return decide_set_version(std::move(move), plan, *now, release);
  return decide_moving(std::move(move), plan, now, release, newest);
}

TagMove kept_with_version(const PlannedTag& tag, const std::optional<TagState>& now, const oci::Digest& target) {
  return kept(move_of(tag, now, now ? now->manifest : target),
              "the version tag was kept at another image, so this one stays, too", true);
}

}  // namespace crategate::pipeline
