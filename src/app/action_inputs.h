// The inputs of the action that are no settings: which stage, which file, how much is printed.
// Belongs here: inputs → CommandLine.  Not here: settings (config/settings), the grammar of inputs (actions/workflow).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/options.h"
#include "base/result.h"
#include "sys/environment.h"

namespace crategate::app {

/// action.yml lists these, and then every setting.
struct ActionInput {
  std::string_view name;
  std::string_view description;
};

const std::vector<ActionInput>& action_inputs();

/// A runner starts the container without words: the input `stage` is the command, `config` is `--config`, and so on.
/// Outside a runner, and for what the command line says already, nothing is read.
/// Errors: bad_input for a stage that there is not (with the list), for a stage and a command that differ, for a word
/// that is no boolean.
Result<CommandLine> with_action_inputs(CommandLine line, const sys::Environment& environment);

}  // namespace crategate::app
