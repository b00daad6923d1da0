#include "simulation/process.h"

#include <algorithm>

#include "base/strings.h"

namespace crategate::simulation {
namespace {

namespace protocol = pipeline::protocol;
using Kind = Request::Kind;

constexpr Duration kRequest{5};

std::optional<Error> error_in(const Result<void>& result) {
  return result ? std::nullopt : std::optional(result.error());
}

protocol::Seen digest_of(const Scene& scene, Content content) {
  return content == kNothing ? protocol::Seen() : scene.contents[content].digest;
}

}  // namespace

Process::Process(World& world, const Mission& mission)
    : world_(&world), mission_(mission), random_(mission.seed), step_(protocol::begin(mission.goal)) {
  believed_.resize(world.scene().tags.size());
  begin_effect();
}

Process::Process(const Process& other, World& world) : Process(other) { world_ = &world; }

const Request* Process::next() const { return requests_.empty() ? nullptr : &requests_.back(); }

void Process::run() {
  while (next() != nullptr) perform();
}

void Process::die() {
  world_->history.entries.push_back({.kind = Entry::Kind::died, .run = mission_.run, .journal = mission_.shelf});
  requests_.clear();
}

const protocol::Ending& Process::ending() const { return std::get<protocol::Ending>(step_.next); }

int Process::code() const { return ending().error ? exit_code(ending().error->code) : 0; }

std::size_t Process::tag_of(std::size_t move) const {
  const auto& wanted = step_.state.journal.moves[move];
  return world_->scene().by_name.at({wanted.repository, wanted.tag});
}

void Process::enqueue(const protocol::Effect& effect) {
  const auto& scene = world_->scene();
  const auto one = [&](Kind kind) { requests_.push_back({.kind = kind}); };
  const auto each = [&](Kind kind, const std::vector<std::size_t>& moves) {
    for (std::size_t i = 0; i < moves.size(); ++i) {
      const auto& to = step_.state.journal.moves[moves[i]].to;
      requests_.push_back({kind, i, tag_of(moves[i]), scene.by_digest.at(to)});
    }
    std::ranges::shuffle(requests_, random_);
  };
  if (std::holds_alternative<protocol::Open>(effect)) one(Kind::open);
  if (std::holds_alternative<protocol::Keep>(effect)) one(Kind::keep);
  if (std::holds_alternative<protocol::Wait>(effect)) one(Kind::wait);
  if (const auto* look = std::get_if<protocol::Look>(&effect)) each(Kind::look, look->moves);
  if (const auto* check = std::get_if<protocol::Check>(&effect)) each(Kind::check, check->moves);
  if (std::holds_alternative<protocol::Survey>(effect)) {
    one(Kind::stage);  // done last
    for (const auto& wanted : scene.releases[mission_.release].wanted) {
      requests_.push_back({Kind::read, wanted.tag, wanted.tag});
    }
  }
  const auto* write = std::get_if<protocol::Write>(&effect);
  if (write == nullptr) return;
  for (std::size_t i = 0; i < write->orders.size(); ++i) {
    const auto& order = write->orders[i];
    const auto content = order.digest ? scene.by_digest.at(*order.digest) : kNothing;
    requests_.push_back({Kind::write, i, tag_of(order.move), content});
  }
  std::ranges::shuffle(requests_, random_);
  one(Kind::hold);
}

void Process::begin_effect() {
  const auto* effect = std::get_if<protocol::Effect>(&step_.next);
  if (effect == nullptr) {
    if (opened_ && !cancelled_) world_->close(mission_.run, mission_.shelf);
    const bool published = mission_.goal == protocol::Goal::publish;
    world_->history.entries.push_back({.kind = Entry::Kind::ended,
                                       .run = mission_.run,
                                       .journal = mission_.shelf,
                                       .code = code(),
                                       .release = published ? static_cast<int>(mission_.release) : -1});
    return;
  }
  failed_.reset();
  refused_ = false;
  enqueue(*effect);
  problems_.assign(requests_.size(), std::nullopt);
  seen_.assign(std::holds_alternative<protocol::Survey>(*effect) ? world_->scene().tags.size() : requests_.size(),
               kNothing);
  if (requests_.empty()) finish_effect();
}

void Process::answer(protocol::Event event) {
  requests_.clear();
  step_ = protocol::step(std::move(step_), event);
  begin_effect();
}

void Process::perform(Fault fault, Duration late) {
  const Request request = requests_.back();
  if (fault == Fault::cancelled) cancelled_ = error_of(fault);
  requests_.pop_back();
  perform_one(request, fault, late);
  world_->pass(kRequest);
  if (failed_ && request.kind == Kind::hold) {
    const auto orders = std::get<protocol::Write>(std::get<protocol::Effect>(step_.next)).orders.size();
    answer(protocol::Wrote{{orders, protocol::not_tried()}, failed_});
  } else if (failed_ && request.kind != Kind::write && request.kind != Kind::check) {
    answer(protocol::Failed{*failed_});
  } else if (requests_.empty()) {
    finish_effect();
  }
}

void Process::perform_one(const Request& request, Fault fault, Duration late) {
  if (request.kind == Kind::look || request.kind == Kind::read) {
    const auto seen = read(request, fault);
    if (!seen) {
      failed_ = seen.error();
    } else {
      seen_[request.position] = *seen;
      believe(request, seen);
    }
    return;
  }
  auto problem = attempt(request, fault, late);
  if (request.kind == Kind::write || request.kind == Kind::check) {
    problems_[request.position] = std::move(problem);
  } else {
    failed_ = std::move(problem);
  }
}

Result<Content> Process::read(const Request& request, Fault fault) {
  if (cancelled_) return fail(*cancelled_);
  const bool knows = believed_[request.tag] && request.kind == Kind::look;
  if (knows && (mission_.defect == Defect::no_recheck || mission_.defect == Defect::ignores_answers)) {
    return *believed_[request.tag];
  }
  if (fault == Fault::not_found) return kNothing;
  if (fault != Fault::none) return fail(error_of(fault));
  return world_->shown(request.tag);
}

/// What a defective driver goes on believing.
void Process::believe(const Request& request, const Result<Content>& seen) { believed_[request.tag] = *seen; }

std::optional<Error> Process::attempt(const Request& request, Fault fault, Duration late) {
  const bool writes = request.kind == Kind::write;
  if (cancelled_ && request.kind != Kind::keep && request.kind != Kind::hold) return cancelled_;
  if (request.kind == Kind::wait) {
    world_->pass(std::get<protocol::Wait>(std::get<protocol::Effect>(step_.next)).duration);
    return std::nullopt;
  }
  // Side by side: some of the others are on their way when one is refused.
  if (writes && refused_ && request.content != kNothing && random_() % 2 == 0) return protocol::not_tried();
  const bool takes_effect = fault == Fault::none || fault == Fault::lost_answer || fault == Fault::wrong_digest;
  if (writes && (fault == Fault::late || fault == Fault::late_refused)) {
    world_->point_late(mission_.run, mission_.shelf, request.tag, request.content, late);
  }
  std::optional<Error> problem;
  if (takes_effect || (fault == Fault::cancelled && !writes)) {
    switch (request.kind) {
      case Kind::open: {
        const auto opened = world_->open(mission_.run, mission_.shelf);
        if (!opened) return opened.error();
        taken_over_ = *opened;
        opened_ = true;
        break;
      }
      case Kind::keep: {
        if (mission_.defect == Defect::late_journal) break;
        const auto& keep = std::get<protocol::Keep>(std::get<protocol::Effect>(step_.next));
        problem = error_in(world_->keep(mission_.run, mission_.shelf, keep.journal));
        break;
      }
      case Kind::hold:
        if (mission_.defect != Defect::ignores_lease) problem = error_in(world_->hold(mission_.run, mission_.shelf));
        break;
      case Kind::check:
        if (world_->collected[request.content]) problem = error_of(Fault::not_found);
        break;
      case Kind::write:
        problem = error_in(world_->point(mission_.run, mission_.shelf, request.tag, request.content));
        if (!problem) believed_[request.tag] = request.content;
        if (!problem && mission_.defect == Defect::late_journal) {
          problem = error_in(world_->keep(mission_.run, mission_.shelf, step_.state.journal));
        }
        break;
      default:
        break;
    }
  }
  if (fault != Fault::none && fault != Fault::cancelled && !problem) problem = error_of(fault);
  if (fault == Fault::lost_answer && request.kind == Kind::keep && problem) problem->code = ErrorCode::artifact_service;
  if (problem && !is_transient(problem->code)) refused_ = true;
  if (mission_.defect == Defect::ignores_answers && writes) {
    believed_[request.tag] = request.content;
    problem.reset();
  }
  return problem;
}

protocol::Event Process::looked() {
  protocol::Looked looked;
  const auto& moves = std::get<protocol::Look>(std::get<protocol::Effect>(step_.next)).moves;
  for (std::size_t i = 0; i < moves.size(); ++i) {
    const auto& move = step_.state.journal.moves[moves[i]];
    auto seen = digest_of(world_->scene(), seen_[i]);
    if (mission_.defect == Defect::overwrites_foreign && seen != move.from && seen != move.to) seen = move.from;
    looked.tags.push_back(std::move(seen));
  }
  return looked;
}

Result<pipeline::Journal> Process::survey() const {
  const auto& scene = world_->scene();
  const auto& effect = std::get<protocol::Survey>(std::get<protocol::Effect>(step_.next));
  pipeline::Journal journal;
  journal.version = scene.releases[mission_.release].version;
  journal.plan_id = journal.version;
  CG_TRY(journal.moves, planned_moves(scene, mission_.release, seen_, effect.before.last.versions));
  if (mission_.defect == Defect::unverified && !journal.moves.empty()) {
    journal.moves.back().to =
        scene.contents[scene.persons[scene.by_name.at({journal.moves.back().repository, journal.moves.back().tag})]]
            .digest;
  }
  if (mission_.defect != Defect::steps_back) return journal;
  for (const auto& wanted : scene.releases[mission_.release].wanted) {
    const auto& slot = scene.tags[wanted.tag];
    if (slot.rank != pipeline::TagRank::moving || seen_[wanted.tag] == wanted.content) continue;
    journal.moves.push_back({.cell = slot.repository,
                             .repository = slot.repository,
                             .tag = slot.tag,
                             .rank = slot.rank,
                             .from = digest_of(scene, seen_[wanted.tag]),
                             .to = scene.contents[wanted.content].digest});
  }
  return journal;
}

void Process::finish_effect() {
  const auto& effect = std::get<protocol::Effect>(step_.next);
  if (std::holds_alternative<protocol::Open>(effect)) {
    const auto& kept = world_->shelves[static_cast<std::size_t>(mission_.shelf)].journal;
    return answer(protocol::Opened{kept ? std::optional(*kept) : std::nullopt, taken_over_});
  }
  if (std::holds_alternative<protocol::Survey>(effect)) {
    auto journal = survey();
    if (!journal) return answer(protocol::Failed{journal.error()});
    return answer(protocol::Surveyed{*std::move(journal)});
  }
  if (std::holds_alternative<protocol::Keep>(effect)) return answer(protocol::Kept{});
  if (std::holds_alternative<protocol::Look>(effect)) return answer(looked());
  if (std::holds_alternative<protocol::Check>(effect)) return answer(protocol::Checked{problems_});
  if (std::holds_alternative<protocol::Wait>(effect)) return answer(protocol::Waited{});
  problems_.pop_back();  // that of the hold
  answer(protocol::Wrote{problems_, cancelled_});
}

}  // namespace crategate::simulation
