// A release of two images and a run of its protocol, for the tests of this folder.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/strings.h"
#include "pipeline/release_protocol.h"

namespace crategate::pipeline::protocol::sample {

inline const oci::Digest kOld = oci::Digest::of("old");
inline const oci::Digest kNew = oci::Digest::of("new");
inline const oci::Digest kTheirs = oci::Digest::of("theirs");

// The moves of the release.
inline constexpr std::size_t kVersionA = 0, kVersionB = 1, kEdge = 2, kLatestA = 3, kLatestB = 4, kSet = 5;

inline Error error(ErrorCode code) { return {code, "it said so", "", {}, std::nullopt, std::nullopt}; }

inline TagMove move(const std::string& repository, const std::string& tag, TagRank rank, Seen from) {
  return {.cell = repository, .repository = repository, .tag = tag, .rank = rank, .from = std::move(from), .to = kNew};
}

inline Journal journal(JournalState state = JournalState::open, std::optional<TagRank> undone_from = std::nullopt) {
  Journal made;
  made.undone_from = undone_from;
  made.state = state;
  made.plan_id = made.version = "v1.1.0";
  made.epoch = 4;
  made.moves = {move("a", "v1.1.0", TagRank::version, std::nullopt),
                move("b", "v1.1.0", TagRank::version, std::nullopt),
                move("a", "edge", TagRank::extra, kOld),
                move("a", "latest", TagRank::moving, kOld),
                move("b", "latest", TagRank::moving, std::nullopt),
                move("set", "latest", TagRank::set, kOld)};
  return made;
}

/// A run of the protocol beside a registry that does what it is told, unless a test says otherwise.
class Protocol : public ::testing::Test {
 protected:
  std::vector<Seen> tags_{std::nullopt, std::nullopt, kOld, kOld, std::nullopt, kOld};
  Step step_;

  void begin(Goal goal, std::optional<Journal> found, bool taken_over = false) {
    step_ = protocol::begin(goal);
    asked<Open>();
    answer(Opened{std::move(found), taken_over});
  }
  /// As far as the first look of a fresh release.
  void begin_release() {
    begin(Goal::publish, std::nullopt);
    asked<Survey>();
    answer(Surveyed{journal()});
    asked<Keep>();
    answer(Kept{});
  }
  template <class Wanted>
  Wanted asked() const {
    const auto* effect = std::get_if<Effect>(&step_.next);
    const auto* wanted = effect == nullptr ? nullptr : std::get_if<Wanted>(effect);
    if (wanted == nullptr) {
      ADD_FAILURE() << "another effect: " << (effect == nullptr ? "none" : concat("number ", effect->index()));
      return {};
    }
    return *wanted;
  }
  void answer(const Event& event) { step_ = step(std::move(step_), event); }
  void look() {
    asked<Look>();
    answer(Looked{tags_});
  }
  /// Carries out what is asked, except for `failing`; returns what was asked.
  std::vector<std::size_t> write(const std::map<std::size_t, ErrorCode>& failing = {}, bool takes_effect = false) {
    std::vector<std::size_t> moves;
    Wrote wrote;
    for (const auto& order : asked<Write>().orders) {
      const auto fails = failing.find(order.move);
      wrote.problems.push_back(fails == failing.end() ? std::nullopt : std::optional(error(fails->second)));
      if (fails == failing.end() || takes_effect) tags_[order.move] = order.digest;
      moves.push_back(order.move);
    }
    answer(wrote);
    return moves;
  }
  JournalState keep() {
    const auto state = asked<Keep>().journal.state;
    answer(Kept{});
    return state;
  }
  /// The journal says so before anything is undone.
  void turn_back(TagRank from) {
    const auto kept = asked<Keep>().journal;
    EXPECT_EQ(kept.state, JournalState::open);
    EXPECT_EQ(kept.undone_from, from);
    answer(Kept{});
    look();
  }
  void wait(std::chrono::milliseconds expected) {
    EXPECT_EQ(asked<Wait>().duration, expected);
    answer(Waited{});
  }
  const Ending& ending() const {
    static const Ending kNone{error(ErrorCode::internal), {"it has not ended"}};
    const auto* ended = std::get_if<Ending>(&step_.next);
    if (ended == nullptr) ADD_FAILURE() << "it has not ended";
    return ended == nullptr ? kNone : *ended;
  }
  int code() const { return ending().error ? exit_code(ending().error->code) : 0; }
  /// All ranks below the moving ones, as they should be.
  void publish_versions() {
    look();
    write();
    look();
    write();
  }
};

}  // namespace crategate::pipeline::protocol::sample
