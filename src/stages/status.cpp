#include "stages/status.h"

#include "stages/survey.h"
#include "sys/parallel.h"

namespace crategate::stages {
namespace {

constexpr std::size_t kAtATime = 64;

}  // namespace

Result<render::ReleaseStatus> read_status(JournalStore& journal, registry::RegistryReader& reader) {
  render::ReleaseStatus status{.where = journal.place()};
  CG_TRY(status.journal, journal.read());
  if (!status.journal) return status;
  const auto& moves = status.journal->moves;
  status.seen.resize(moves.size());
  CG_CHECK(sys::for_each_parallel(moves.size(), kAtATime, [&](std::size_t i) -> Result<void> {
    CG_TRY(const auto tag, tag_reference(moves[i].repository, moves[i].tag));
    CG_TRY(status.seen[i], reader.digest(tag));
    return {};
  }));
  return status;
}

}  // namespace crategate::stages
