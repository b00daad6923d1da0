// The registries that the conformance suite asks, and what each of them cannot do, with the reason.
// Belongs here: facts about registries.  Not here: the cases.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "support/strict_registry.h"

namespace crategate::conformance {

/// What a case may need. A registry that lacks it gets the documented fallback asserted instead.
enum class Ability : unsigned char {
  mount,               ///< answers a mount with 201
  remove,              ///< deletes manifests
  remove_with_tags,    ///< the tags of a manifest that is deleted go with it
  remove_tag,          ///< deletes a tag and keeps its manifest
  move_tag,            ///< lets a tag move
  keep_untagged,       ///< serves a manifest by digest that has no tag any more
  explain_absence,     ///< a 404 names the registry's error code
  verify_blobs,        ///< refuses a manifest whose blobs it does not have
  verify_children,     ///< refuses an index whose manifests it does not have
  know_empty,          ///< knows a repository that has no tag
  accept_large,        ///< takes 5 MiB in one request
  list_referrers,      ///< has the referrers API; else a tag lists them, which we keep
  tell_artifact_type,  ///< lists a referrer with its own type
  separate_blobs,      ///< a blob belongs to the repository that it was pushed to
};

struct Subject {
  std::string name, kind;  ///< "strict", or of a real registry as in CRATEGATE_REGISTRIES
  test::StrictRegistry::Options options = {};
  std::string host = {}, auth = "none", username = {}, password = {};  ///< of a real one
  std::string reader = {}, reader_password = {};  ///< of a real one that knows who may only pull; empty = it does not
  bool is_real() const { return kind != "strict"; }
  bool has_reader() const { return !is_real() || !reader.empty(); }
  bool asks_login() const { return is_real() ? auth != "none" : options.auth != test::RegistryAuth::none; }
  bool has(test::RegistryQuirk quirk) const { return !is_real() && options.rules.has(quirk); }
};

/// The strict registry with each login and each quirk, then those of the JSON file CRATEGATE_REGISTRIES.
const std::vector<Subject>& subjects();
/// For messages.
void PrintTo(const Subject& subject, std::ostream* stream);
/// Why it cannot; empty = it can.
std::string reason_against(const Subject& subject, Ability ability);

}  // namespace crategate::conformance
