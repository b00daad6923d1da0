#include "pipeline/gate_reason.h"

#include "base/product.h"
#include "base/strings.h"

namespace crategate::pipeline {

std::string_view to_string(Reason reason) {
  switch (reason) {
    case Reason::record_missing:
      return "record-missing";
    case Reason::record_unreadable:
      return "record-unreadable";
    case Reason::record_foreign:
      return "record-foreign";
    case Reason::signature_invalid:
      return "signature-invalid";
    case Reason::digest_text_differs:
      return "digest-text-differs";
    case Reason::tests_not_passed:
      return "tests-not-passed";
    case Reason::scan_not_passed:
      return "scan-not-passed";
    case Reason::candidate_missing:
      return "candidate-missing";
    case Reason::candidate_swapped:
      return "candidate-swapped";
    case Reason::config_differs:
      return "config-differs";
    case Reason::layer_differs:
      return "layer-differs";
    case Reason::platform_differs:
      return "platform-differs";
    case Reason::empty_evidence:
      return "empty-evidence";
    case Reason::content_differs:
      return "content-differs";
  }
  return "record-unreadable";
}

std::string help_address(Reason reason) {
  return concat("https://github.com/", kRepository, "/blob/main/docs/gate.md#", to_string(reason));
}

std::string remedy_for(Reason reason, std::string_view cell) {
  std::string again = concat("crategate build --cell ", cell, ", then test and digest");
  switch (reason) {
    case Reason::record_missing:
      return concat("run the cell to its end: ", again);
    case Reason::record_unreadable:
      return concat("do not edit or copy records; make it again: ", again);
    case Reason::record_foreign:
      return concat("use the records of this plan and commit only; make it again: ", again);
    case Reason::signature_invalid:
      return concat("give every job the same secret; if it is, find out who wrote the record; make it again: ", again);
    case Reason::digest_text_differs:
      return concat("do not edit the file; make it again: crategate digest --cell ", cell);
    case Reason::tests_not_passed:
      return concat("make the tests pass, then run: ", again);
    case Reason::scan_not_passed:
      return concat("scan the image that is to be published, and mend what is found: ", again);
    case Reason::candidate_missing:
      return concat("store the tested image again (it may have been garbage-collected): ", again);
    case Reason::candidate_swapped:
      return concat("find out who wrote to the candidate repository, then run: ", again);
    case Reason::config_differs:
      return concat("the image's configuration is not the tested one; rebuild and test: ", again);
    case Reason::layer_differs:
      return concat("the image's content is not the tested one; rebuild and test: ", again);
    case Reason::platform_differs:
      return concat("build for the platform of the plan: ", again);
    case Reason::empty_evidence:
      return concat("no image stands behind this value; build one that has layers: ", again);
    case Reason::content_differs:
      return concat("find out what the build takes from its time and place, or use gate.mode: promote; ", again);
  }
  return again;
}

}  // namespace crategate::pipeline
