#include "stages/publication.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <utility>

#include "base/log.h"
#include "base/strings.h"
#include "oci/media_types.h"
#include "render/decisions.h"
#include "render/tag_text.h"
#include "stages/staging.h"
#include "stages/status.h"
#include "stages/tag_writer.h"
#include "sys/cancel.h"
#include "sys/parallel.h"

namespace crategate::stages {
namespace {

namespace protocol = pipeline::protocol;

/// Performs the effects of one publication, and remembers what they were about.
class Performer {
 public:
  Performer(const PublishInputs& in, const PublishServices& svc, Scope scope)
      : in_(in), svc_(svc), scope_(scope), tags_(svc.reader, svc.writer, svc.clock) {}

  protocol::Event operator()(const protocol::Open& /*effect*/) {
    auto opened = svc_.journal.open();
    if (!opened) return protocol::Failed{std::move(opened).error()};
    opened_ = true;
    if (opened->journal && opened->journal->state == pipeline::JournalState::open) {
      auto ours = require_own_tags(*opened->journal, in_.plan, svc_.journal.place());
      if (!ours) return protocol::Failed{std::move(ours).error()};
      found_ = true;
      log::info(concat("the release of ", opened->journal->version, ", begun ", opened->journal->started_at,
                       ", was left open in ", svc_.journal.place(), ": it is settled first"));
    }
    return protocol::Opened{std::move(opened->journal), opened->taken_over};
  }

  protocol::Event operator()(const protocol::Survey& effect) {
    auto surveyed = survey_and_stage(effect.before);
    if (!surveyed) return protocol::Failed{std::move(surveyed).error()};
    return protocol::Surveyed{*std::move(surveyed)};
  }

  protocol::Event operator()(const protocol::Keep& effect) {
    auto kept = svc_.journal.keep(effect.journal);
    if (!kept) return protocol::Failed{std::move(kept).error().within("journal of the release")};
    if (effect.journal.state == pipeline::JournalState::stopped && effect.journal.plan_id != in_.plan.plan_id) {
      log::warning(concat("the release of ", effect.journal.version, " had not begun its remaining tags; they stay"));
    }
    return protocol::Kept{};
  }

  protocol::Event operator()(const protocol::Look& effect) {
    protocol::Looked looked;
    const std::size_t moves = effect.moves.size();
    looked.tags.resize(moves);
    tags_.looks();
    // After the last rank was written nothing but the end comes: the tags in place are looked at in the same round trip.
    std::vector<Result<void>> in_place(all_written_ ? in_place_.size() : 0);
    auto read = sys::for_each_parallel(moves + in_place.size(), kTagsAtATime, [&](std::size_t i) -> Result<void> {
      if (i >= moves) {
        in_place[i - moves] = require_unmoved(in_place_[i - moves]);
        return {};
      }
      CG_TRY(const auto tag, reference(effect.moves[i]));
      CG_TRY(looked.tags[i], svc_.reader.digest(tag));
      return {};
    });
    if (!read) return protocol::Failed{std::move(read).error()};
    if (all_written_) in_place_seen_ = std::move(in_place);
    note_mixed(looked);
    return looked;
  }

  protocol::Event operator()(const protocol::Check& effect) {
    protocol::Checked checked;
    checked.problems.resize(effect.moves.size());
    const auto tested = recorded_images(in_, svc_.files);
    if (!tested) return protocol::Failed{tested.error()};
    auto done = sys::for_each_parallel(effect.moves.size(), kTagsAtATime, [&](std::size_t i) -> Result<void> {
      const auto& move = journal_.moves[effect.moves[i]];
      CG_TRY(const auto tag, reference(effect.moves[i]));
      if (auto same = require_same_build(move, *tested); !same) {
        checked.problems[i] = std::move(same).error();
        return {};
      }
      if (auto whole = require_whole({tag.repository, std::nullopt, move.to}, svc_.reader); !whole) {
        checked.problems[i] = std::move(whole).error();
      }
      return {};
    });
    if (!done) return protocol::Failed{std::move(done).error()};
    return checked;
  }

  protocol::Event operator()(const protocol::Write& effect) {
    protocol::Wrote wrote;
    in_place_seen_.reset();
    const auto rank = [&](std::size_t move) { return journal_.moves.at(move).rank; };
    all_written_ = rank(effect.orders.back().move) == rank(journal_.moves.size() - 1);
    wrote.problems.resize(effect.orders.size(), protocol::not_tried());
    std::atomic<bool> refused = false;
    auto done = sys::for_each_parallel(effect.orders.size(), kTagsAtATime, [&](std::size_t i) -> Result<void> {
      const auto& order = effect.orders[i];
      if (refused && order.digest) return {};
      CG_CHECK(hold());
      auto written = tags_.write(journal_.moves.at(order.move), order.digest);
      wrote.problems[i] = written ? std::nullopt : std::optional(std::move(written).error());
      if (wrote.problems[i] && !is_transient(wrote.problems[i]->code)) refused = true;
      return {};
    });
    if (!done) wrote.stopped = std::move(done).error();
    if (auto going = sys::check_cancelled(); !going) wrote.stopped = std::move(going).error();
    return wrote;
  }

  protocol::Event operator()(const protocol::Wait& effect) {
    svc_.clock.sleep(effect.duration);
    if (auto going = sys::check_cancelled(); !going) return protocol::Failed{std::move(going).error()};
    return protocol::Waited{};
  }

  /// The journal that an effect speaks of: the one that was found, or ours.
  void adopt(const pipeline::Journal& journal) { journal_ = journal; }
  Published published() const { return {changes_, settled_, tags_.windows()}; }
  /// The tags that this run wrote to finish an earlier one.
  void note_settled(const protocol::State& state) {
    for (std::size_t i = 0; i < state.tags.size() && !state.journal.undone_from; ++i) {
      if (!state.tags[i].written) continue;
      const auto& move = settled_.emplace_back(state.journal.moves[i]);
      log::info(concat("settled: PUT ", render::tag_name(move), " ", move.to.text(), " (was ",
                       render::digest_or_absent(move.from), ")"));
    }
  }
  /// The tags that had nothing to be written: a release is whole only if they, too, are still what they were found to be.
  Result<void> require_in_place() const {
    if (!in_place_seen_) {
      return sys::for_each_parallel(in_place_.size(), kTagsAtATime,
                                    [&](std::size_t i) { return require_unmoved(in_place_[i]); });
    }
    for (const auto& seen : *in_place_seen_) CG_CHECK(seen);
    return {};
  }
  void close() {
    if (!opened_) return;
    const sys::CancellationPause pause;  // the journal is complete; giving the lease back spares the next run a wait
    if (auto closed = svc_.journal.close(); !closed) {
      log::warning(concat("the lease could not be given back: ", describe(closed.error())));
    }
  }

 private:
  /// What a run that died left mixed has been so since its journal was begun, at most.
  void note_mixed(const protocol::Looked& looked) {
    if (!std::exchange(found_, false)) return;
    bool is_old = false, is_new = false;
    for (std::size_t i = 0; i < looked.tags.size(); ++i) {
      if (journal_.moves[i].rank < pipeline::TagRank::moving) continue;
      const auto place = protocol::place_of(journal_.moves[i], looked.tags[i]);
      is_old = is_old || place == protocol::Place::before;
      is_new = is_new || place == protocol::Place::after;
    }
    const auto begun = sys::parse_rfc3339(journal_.started_at);
    if (!is_old || !is_new || !begun) return;
    const auto since = std::max(svc_.clock.now() - *begun, std::chrono::system_clock::duration::zero());
    tags_.mixed_for(std::chrono::duration_cast<std::chrono::microseconds>(since));
  }

  Result<void> require_same_build(const pipeline::TagMove& move,
                                  const std::map<std::string, oci::Digest>& tested) const {
    if (!pipeline::is_superseded(journal_, move, in_.plan, tested)) return {};
    return fail(ErrorCode::gate_refused,
                concat(move.repository, ":", move.tag, ": expected the tested image ", tested.at(move.cell).text(),
                       ", found ", move.to.text(), " in the journal: it was built anew since"));
  }

  Result<void> require_unmoved(const pipeline::TagMove& move) const {
    CG_TRY(const auto tag, tag_reference(move.repository, move.tag));
    CG_TRY(const auto now, svc_.reader.digest(tag));
    if (now == protocol::Seen(move.to)) return {};
    return fail(ErrorCode::conflict,
                concat(tag.familiar(), ": expected ", move.to.text(), ", as at the beginning of the release, found ",
                       now ? now->text() : std::string("no such tag"), ": somebody else moved it meanwhile"),
                "Every other tag is in place. Look at who writes this one, then run it again.");
  }

  /// The lease, where there is one, lasts for one more write.
  Result<void> hold() {
    const std::lock_guard lock(holding_);
    return svc_.journal.hold();
  }

  Result<pipeline::Journal> survey_and_stage(const pipeline::Journal& before) {
    CG_TRY(auto publication, survey(in_, svc_.files, svc_.candidates, scope_, before));
    if (svc_.announce) svc_.announce(publication.changes);
    CG_CHECK(stage_images(publication, svc_.candidates, svc_.reader, svc_.writer));
    if (!publication.release_set.empty()) {
      tags_.knows(std::move(publication.release_set), std::string(oci::kOciIndex));
    }
    for (auto& [cell, image] : publication.evidence.admitted) {
      tags_.knows(std::move(image.manifest_bytes), image.manifest.media_type);
    }
    changes_ = std::move(publication.changes);
    in_place_ = std::move(publication.in_place);
    in_place_seen_.reset();
    pipeline::Journal journal{.images = in_.plan.image_set,
                              .plan_id = in_.plan.plan_id,
                              .version = in_.plan.version,
                              .commit = in_.plan.commit,
                              .run = in_.run,
                              .attempt = in_.attempt,
                              .started_at = sys::rfc3339(svc_.clock.now())};
    for (const auto& move : changes_.moves) {
      if (move.needed) journal.moves.push_back(move);
    }
    return journal;
  }

  Result<oci::Reference> reference(std::size_t move) const {
    const auto& wanted = journal_.moves.at(move);
    return tag_reference(wanted.repository, wanted.tag);
  }

  const PublishInputs& in_;
  const PublishServices& svc_;
  Scope scope_;
  bool opened_ = false;
  bool found_ = false;  ///< an open journal, whose tags nobody has looked at yet
  pipeline::Journal journal_;
  pipeline::ChangeSet changes_;
  std::vector<pipeline::TagMove> settled_;
  std::vector<pipeline::TagMove> in_place_;
  std::optional<std::vector<Result<void>>> in_place_seen_;  ///< since the last write; nullopt = not looked at
  bool all_written_ = false;                                ///< of every rank
  std::mutex holding_;
  TagWriter tags_;
};

/// What this plan's tags were moved from and to, and which ones it decided to keep, for the report. Of an undone release
/// what stayed all the same.
Result<void> note_moves(const PublishInputs& in, sys::FileSystem& files, const protocol::State& state,
                        const Published& published) {
  std::vector<pipeline::TagMove> noted;
  for (std::size_t i = 0; i < state.tags.size() && state.journal.plan_id == in.plan.plan_id; ++i) {
    const auto& tag = state.tags[i];
    const bool written = tag.written && !state.journal.undone_from;
    if (tag.place == protocol::Place::after || written) noted.push_back(state.journal.moves[i]);
  }
  std::ranges::copy_if(published.changes.moves, std::back_inserter(noted),
                       [](const auto& move) { return !move.needed && move.from != move.to; });
  return append_moves(files, in.workspace, in.plan, noted, published.windows);
}

struct Outcome {
  Published published;
  std::optional<Settled> settled;  ///< a release that was left open
};

Result<Outcome> carry_out(const PublishInputs& in, const PublishServices& svc, Scope scope, protocol::Goal goal) {
  Performer perform(in, svc, scope);
  auto step = protocol::begin(goal);
  bool found = false;
  while (const auto* effect = std::get_if<protocol::Effect>(&step.next)) {
    perform.adopt(step.state.journal);
    // An earlier release of this plan is settled: what it moved is ours as well.
    if (std::holds_alternative<protocol::Survey>(*effect)) {
      perform.note_settled(step.state);
      const auto noted = note_moves(in, svc.files, step.state, perform.published());
      if (!noted) log::warning(concat("the report will not know what was settled: ", describe(noted.error())));
    }
    auto event = std::visit(perform, *effect);
    step = protocol::step(std::move(step), event);
    found = found || step.state.recovering;
  }
  auto& ending = std::get<protocol::Ending>(step.next);
  const auto noted = note_moves(in, svc.files, step.state, perform.published());
  // Before the lease is given back: whoever has it next may move them.
  const auto in_place = ending.error ? Result<void>() : perform.require_in_place();
  perform.close();
  if (const auto text = render::windows_text(perform.published().windows); !text.empty()) log::info(text);
  for (const auto& line : ending.details) log::warning(line);
  if (ending.error) return fail(*std::move(ending.error));
  if (!noted) log::warning(concat("every tag is in place, but the report will not know: ", describe(noted.error())));
  CG_CHECK(in_place);
  Outcome outcome{perform.published(), std::nullopt};
  if (!found) return outcome;
  outcome.settled = Settled{std::move(step.state.journal), {}};
  for (const auto& tag : step.state.tags) outcome.settled->seen.push_back(tag.seen);
  return outcome;
}

}  // namespace

Result<Published> publish(const PublishInputs& in, const PublishServices& svc, Scope scope) {
  CG_TRY(auto outcome, carry_out(in, svc, scope, protocol::Goal::publish));
  return std::move(outcome.published);
}

Result<std::optional<Settled>> settle(const PublishInputs& in, const PublishServices& svc, protocol::Goal goal) {
  CG_TRY(auto outcome, carry_out(in, svc, kAllTags, goal));
  return std::move(outcome.settled);
}

}  // namespace crategate::stages
