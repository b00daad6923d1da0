// Why the gate refuses: the closed list of its reasons.
// Belongs here: their names, remedies and places in the documentation.  Not here: when each applies (gate).
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace crategate::pipeline {

/// Stable ids; each has a section in docs/gate.md.
enum class Reason : unsigned char {
  record_missing,
  record_unreadable,
  record_foreign,
  signature_invalid,
  digest_text_differs,
  tests_not_passed,
  scan_not_passed,
  candidate_missing,
  candidate_swapped,
  config_differs,
  layer_differs,
  platform_differs,
  empty_evidence,
  content_differs,
};
inline constexpr std::array kReasons = {
    Reason::record_missing,      Reason::record_unreadable, Reason::record_foreign,  Reason::signature_invalid,
    Reason::digest_text_differs, Reason::tests_not_passed,  Reason::scan_not_passed, Reason::candidate_missing,
    Reason::candidate_swapped,   Reason::config_differs,    Reason::layer_differs,   Reason::platform_differs,
    Reason::empty_evidence,      Reason::content_differs};
std::string_view to_string(Reason reason);  ///< `record-missing`
std::string help_address(Reason reason);    ///< of its section
/// What to do for that cell.
std::string remedy_for(Reason reason, std::string_view cell);

}  // namespace crategate::pipeline
