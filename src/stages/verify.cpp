// verify: decide whether each candidate is the image that was built and tested.
#include "stages/verify.h"

namespace crategate::stages {

Result<Evidence> run_verify(const VerifyInputs& in, const VerifyServices& svc) {
  if (in.configuration.gate.mode != config::GateMode::promote) {
    return fail(ErrorCode::bad_input, "gate.mode: expected promote, found rebuild",
                "This version publishes the tested image itself (promote); remove gate.mode.");
  }
  return gather_evidence(in.plan, in.cells, in.workspace, in.configuration.gate.ignore_labels, svc.files, svc.reader,
                         in.run);
}

}  // namespace crategate::stages
