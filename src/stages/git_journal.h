// The journal and the lease of a release in one git ref, so that every runner sees them and one at a time writes.
// Belongs here: taking, renewing and losing the lease.  Not here: the rule of who may take it (pipeline/lease), git
// (git/ref_store).
#pragma once

#include <map>
#include <optional>
#include <string>

#include "git/ref_store.h"
#include "pipeline/lease.h"
#include "stages/journal_store.h"
#include "sys/clock.h"

namespace crategate::stages {

/// `refs/crategate/<journal_name>`: `journal.json` and `lease.json`. Every write of one is a compare and swap of both:
/// who lost the lease writes no journal. Not thread-safe.
class GitJournal final : public JournalStore {
 public:
  /// `self.id` is of this very process. `earlier`: what kept the journal of these images before there was a lease, or
  /// null; a release that was left open there is never passed over.
  GitJournal(git::RefStore& refs, sys::Clock& clock, std::string images, pipeline::LeaseHolder self,
             JournalStore* earlier = nullptr);
  Result<std::optional<pipeline::Journal>> read() override;
  /// taken_over: also from an earlier attempt of the same run that did not give it back.
  /// Errors: conflict also when `earlier` holds an open journal.
  Result<Opened> open() override;
  Result<void> keep(const pipeline::Journal& journal) override;
  /// Renews what has less than kRenewBelow left. Where the remote does not answer, what is left is trusted down to
  /// kTrustedAbove.
  Result<void> hold() override;
  Result<void> close() override;
  std::string place() const override;
  std::optional<pipeline::SeenLease> lease() const override { return seen_; }

 private:
  struct Content {
    std::optional<std::string> oid;
    std::map<std::string, std::string> files;
    std::optional<pipeline::Journal> journal;
    std::optional<pipeline::Lease> lease;
  };
  Result<Content> load();
  pipeline::Claim claim_on(const std::optional<pipeline::Lease>& lease) const;
  Result<void> require_nothing_earlier() const;
  /// By the clock that says less. Where somebody sets the wall clock, that costs a renewal and no more.
  sys::Instant::duration left() const;
  Error held(const pipeline::Lease& lease) const;
  Error lost() const;
  Error unreadable(Error error) const;
  /// Puts `journal` (null: the one that is there) and a lease of ours in place of what was there last; false = somebody
  /// else has written since.
  Result<bool> swap(const pipeline::Journal* journal, bool give_back, const std::string& message);
  /// The swap before had no answer, and was done.
  Result<bool> is_still_ours();
  Result<void> write(const pipeline::Journal* journal, bool give_back, const std::string& message);

  git::RefStore& refs_;
  sys::Clock& clock_;
  std::string images_, ref_;
  pipeline::LeaseHolder self_;
  JournalStore* earlier_;
  std::optional<pipeline::SeenLease> seen_;
  bool open_ = false;
  std::int64_t epoch_ = 0;
  std::optional<std::string> oid_;            ///< of what was there last
  std::map<std::string, std::string> files_;  ///< and what it says
  /// The end of our lease, counted from before it was asked for. A machine that slept shows in the second only.
  sys::Instant until_{};
  std::chrono::system_clock::time_point until_by_wall_clock_{};
};

}  // namespace crategate::stages
