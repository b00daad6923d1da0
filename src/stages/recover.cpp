#include "stages/recover.h"

namespace crategate::stages {

Result<std::string> recover(const PublishInputs& in, const PublishServices& svc, bool back) {
  CG_TRY(const auto journal, svc.journal.read());
  const auto goal = back ? pipeline::protocol::Goal::back : pipeline::protocol::Goal::forward;
  CG_TRY(const bool found, settle(in, svc, goal));
  return found && journal ? journal->version : std::string();
}

}  // namespace crategate::stages
