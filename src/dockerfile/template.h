// Dockerfile templates: mustache with version conditions.
// Belongs here: text in, text out.  Not here: where templates and outputs lie (stages/generate).
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace crategate::dockerfile {

/// Variable → value. Values are inserted as they are (no HTML escaping).
using Variables = std::map<std::string, std::string>;

/// Renders `text` byte for byte; a section tag or comment alone on its line disappears with the line. `{{name}}`
/// inserts a variable; `{{#name}}…{{/name}}` and `{{^name}}…{{/name}}` depend on the variable being present and neither
/// empty nor "false"; `{{#python < 3.12}}…{{/python < 3.12}}` (also <= > >= == !=) compares dotted versions by
/// component; `{{! comment }}`. A value that contains mustache is inserted, never rendered.
/// Errors: bad_input at file:line:column for an unknown variable (with "did you mean"), an unclosed or crossed section,
/// a comparison of what is no version, partials (`{{> …}}`, refused), lambdas/set-delimiter (refused), output above 1
/// MiB.
Result<std::string> render(std::string_view text, const Variables& variables, std::string_view file_name);

}  // namespace crategate::dockerfile
