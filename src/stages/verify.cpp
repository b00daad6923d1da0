// verify: decide whether each candidate is the image that was built and tested.
#include "stages/verify.h"

#include "stages/rebuild.h"

namespace crategate::stages {

Result<Evidence> run_verify(const VerifyInputs& in, const VerifyServices& svc) {
  CG_TRY(const auto records, load_records(svc.files, in.workspace, in.cells));
  CG_TRY(const auto said, load_rebuilds(svc.files, in.workspace, in.plan));
  CG_TRY(const auto rebuilds, prove_rebuilds(in.workspace, said));
  return gather_evidence(in.plan, in.cells, records, rebuilds,
                         {in.configuration.gate.ignore_labels, in.run, in.attempt, in.key}, svc.reader);
}

}  // namespace crategate::stages
