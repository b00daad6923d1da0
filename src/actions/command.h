// Workflow commands: one line each (https://docs.github.com/actions/reference/workflow-commands-for-github-actions).
#pragma once

#include <string>
#include <string_view>

namespace crategate::actions {

/// `%`, CR and LF escaped; in a property also `:` and `,`.
std::string escape_data(std::string_view text);
std::string escape_property(std::string_view text);

/// Text for people: secrets redacted, every line neutralised, line feeds kept, cut at what the runner shows.
std::string presentable(std::string_view text);

}  // namespace crategate::actions
