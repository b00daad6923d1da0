#include "stages/git_journal.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/strings.h"

namespace crategate::stages {
namespace {

constexpr std::string_view kJournal = "journal.json", kLease = "lease.json";

}  // namespace

GitJournal::GitJournal(git::RefStore& refs, sys::Clock& clock, std::string images, pipeline::LeaseHolder self,
                       JournalStore* earlier)
    : refs_(refs),
      clock_(clock),
      images_(std::move(images)),
      ref_(concat("refs/crategate/", journal_name(images_))),
      self_(std::move(self)),
      earlier_(earlier) {}

std::string GitJournal::place() const { return concat(ref_, " of ", refs_.place()); }

Result<GitJournal::Content> GitJournal::load() {
  CG_TRY(auto state, refs_.read(ref_));
  Content content;
  seen_.emplace();
  if (!state) return content;
  for (const auto& [name, text] : state->files) {
    if (name == kJournal) {
      auto journal = pipeline::parse_journal(text, concat(place(), ": ", name));
      if (!journal) return fail(unreadable(std::move(journal).error()));
      content.journal = *std::move(journal);
    } else if (name == kLease) {
      auto lease = pipeline::parse_lease(text, concat(place(), ": ", name));
      if (!lease) return fail(unreadable(std::move(lease).error()));
      content.lease = *std::move(lease);
    } else {
      return fail(unreadable({ErrorCode::bad_input,
                              concat(place(), ": expected ", kJournal, " and ", kLease, ", found ", quoted(name)),
                              {},
                              {},
                              std::nullopt,
                              std::nullopt}));
    }
  }
  if (content.journal && content.journal->images != images_)
    return fail(ErrorCode::bad_input,
                concat(place(), ": expected the journal of ", images_, ", found that of ", content.journal->images),
                "Put it back where it was; each set of images has a journal of its own.");
  content.oid = std::move(state->oid);
  content.files = std::move(state->files);
  seen_->claim = claim_on(content.lease);
  if (content.lease && content.lease->holder) {
    seen_->holder = content.lease->holder->text();
    seen_->until = content.lease->until;
  }
  return content;
}

pipeline::Claim GitJournal::claim_on(const std::optional<pipeline::Lease>& lease) const {
  return pipeline::judge_lease(lease, self_, sys::rfc3339(clock_.now() - pipeline::kClockMargin));
}

Result<void> GitJournal::require_nothing_earlier() const {
  if (earlier_ == nullptr) return {};
  CG_TRY(const auto journal, earlier_->read());
  if (!journal || journal->state != pipeline::JournalState::open) return {};
  return fail(ErrorCode::conflict,
              concat(earlier_->place(), ": expected no open release where the lease keeps the journal, found that of ",
                     journal->version, ", begun ", journal->started_at),
              "It was left open before release.lease was set. `crategate recover --release-lease none "
              "--release-journal file` finishes it, with --back undoes it; when you know that nothing of it is left to "
              "do, move the file away.");
}

/// Nobody settles what nobody can read.
Error GitJournal::unreadable(Error error) const {
  error.hint =
      concat("Look at the tags (`crategate registry ls`). Then remove the ref, with lease and journal: `git push ",
             refs_.place(), " :", ref_, "`; the next release starts from what they name.");
  return error;
}

sys::Instant::duration GitJournal::left() const {
  const auto by_wall_clock = std::chrono::duration_cast<sys::Instant::duration>(until_by_wall_clock_ - clock_.now());
  return std::min(until_ - clock_.monotonic(), by_wall_clock);
}

Error GitJournal::held(const pipeline::Lease& lease) const {
  return {ErrorCode::conflict,
          concat("another release of ", images_, " has the lease: ", quoted(lease.holder->text(), 200), ", until ",
                 lease.until, "; here it is ", sys::rfc3339(clock_.now())),
          concat("Let it finish and run the same command again. If it is dead, its lease is free ",
                 (pipeline::kClockMargin).count(), " seconds after that time; ", place(), "."),
          {},
          std::nullopt,
          std::nullopt};
}

Error GitJournal::lost() const {
  return {ErrorCode::conflict,
          concat("the lease was lost: somebody else has written ", place()),
          "Another release took over because this one was silent for too long; run the same command again, it "
          "settles what is open.",
          {},
          std::nullopt,
          std::nullopt};
}

Result<std::optional<pipeline::Journal>> GitJournal::read() {
  if (const auto nothing = require_nothing_earlier(); !nothing) log::warning(describe(nothing.error()));
  CG_TRY(auto content, load());
  return std::move(content.journal);
}

Result<JournalStore::Opened> GitJournal::open() {
  CG_CHECK(require_nothing_earlier());
  CG_TRY(auto content, load());
  const auto claim = claim_on(content.lease);
  if (claim == pipeline::Claim::held) return fail(held(*content.lease));
  oid_ = content.oid;
  files_ = content.files;
  epoch_ = (content.lease ? content.lease->epoch : 0) + 1;
  CG_TRY(const bool taken, swap(nullptr, false, concat("lease taken by ", self_.text())));
  if (!taken) {
    CG_TRY(content, load());
    if (content.lease && content.lease->holder) return fail(held(*content.lease));
    return fail(ErrorCode::conflict, concat(place(), ": somebody else wrote it at the same moment"),
                "Run the same command again.");
  }
  open_ = true;
  return Opened{std::move(content.journal), claim == pipeline::Claim::expired || claim == pipeline::Claim::resumed};
}

Result<bool> GitJournal::swap(const pipeline::Journal* journal, bool give_back, const std::string& message) {
  // What is left is counted from before the write: the answer may take as long as the lease.
  const sys::Instant now = clock_.monotonic();
  const auto wall_now = clock_.now();
  pipeline::Lease lease{.epoch = epoch_, .holder = {}, .until = {}};
  if (!give_back) {
    lease.holder = self_;
    lease.until = sys::rfc3339(wall_now + pipeline::kLeaseLength);
  }
  auto files = files_;
  if (journal != nullptr) files[std::string(kJournal)] = pipeline::to_json(*journal);
  files[std::string(kLease)] = pipeline::to_json(lease);
  CG_TRY(auto oid, refs_.compare_and_swap(ref_, oid_, files, message));
  if (!oid) return false;
  oid_ = std::move(oid);
  files_ = std::move(files);
  until_ = now + pipeline::kLeaseLength;
  until_by_wall_clock_ = wall_now + pipeline::kLeaseLength;
  return true;
}

Result<bool> GitJournal::is_still_ours() {
  CG_TRY(auto content, load());
  if (!content.lease || content.lease->epoch != epoch_ || content.lease->holder != self_) return false;
  oid_ = std::move(content.oid);
  files_ = std::move(content.files);
  return true;
}

Result<void> GitJournal::write(const pipeline::Journal* journal, bool give_back, const std::string& message) {
  if (!open_)
    return fail(ErrorCode::internal, concat(place(), ": expected the lease to be taken first"), "Report this.");
  CG_TRY(bool written, swap(journal, give_back, message));
  if (!written) {
    CG_TRY(const bool ours, is_still_ours());
    if (ours) {
      CG_TRY(written, swap(journal, give_back, message));
    }
  }
  if (written) return {};
  open_ = false;
  return fail(lost());
}

Result<void> GitJournal::keep(const pipeline::Journal& journal) {
  return write(&journal, false, concat("journal of ", journal.version, ": ", to_string(journal.state)));
}

Result<void> GitJournal::hold() {
  if (open_ && left() >= pipeline::kRenewBelow) return {};
  auto renewed = write(nullptr, false, concat("lease renewed by ", self_.text()));
  if (renewed || !open_ || !is_transient(renewed.error().code)) return renewed;
  const auto still = left();
  if (still < pipeline::kTrustedAbove) return renewed;
  log::warning(concat("the lease could not be renewed, and holds for ",
                      std::chrono::floor<std::chrono::seconds>(still).count(), " s more: ", describe(renewed.error())));
  return {};
}

Result<void> GitJournal::close() {
  if (!open_) return {};
  auto closed = write(nullptr, true, concat("lease given back by ", self_.text()));
  if (closed) open_ = false;
  return closed;
}

}  // namespace crategate::stages
