#include "stages/recover.h"

#include <utility>

namespace crategate::stages {

Result<std::optional<render::ReleaseStatus>> recover(const PublishInputs& in, const PublishServices& svc, bool back) {
  const auto goal = back ? pipeline::protocol::Goal::back : pipeline::protocol::Goal::forward;
  CG_TRY(auto settled, settle(in, svc, goal));
  if (!settled) return std::nullopt;
  return render::ReleaseStatus{std::move(settled->journal), std::move(settled->seen), svc.journal.place(),
                               std::nullopt};
}

}  // namespace crategate::stages
