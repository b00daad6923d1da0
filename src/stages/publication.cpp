#include "stages/publication.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <utility>

#include "base/log.h"
#include "base/strings.h"
#include "oci/media_types.h"
#include "stages/staging.h"
#include "sys/cancel.h"
#include "sys/parallel.h"

namespace crategate::stages {
namespace {

namespace protocol = pipeline::protocol;

constexpr std::size_t kAtATime = 64;  ///< tags; the registry's client limits the connections to one host

/// Performs the effects of one publication, and remembers what they were about.
class Performer {
 public:
  Performer(const PublishInputs& in, const PublishServices& svc, Scope scope) : in_(in), svc_(svc), scope_(scope) {}

  protocol::Event operator()(const protocol::Open& /*effect*/) {
    auto opened = svc_.journal.open();
    if (!opened) return protocol::Failed{std::move(opened).error()};
    opened_ = true;
    if (opened->journal && opened->journal->state == pipeline::JournalState::open) {
      if (auto ours = require_own_tags(*opened->journal); !ours) return protocol::Failed{std::move(ours).error()};
      log::info(concat("the release of ", opened->journal->version, ", begun ", opened->journal->started_at,
                       ", was left open in ", svc_.journal.place(), ": it is settled first"));
    }
    return protocol::Opened{std::move(opened->journal), opened->taken_over};
  }

  protocol::Event operator()(const protocol::Survey& effect) {
    auto surveyed = survey_and_stage(effect.newest);
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
    looked.tags.resize(effect.moves.size());
    looked_at_ = svc_.clock.monotonic();
    auto read = sys::for_each_parallel(effect.moves.size(), kAtATime, [&](std::size_t i) -> Result<void> {
      CG_TRY(const auto tag, reference(effect.moves[i]));
      CG_TRY(looked.tags[i], svc_.reader.digest(tag));
      return {};
    });
    if (!read) return protocol::Failed{std::move(read).error()};
    return looked;
  }

  protocol::Event operator()(const protocol::Check& effect) {
    protocol::Checked checked;
    checked.problems.resize(effect.moves.size());
    auto done = sys::for_each_parallel(effect.moves.size(), kAtATime, [&](std::size_t i) -> Result<void> {
      const auto& move = journal_.moves[effect.moves[i]];
      CG_TRY(const auto tag, reference(effect.moves[i]));
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
    wrote.problems.resize(effect.orders.size(), protocol::not_tried());
    std::atomic<bool> refused = false;
    auto done = sys::for_each_parallel(effect.orders.size(), kAtATime, [&](std::size_t i) -> Result<void> {
      const auto& order = effect.orders[i];
      if (refused && order.digest) return {};
      CG_CHECK(hold());
      auto written = write(order);
      wrote.problems[i] = written ? std::nullopt : std::optional(std::move(written).error());
      if (wrote.problems[i] && !is_transient(wrote.problems[i]->code)) refused = true;
      return {};
    });
    // Without the lease nothing more is ours to decide; cancelled, the rest was not started.
    if (!done && !sys::cancellation()) return protocol::Failed{std::move(done).error()};
    if (!done) wrote.problems.emplace_back(std::move(done).error());
    return wrote;
  }

  protocol::Event operator()(const protocol::Wait& effect) {
    svc_.clock.sleep(effect.duration);
    if (auto going = sys::check_cancelled(); !going) return protocol::Failed{std::move(going).error()};
    return protocol::Waited{};
  }

  /// The journal that an effect speaks of: the one that was found, or ours.
  void adopt(const pipeline::Journal& journal) { journal_ = journal; }
  Published& published() { return published_; }
  /// The tags that had nothing to be written: a release is whole only if they, too, are still what they were found to be.
  Result<void> require_in_place() const {
    return sys::for_each_parallel(in_place_.size(), kAtATime, [&](std::size_t i) -> Result<void> {
      const auto& move = in_place_[i];
      CG_TRY(const auto tag, tag_reference(move.repository, move.tag));
      CG_TRY(const auto now, svc_.reader.digest(tag));
      if (now == protocol::Seen(move.to)) return {};
      return fail(ErrorCode::conflict,
                  concat(tag.familiar(), ": expected ", move.to.text(), ", as at the beginning of the release, found ",
                         now ? now->text() : std::string("no such tag"), ": somebody else moved it meanwhile"),
                  "Every other tag is in place. Look at who writes this one, then run it again.");
    });
  }
  void close() {
    if (!opened_) return;
    const sys::CancellationPause pause;  // the journal is complete; giving the lease back spares the next run a wait
    if (auto closed = svc_.journal.close(); !closed) {
      log::warning(concat("the lease could not be given back: ", describe(closed.error())));
    }
  }

 private:
  /// An open journal speaks of tags of this plan's repositories, and where it is this plan's, of its tested images.
  Result<void> require_own_tags(const pipeline::Journal& journal) const {
    for (const auto& move : journal.moves) {
      const auto* cell = in_.plan.find(move.cell);
      const bool of_set = move.cell.empty() && in_.plan.release_set.starts_with(concat(move.repository, ":"));
      const auto at = std::ranges::find(in_.plan.cells, move.repository, &pipeline::Cell::image);
      bool ours = of_set || at != in_.plan.cells.end();
      if (ours && cell != nullptr && journal.plan_id == in_.plan.plan_id) {
        CG_TRY(const auto record, load_record(svc_.files, in_.workspace, cell->key));
        ours = !record || record->manifest_digest == move.to;
      }
      if (ours) continue;
      return fail(
          ErrorCode::gate_refused,
          concat(svc_.journal.place(), ": ", move.repository, ":", move.tag, ": expected a tested image of this ",
                 "plan's repositories, found ", move.to.text()),
          "The journal is not of this plan, or was changed by hand: nothing was written. Look at the tags, then "
          "move the journal away.");
    }
    return {};
  }

  /// The lease, where there is one, lasts for one more write.
  Result<void> hold() {
    const std::lock_guard lock(holding_);
    return svc_.journal.hold();
  }

  Result<pipeline::Journal> survey_and_stage(const std::map<std::string, std::string>& newest) {
    CG_TRY(auto publication, survey(in_, svc_.files, svc_.reader, scope_, newest));
    if (svc_.announce) svc_.announce(publication.changes);
    CG_CHECK(stage_images(in_.plan, publication, svc_.reader, svc_.writer));
    if (!publication.release_set.empty()) {
      const auto digest = oci::Digest::of(publication.release_set);
      const oci::Descriptor descriptor{
          .media_type = std::string(oci::kOciIndex), .digest = digest, .size = publication.release_set.size()};
      content_.emplace(digest, registry::StoredManifest{descriptor, std::move(publication.release_set)});
    }
    for (auto& [cell, image] : publication.evidence.admitted) {
      const auto digest = image.digest;
      content_.emplace(
          digest, registry::StoredManifest{
                      {.media_type = image.manifest.media_type, .digest = digest, .size = image.manifest_bytes.size()},
                      std::move(image.manifest_bytes)});
    }
    published_.changes = std::move(publication.changes);
    in_place_ = std::move(publication.in_place);
    pipeline::Journal journal{.images = in_.plan.image_set,
                              .plan_id = in_.plan.plan_id,
                              .version = in_.plan.version,
                              .commit = in_.plan.commit,
                              .run = in_.run,
                              .attempt = in_.attempt,
                              .started_at = sys::rfc3339(svc_.clock.now())};
    for (const auto& move : published_.changes.moves) {
      if (move.needed) journal.moves.push_back(move);
    }
    return journal;
  }

  Result<oci::Reference> reference(std::size_t move) const {
    const auto& wanted = journal_.moves.at(move);
    return tag_reference(wanted.repository, wanted.tag);
  }

  /// What `digest` names in the tag's repository: from memory, else from the registry, which has it since the staging.
  Result<registry::StoredManifest> content(const oci::Reference& tag, const oci::Digest& digest) {
    {
      const std::lock_guard lock(mutex_);
      if (const auto known = content_.find(digest); known != content_.end()) return known->second;
    }
    const oci::Reference by_digest{tag.repository, std::nullopt, digest};
    CG_TRY(auto stored, svc_.reader.manifest(by_digest));
    if (stored) return *std::move(stored);
    return fail(ErrorCode::not_found, concat(by_digest.familiar(), ": expected the image that was staged, found none"),
                "The registry removed it while no tag named it; build and test that version again.");
  }

  Result<void> write(const protocol::Order& order) {
    CG_TRY(const auto tag, reference(order.move));
    if (!order.digest) {
      CG_CHECK(svc_.writer.remove_manifest(tag));
      return {};
    }
    CG_TRY(const auto stored, content(tag, *order.digest));
    const auto began = svc_.clock.monotonic();
    const auto& move = journal_.moves.at(order.move);
    const protocol::Seen before = *order.digest == move.to ? move.from : protocol::Seen(move.to);
    CG_CHECK(svc_.writer.point_tag(tag, before, stored.bytes, stored.descriptor.media_type));
    note_write(move.rank, began);
    return {};
  }

  void note_write(pipeline::TagRank rank, sys::Instant began) {
    const auto now = svc_.clock.monotonic();
    const auto micro = [](auto duration) { return std::chrono::duration_cast<std::chrono::microseconds>(duration); };
    const std::lock_guard lock(mutex_);
    auto& windows = published_.windows;
    windows.unprotected = std::max(windows.unprotected, micro(now - looked_at_));
    if (rank < pipeline::TagRank::moving) return;
    if (!first_move_ || began < *first_move_) first_move_ = began;
    windows.mixed = std::max(windows.mixed, micro(now - *first_move_));
  }

  const PublishInputs& in_;
  const PublishServices& svc_;
  Scope scope_;
  bool opened_ = false;
  pipeline::Journal journal_;
  Published published_;
  std::vector<pipeline::TagMove> in_place_;
  sys::Instant looked_at_;
  std::mutex holding_;
  std::mutex mutex_;  ///< of what follows: tags are written side by side
  std::map<oci::Digest, registry::StoredManifest> content_;
  std::optional<sys::Instant> first_move_;
};

/// What this plan's tags were moved from and to, for the report.
Result<void> note_moves(const PublishInputs& in, sys::FileSystem& files, const protocol::State& state,
                        const pipeline::Windows& windows) {
  if (state.journal.plan_id != in.plan.plan_id || state.direction == protocol::Direction::back) return {};
  std::vector<pipeline::TagMove> applied;
  for (std::size_t i = 0; i < state.tags.size(); ++i) {
    const auto& tag = state.tags[i];
    if (tag.place == protocol::Place::after || tag.written) applied.push_back(state.journal.moves[i]);
  }
  return append_moves(files, in.workspace, in.plan, applied, windows);
}

struct Outcome {
  Published published;
  bool found = false;  ///< a release that was left open
};

Result<Outcome> carry_out(const PublishInputs& in, const PublishServices& svc, Scope scope, protocol::Goal goal) {
  Performer perform(in, svc, scope);
  auto step = protocol::begin(goal);
  bool found = false;
  while (const auto* effect = std::get_if<protocol::Effect>(&step.next)) {
    perform.adopt(step.state.journal);
    // An earlier release of this plan is settled: what it moved is ours as well.
    if (std::holds_alternative<protocol::Survey>(*effect)) {
      CG_CHECK(note_moves(in, svc.files, step.state, perform.published().windows));
    }
    auto event = std::visit(perform, *effect);
    step = protocol::step(std::move(step), event);
    found = found || step.state.recovering;
  }
  auto& ending = std::get<protocol::Ending>(step.next);
  const auto noted = note_moves(in, svc.files, step.state, perform.published().windows);
  perform.close();
  for (const auto& line : ending.details) log::warning(line);
  if (ending.error) return fail(*std::move(ending.error));
  if (!noted) log::warning(concat("every tag is in place, but the report will not know: ", describe(noted.error())));
  CG_CHECK(perform.require_in_place());
  return Outcome{std::move(perform.published()), found};
}

}  // namespace

Result<Published> publish(const PublishInputs& in, const PublishServices& svc, Scope scope) {
  CG_TRY(auto outcome, carry_out(in, svc, scope, protocol::Goal::publish));
  return std::move(outcome.published);
}

Result<bool> settle(const PublishInputs& in, const PublishServices& svc, protocol::Goal goal) {
  CG_TRY(const auto outcome, carry_out(in, svc, kAllTags, goal));
  return outcome.found;
}

}  // namespace crategate::stages
