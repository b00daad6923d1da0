#include "simulation/judge.h"

#include <algorithm>
#include <array>
#include <set>

#include "base/strings.h"
#include "base/version.h"

namespace crategate::simulation {
namespace {

using pipeline::TagRank;

/// Whether `a` is the lower version; what has none is not.
bool is_lower(const std::string& a, const std::string& b) {
  if (a == b || a.empty() || b.empty()) return false;
  return compare(*parse_version(a), *parse_version(b)) < 0;
}

class Judge {
 public:
  Judge(const Scene& scene, const History& history, const Circumstances& circumstances)
      : scene_(scene), circumstances_(circumstances), now_(history.before), baseline_(history.before) {
    persons_.resize(now_.size());
    done_.resize(now_.size(), kNothing);
    theirs_.resize(now_.size(), kNothing);
    for (const auto content : now_) named_.push_back({content});
  }

  void read(const Entry& entry) {
    const auto journal = static_cast<std::size_t>(entry.journal);
    switch (entry.kind) {
      case Entry::Kind::opened:
        open_[journal] = entry.tags;
        break;
      case Entry::Kind::closed:
        open_[journal] = 0;
        break;
      case Entry::Kind::wrote:
        wrote(entry);
        break;
      case Entry::Kind::ended:
        ended(entry);
        break;
      case Entry::Kind::died:
        break;
    }
  }

  std::vector<std::string> verdict() { return std::move(broken_); }

 private:
  void report(std::string_view invariant, const Entry& entry, std::string_view what) {
    broken_.push_back(concat(invariant, ": run ", entry.run, " ", what));
  }
  std::string name(std::size_t tag) const { return concat(scene_.tags[tag].repository, ":", scene_.tags[tag].tag); }

  void wrote(const Entry& entry) {
    const auto tag = entry.tag;
    if (now_[tag] == entry.now) return;  // nobody sees that
    now_[tag] = entry.now;
    if (entry.run == kPerson) theirs_[tag] = entry.now;
    persons_[tag] = entry.run == kPerson || (entry.now != kNothing && entry.now == theirs_[tag]);
    if (entry.run != kPerson) judge_write(entry);
    named_[tag].insert(entry.now);
  }

  void judge_write(const Entry& entry) {
    const auto tag = entry.tag;
    const auto& content = scene_.contents[entry.now];
    const bool fits = content.verified && content.repository == scene_.tags[tag].repository;
    if (entry.now != kNothing && !fits && !named_[tag].contains(entry.now)) {
      report("I1", entry, concat("pointed ", name(tag), " at what was not verified"));
    }
    if (done_[tag] != kNothing && done_[tag] != entry.now) {
      report("I2", entry, concat("changed ", name(tag), ", a version that was done"));
    }
    if ((open_.at(static_cast<std::size_t>(entry.journal)) & (std::uint64_t{1} << tag)) == 0) {
      report("I3", entry, concat("wrote ", name(tag), ", which no open journal names"));
    }
    if (!circumstances_.alone || scene_.tags[tag].rank < TagRank::moving) return;
    const auto& floor = scene_.contents[baseline_[tag]].version;
    if (is_lower(content.version, floor) || (entry.now == kNothing && !floor.empty())) {
      report("I6", entry, concat("moved ", name(tag), " below ", floor));
    }
  }

  bool is_at(const Release& release, TagRank rank, bool newer_counts) const {
    return std::ranges::all_of(release.wanted, [&](const Wanted& wanted) {
      if (scene_.tags[wanted.tag].rank != rank || now_[wanted.tag] == wanted.content || persons_[wanted.tag])
        return true;
      return newer_counts && rank >= TagRank::moving &&
             is_lower(release.version, scene_.contents[now_[wanted.tag]].version);
    });
  }

  /// Every tag of the rank names what it named when all was well for the last time.
  bool is_old(TagRank rank) const {
    for (std::size_t tag = 0; tag < now_.size(); ++tag) {
      if (scene_.tags[tag].rank != rank || now_[tag] == baseline_[tag] || persons_[tag]) continue;
      if (circumstances_.no_delete && baseline_[tag] == kNothing) continue;
      return false;
    }
    return true;
  }

  void ended(const Entry& entry) {
    if (!circumstances_.alone) return;
    if (entry.code == 0 && entry.release >= 0)
      succeeded(entry, scene_.releases[static_cast<std::size_t>(entry.release)]);
    if (open_[static_cast<std::size_t>(entry.journal)] != 0) return;
    for (const auto rank : {TagRank::moving, TagRank::set}) {
      const bool whole = is_old(rank) || std::ranges::any_of(scene_.releases, [&](const Release& release) {
                           return is_at(release, rank, false);
                         });
      if (!whole) report("I5", entry, concat("closed the journal, and rank ", to_string(rank), " is mixed"));
    }
    for (const auto& release : scene_.releases) judge_order(entry, release);
  }

  /// Nothing of a rank is new while a rank below is not.
  void judge_order(const Entry& entry, const Release& release) {
    for (const auto& above : release.wanted) {
      const auto rank = scene_.tags[above.tag].rank;
      if (rank < TagRank::moving || now_[above.tag] != above.content || baseline_[above.tag] == kNothing) continue;
      if (!is_at(release, TagRank::version, false) ||
          (rank == TagRank::set && !is_at(release, TagRank::moving, true))) {
        report("I5", entry, concat("closed the journal with ", name(above.tag), " new, and a rank below is not"));
        return;
      }
    }
  }

  /// An older release leaves the moving tags of a newer one, and the set with them.
  void succeeded(const Entry& entry, const Release& release) {
    for (const auto rank : {TagRank::version, TagRank::extra, TagRank::moving, TagRank::set}) {
      if (is_at(release, rank, true) || (rank == TagRank::set && !is_at(release, TagRank::moving, false))) continue;
      report("I4", entry, concat("ended with 0, and rank ", to_string(rank), " is not what it published"));
    }
    for (const auto& wanted : release.wanted) {
      if (scene_.tags[wanted.tag].rank == TagRank::version) done_[wanted.tag] = wanted.content;
    }
    for (std::size_t tag = 0; tag < now_.size(); ++tag) {
      if (!persons_[tag]) baseline_[tag] = now_[tag];
    }
  }

  const Scene& scene_;
  Circumstances circumstances_;
  std::vector<Content> now_, baseline_, done_, theirs_;
  std::vector<bool> persons_;
  std::vector<std::set<Content>> named_;
  std::array<std::uint64_t, 2> open_{};
  std::vector<std::string> broken_;
};

}  // namespace

std::vector<std::string> judge(const Scene& scene, const History& history, const Circumstances& circumstances) {
  Judge judge(scene, history, circumstances);
  for (const auto& entry : history.entries) judge.read(entry);
  return judge.verdict();
}

}  // namespace crategate::simulation
