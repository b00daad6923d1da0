// A registry, journals with a lease, and a clock: everything outside of a process that publishes. A value: a copy of
// it is another world with the same past.
// Belongs here: what a real registry and a real disk do.  Not here: who asks them (process).
#pragma once

#include <chrono>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "base/result.h"
#include "pipeline/journal.h"
#include "simulation/history.h"

namespace crategate::simulation {

using Duration = std::chrono::milliseconds;

/// In what registries differ.
struct Quirks {
  bool immutable_versions = false;  ///< a version tag that is there keeps what it names
  bool no_delete = false;           ///< tags cannot be removed
  std::size_t read_only_from = std::numeric_limits<std::size_t>::max();  ///< the write from which on none is taken
  std::optional<std::size_t> forbidden;                                  ///< the tag whose repository takes no writes
  Duration lag{0};                                                       ///< for which reads show what was there before
};

/// Where a journal lies, and who may write it.
struct Shelf {
  std::shared_ptr<const pipeline::Journal> journal;
  bool leased = false;  ///< this kind of store has leases
  int holder = 0;       ///< 0 = nobody
  Duration deadline{0};
  bool is_open() const { return journal && journal->state == pipeline::JournalState::open; }
};
inline constexpr Duration kLease = std::chrono::minutes(2);

class World {
 public:
  explicit World(const Scene& scene);

  Quirks quirks;
  std::vector<Shelf> shelves{2};
  std::vector<bool> collected;  ///< contents that the registry has removed
  History history;

  const Scene& scene() const { return *scene_; }
  Duration now() const { return now_; }
  /// Time passes; what was on its way arrives.
  void pass(Duration duration);
  /// What a reader is shown.
  Content shown(std::size_t tag) const;
  Content names(std::size_t tag) const { return tags_[tag].content; }

  /// Errors: forbidden, conflict, not_found, as the quirks say.
  Result<void> point(int run, int shelf, std::size_t tag, Content content);
  /// The same, when `after` has passed, whoever lives then.
  void point_late(int run, int shelf, std::size_t tag, Content content, Duration after);
  void person(std::size_t tag, Content content);

  /// Errors: conflict when somebody else holds the lease. The answer: whether it was taken from somebody.
  Result<bool> open(int run, int shelf);
  Result<void> hold(int run, int shelf);
  Result<void> keep(int run, int shelf, const pipeline::Journal& journal);
  void close(int run, int shelf);

 private:
  struct Tag {
    Content content, previous;
    Duration since;
  };
  struct Late {
    int run, shelf;
    std::size_t tag;
    Content content;
    Duration due;
  };
  Result<void> refusal(std::size_t tag, Content content) const;
  void set(int run, int shelf, std::size_t tag, Content content);
  Result<void> require_lease(int run, int shelf) const;

  const Scene* scene_;
  std::vector<Tag> tags_;
  std::vector<Late> late_;
  Duration now_{0};
  std::size_t writes_ = 0;
};

}  // namespace crategate::simulation
