#include "stages/status.h"

#include "base/strings.h"
#include "stages/survey.h"
#include "sys/parallel.h"

namespace crategate::stages {
namespace {

/// For people, who may paste it.
std::string commit_of(const pipeline::Journal& journal) {
  const bool is_id =
      !journal.commit.empty() && journal.commit.find_first_not_of("0123456789abcdef") == std::string::npos;
  return is_id ? journal.commit : std::string("its commit");
}

}  // namespace

Result<void> require_own_tags(const pipeline::Journal& journal, const pipeline::Plan& plan, const std::string& place) {
  const auto* const stranger = pipeline::find_stranger(journal, plan);
  if (stranger == nullptr) return {};
  return fail(
      ErrorCode::gate_refused,
      concat(place, ": expected tags of this plan's repositories, found ", quoted(stranger->repository, 200), ":",
             stranger->tag),
      concat("No registry was asked, and nothing is written. If that release was of this project, plan it again (check "
             "out ",
             commit_of(journal),
             ", `crategate plan`, `crategate recover`); "
             "if it was not, look at its tags, and move the journal away."));
}

Result<render::ReleaseStatus> read_status(const pipeline::Plan& plan, JournalStore& journal,
                                          registry::RegistryReader& reader) {
  render::ReleaseStatus status{.journal = {}, .seen = {}, .where = journal.place(), .lease = {}};
  CG_TRY(status.journal, journal.read());
  status.lease = journal.lease();
  if (!status.journal) return status;
  CG_CHECK(require_own_tags(*status.journal, plan, status.where));
  const auto& moves = status.journal->moves;
  status.seen.resize(moves.size());
  CG_CHECK(sys::for_each_parallel(moves.size(), kTagsAtATime, [&](std::size_t i) -> Result<void> {
    CG_TRY(const auto tag, tag_reference(moves[i].repository, moves[i].tag));
    CG_TRY(status.seen[i], reader.digest(tag));
    return {};
  }));
  return status;
}

}  // namespace crategate::stages
