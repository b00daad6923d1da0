// Options and inputs, recognised.
// Belongs here: names and seed names → rows of the settings table, and their conflicts.  Not here: values (overlay,
// decode).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/settings.h"

namespace crategate::config {

/// What was given for one setting.
struct Entry {
  const Setting* setting;
  const SeedName* seed_name;  ///< null: given under the setting's own name
  std::string spelling;       ///< lower case
  std::string value;          ///< of the setting: a seed name's pattern is filled in
  Origin origin;
  /// Given as the seed's name of one axis value (`RUNTIME`): the value is an `only` item.
  bool is_axis_value() const { return seed_name != nullptr && seed_name->setting == "only"; }
};

/// One entry per option or input that says something; an empty input does not.
///
/// Errors: bad_input for an unknown name, and for one setting under two names, or twice at one place, with two values
Result<std::vector<Entry>> recognise(const std::vector<Given>& given);

/// The error for an option or input as a whole.
Failure bad_given(const Origin& origin, std::string message, std::string hint);

}  // namespace crategate::config
