// The role of whatever keeps the journal of a release, and its lease where there is one.
// Belongs here: what a keeper promises.  Not here: what the journal means (pipeline/release_protocol).
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "pipeline/journal.h"
#include "pipeline/lease.h"
#include "stages/workspace.h"
#include "sys/file_lock.h"
#include "sys/file_system.h"

namespace crategate::stages {

class JournalStore {
 public:
  struct Opened {
    std::optional<pipeline::Journal> journal;
    bool taken_over = false;  ///< from a holder whose lease ran out: a write of its may still be on its way
  };
  virtual ~JournalStore() = default;
  /// The last journal; takes no lease and changes nothing.
  virtual Result<std::optional<pipeline::Journal>> read() = 0;
  /// Takes the lease, where there is one, and reads the journal.
  /// Errors: conflict naming the holder and until when it holds.
  virtual Result<Opened> open() = 0;
  /// Durable when it returns, and whoever opens next reads it.
  /// Errors: conflict when the lease was lost; whatever kept the journal from being written.
  virtual Result<void> keep(const pipeline::Journal& journal) = 0;
  /// Before visible writes: the lease, where there is one, is ours for long enough to make them.
  /// Errors: conflict when it was lost.
  virtual Result<void> hold() = 0;
  /// Gives the lease back. A process that ends without that leaves it to its deadline.
  virtual Result<void> close() = 0;
  /// For people: where it lies.
  virtual std::string place() const = 0;
  /// Who has the lease, as the last read found it; nullopt where none is kept, and before anything was read.
  virtual std::optional<pipeline::SeenLease> lease() const { return std::nullopt; }
};

/// Below the state directory, one file for each set of images; atomic and synced. Its lease is a lock between the
/// processes of this machine.
class FileJournal final : public JournalStore {
 public:
  FileJournal(sys::FileSystem& files, Workspace workspace, std::string images);
  Result<std::optional<pipeline::Journal>> read() override;
  Result<Opened> open() override;
  Result<void> keep(const pipeline::Journal& journal) override;
  Result<void> hold() override { return {}; }
  Result<void> close() override;
  std::string place() const override;

 private:
  sys::FileSystem& files_;
  Workspace workspace_;
  std::string images_;
  sys::Path name_;  ///< below the state directory
  std::optional<sys::FileLock> lock_;
};

/// Of the journal of a set of images: readable, and its own for each set. `[a-z0-9._-]+`, at most 80 characters.
std::string journal_name(std::string_view images);

}  // namespace crategate::stages
