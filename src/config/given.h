// Options and inputs, recognised.
// Belongs here: names and aliases → rows of the settings table, and their conflicts.  Not here: values (overlay,
// decode).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/settings.h"

namespace crategate::config {

/// What was given for one setting; the spelling is kept to compare aliases.
struct Entry {
  const Setting* setting;
  std::string spelling;  ///< lower case
  std::string value;
  Origin origin;
};

/// True for the seed's names of one axis value (`RUNTIME`): their entries carry an `only` item as value.
bool is_axis_alias(std::string_view spelling);

/// One entry per option or input that says something; an empty input does not.
///
/// Errors: bad_input for an unknown name, and for one setting under two names, or twice at one place, with two values
Result<std::vector<Entry>> recognise(const std::vector<Given>& given);

/// The error for an option or input as a whole.
Failure bad_given(const Origin& origin, std::string message, std::string hint);

}  // namespace crategate::config
