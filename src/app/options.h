// The command line: which command, which settings, and how to print.
// Belongs here: argv → values.  Not here: what settings mean (config/settings).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "base/result.h"
#include "config/settings.h"

namespace crategate::app {

/// A row of the command table.
struct CommandInfo {
  std::string_view name;     ///< one word, or two (`artifact upload`)
  std::string_view section;  ///< its own settings go without this prefix: `crategate test --timeout`
  std::string_view summary;
  std::string_view example;
  std::string_view details;
  std::string_view words = {};  ///< what may follow that is no option: `NAME PATH...`; empty = nothing
  std::size_t most_words = 0;
  bool hidden = false;          ///< crategate runs it itself, in a container: no help lists it
  std::string_view stage = {};  ///< its other name as the action's `stage`, or empty
};

const std::vector<CommandInfo>& command_table();
const CommandInfo* find_command(std::string_view name);

struct CommandLine {
  std::string command;
  std::string group;  ///< of commands, whose help is wanted: `crategate registry --help`
  std::vector<std::string> positional;
  std::vector<config::Given> given;
  std::string config_file;  ///< `--config`; empty = crategate.yml, if there is one
  std::string workspace;    ///< `--workspace`; empty = GITHUB_WORKSPACE or the current directory
  bool help = false, version = false, json = false, quiet = false, verbose = false, no_color = false;
  bool check_only = false;             ///< `generate --check`
  bool yes = false;                    ///< `cleanup --yes`
  bool forward = false, back = false;  ///< of `recover`
  bool quick = false;                  ///< `digest --image … --quick`
  bool local_image = false;            ///< `ci-image gen --local-image`
  std::string log_format = "text";     ///< `text` or `json`
};

/// `--name value`, `--name=value`; booleans may stand alone; a list option may be repeated.
/// Errors: bad_input for an unknown command or option, with "did you mean".
Result<CommandLine> parse_command_line(const std::vector<std::string>& arguments);

/// `crategate --help`, or the help of one command: an example first.
std::string help_text(const CommandInfo* command);
/// The commands that begin with this word.
std::string group_help(std::string_view group);

}  // namespace crategate::app
