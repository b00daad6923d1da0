#include "app/action_inputs.h"

#include <algorithm>
#include <map>

#include "actions/names.h"
#include "actions/workflow.h"
#include "base/strings.h"

namespace crategate::app {
namespace {

using Inputs = std::map<std::string, std::string>;

std::string value_of(const Inputs& inputs, const std::string& name) {
  const auto found = inputs.find(name);
  return found == inputs.end() ? std::string() : found->second;
}

std::vector<std::string> stage_names() {
  std::vector<std::string> names;
  for (const auto& row : command_table()) {
    if (!row.hidden) names.emplace_back(row.stage.empty() ? row.name : row.stage);
  }
  return names;
}

/// By either name.
const CommandInfo* find_stage(std::string_view name) {
  const auto& table = command_table();
  const auto named =
      std::ranges::find_if(table, [name](const auto& row) { return !row.stage.empty() && row.stage == name; });
  return named == table.end() ? find_command(name) : &*named;
}

/// A stage is the name of a command and nothing else: what follows a command on a command line has inputs of its own.
Result<void> take_stage(CommandLine& line, const std::string& stage) {
  if (stage.empty()) {
    if (!line.command.empty() || line.help || line.version) return {};
    return fail(ErrorCode::bad_input,
                concat("input stage: expected one of ", join(stage_names(), ", "), ", found nothing"),
                "Write `with: {stage: plan}`.");
  }
  const auto* const command = find_stage(stage);
  if (command == nullptr || command->hidden) {
    const auto near = nearest(stage, stage_names());
    return fail(ErrorCode::bad_input,
                concat("input stage: expected one of ", join(stage_names(), ", "), ", found ", quoted(stage, 40)),
                near ? concat("Did you mean ", *near, "?") : std::string("docs/action.md lists the stages."));
  }
  if (line.command.empty()) line.command = command->name;
  if (line.command == command->name) return {};
  return fail(ErrorCode::bad_input,
              concat("input stage: expected what the command line says, ", line.command, ", found ", stage),
              "Give the stage, or args; not both.");
}

Result<void> take_flag(bool& flag, const Inputs& inputs, const std::string& name) {
  const std::string word = value_of(inputs, name);
  if (word == "true" || word == "True" || word == "TRUE") flag = true;
  if (flag || word.empty() || word == "false" || word == "False" || word == "FALSE") return {};
  return fail(ErrorCode::bad_input, concat("input ", name, ": expected true or false, found ", quoted(word, 40)),
              concat("Write `", name, ": true`, or leave it out."));
}

/// A flag that means something to one stage only.
Result<void> take_flag_of(std::string_view stage, bool& flag, const Inputs& inputs, const std::string& name,
                          std::string_view command) {
  bool given = flag;
  CG_CHECK(take_flag(given, inputs, name));
  if (given && !flag && command != find_stage(stage)->name) {
    return fail(ErrorCode::bad_input,
                concat("input ", name, ": expected the stage ", stage, ", found ", quote(command)),
                concat("Leave ", name, " out, or give it to the stage ", stage, "."));
  }
  flag = given;
  return {};
}

}  // namespace

const std::vector<ActionInput>& action_inputs() {
  static const std::vector<ActionInput> inputs = {
      {"stage", "Stage to run, the name of a command: plan, check, build, push, artifact upload and so on."},
      {"config", "Configuration file (default crategate.yml)."},
      {"workspace", "The project's directory, for a project that is not at the root of the repository."},
      {"check", "Whether generate writes nothing and fails when committed files drift."},
      {"remove", "Whether prune-ci-image removes the tags that it lists."},
      {"quiet", "Whether only warnings and errors are printed."},
      {"verbose", "Whether what the tools print is printed, too."},
  };
  return inputs;
}

Result<CommandLine> with_action_inputs(CommandLine line, const sys::Environment& environment) {
  if (environment.get(actions::kActions).value_or("") != "true") return line;
  std::vector<std::string> names;
  for (const auto& input : action_inputs()) names.emplace_back(input.name);
  CG_TRY(const Inputs inputs, actions::read_inputs(environment, names));
  CG_CHECK(take_stage(line, value_of(inputs, "stage")));
  if (line.config_file.empty()) line.config_file = value_of(inputs, "config");
  if (line.workspace.empty()) line.workspace = value_of(inputs, "workspace");
  CG_CHECK(take_flag_of("generate", line.check_only, inputs, "check", line.command));
  CG_CHECK(take_flag_of("prune-ci-image", line.yes, inputs, "remove", line.command));
  CG_CHECK(take_flag(line.quiet, inputs, "quiet"));
  CG_CHECK(take_flag(line.verbose, inputs, "verbose"));
  return line;
}

}  // namespace crategate::app
