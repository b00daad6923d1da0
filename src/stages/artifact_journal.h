// The journal of a release as artifacts of the workflow run, for runners that keep no disk.
// Belongs here: one artifact for each state of the journal.  Not here: archives (zip), artifacts (actions).
//
// What it can: a re-run of failed jobs, on whatever machine, finds what its earlier attempts have left, because
// artifacts belong to the run. What it cannot: another run of the workflow does not see it (there the registry and,
// where the machine is kept, the local file speak), and it is no lease: two runs at once are kept apart by the
// workflow's `concurrency` alone. Two jobs of one run are noticed: both want the same next number.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "actions/artifact_store.h"
#include "pipeline/maker.h"
#include "stages/journal_store.h"

namespace crategate::stages {

/// `release-journal-<journal_name>-<NNNN>` with `journal.json`; the highest number counts. What was kept is never
/// replaced. The same goes into the local file, unless that has the only word of another run's open release.
class ArtifactJournal final : public JournalStore {
 public:
  struct Settings {
    int retention_days = 0;  ///< 0 = as the service does
    pipeline::Maker maker;
  };
  /// Asked anew each time: a cancelled run works with another store than before.
  using Store = std::function<Result<actions::ArtifactStore*>()>;
  ArtifactJournal(Store store, sys::FileSystem& files, Workspace workspace, std::string images, Settings settings);
  /// Of the run, whatever its attempt; the local file where that has none. Where there are both: what the run has open
  /// counts, unless the file knows what became of that very transaction; else what another run has left open in the
  /// file; else the one that began later.
  /// Errors: artifact_service, integrity, bad_input for what is no journal of these images.
  Result<std::optional<pipeline::Journal>> read() override;
  Result<Opened> open() override;
  /// Errors: conflict when somebody else has kept one since.
  Result<void> keep(const pipeline::Journal& journal) override;
  Result<void> hold() override { return {}; }
  Result<void> close() override { return {}; }
  std::string place() const override;

 private:
  enum class Gave : unsigned char { ours, taken, unfinished };
  Result<Gave> give(const std::string& name, const pipeline::Journal& journal);
  Result<std::map<std::uint64_t, actions::Artifact>> list_numbers();
  Result<std::optional<actions::Artifact>> find_newest();
  Result<pipeline::Journal> load(const actions::Artifact& artifact);
  bool counts(const pipeline::Journal& file, const pipeline::Journal& of_run) const;
  /// Of what this run began its artifacts know more than any file.
  bool is_left_open_elsewhere(const pipeline::Journal& file, const pipeline::Journal& of_run) const;
  std::string name_of(std::uint64_t number) const;

  Store store_;
  sys::FileSystem& files_;
  FileJournal local_;
  std::string images_, prefix_;
  Settings settings_;
  std::optional<std::uint64_t> newest_;  ///< number; nullopt = not looked up yet
  bool file_stays_ = false;              ///< it has open what another run has left, and is not written over
};

}  // namespace crategate::stages
