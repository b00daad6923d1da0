#include "app/options.h"

#include <algorithm>
#include <optional>
#include <set>

#include "base/product.h"
#include "base/strings.h"

namespace crategate::app {
namespace {

/// Options that are about printing and files, not settings of the project.
struct PlainOption {
  std::string_view name;
  bool CommandLine::*flag;         // what it sets, when it stands alone
  std::string CommandLine::*text;  // what it fills, when it has a value
  std::string_view description;
};

constexpr PlainOption kPlainOptions[] = {
    {"config", nullptr, &CommandLine::config_file, "Configuration file (default crategate.yml)."},
    {"workspace", nullptr, &CommandLine::workspace, "The project's directory (default the current one)."},
    {"json", &CommandLine::json, nullptr, "Machine output on stdout, log on stderr."},
    {"quiet", &CommandLine::quiet, nullptr, "Warnings and errors only."},
    {"verbose", &CommandLine::verbose, nullptr, "Also what the tools print."},
    {"no-color", &CommandLine::no_color, nullptr, "No colours (as NO_COLOR)."},
    {"log-format", nullptr, &CommandLine::log_format, "text or json."},
    {"help", &CommandLine::help, nullptr, "This text."},
    {"version", &CommandLine::version, nullptr, "The version of crategate."},
};
/// Of one command only.
struct OwnOption {
  std::string_view command;
  PlainOption option;
};
constexpr OwnOption kOwnOptions[] = {
    {"generate", {"check", &CommandLine::check_only, nullptr, "Write nothing; fail when committed files drift."}},
    {"cleanup", {"yes", &CommandLine::yes, nullptr, "Remove it: on a machine of yours nothing is removed unasked."}},
    {"digest",
     {"quick", &CommandLine::quick, nullptr,
      "--image docker:NAME as the engine describes it: nothing is copied or checked."}},
    {"ci-image gen",
     {"local-image", &CommandLine::local_image, nullptr, "In the image that ci-image build left here."}},
    {"ci-image regen",
     {"local-image", &CommandLine::local_image, nullptr, "In the image that ci-image build left here."}},
    {"ci-image shell",
     {"local-image", &CommandLine::local_image, nullptr, "In the image that ci-image build left here."}},
    {"ci-image prune", {"yes", &CommandLine::yes, nullptr, "Remove them: without it they are only listed."}},
    {"recover", {"forward", &CommandLine::forward, nullptr, "Finish it (the default)."}},
    {"recover", {"back", &CommandLine::back, nullptr, "Undo it: every tag names again what it named before."}},
};

/// As a first word: `crategate help build`.
constexpr std::string_view kHelp = "help";

const PlainOption* find_plain(std::string_view name, std::string_view command) {
  for (const auto& own : kOwnOptions)
    if (own.command == command && own.option.name == name) return &own.option;
  const auto found = std::ranges::find(kPlainOptions, name, &PlainOption::name);
  return found == std::end(kPlainOptions) ? nullptr : found;
}

const config::Setting* find_setting(std::string_view option, const CommandInfo* command) {
  const auto& table = config::settings_table();
  const auto named = [&](const std::string& wanted) -> const config::Setting* {
    const auto found = std::ranges::find_if(table, [&](const auto& row) {
      return config::option_name(row) == wanted || (!row.short_name.empty() && row.short_name == wanted);
    });
    return found == table.end() ? nullptr : &*found;
  };
  if (command != nullptr && command->name == "digest" && option == "image") return named("digest-image");
  if (command != nullptr && !command->section.empty()) {
    if (const auto* own = named(concat(command->section, "-", option))) return own;
  }
  return named(std::string(option));
}

Failure unknown_option(const std::string& written, const CommandInfo* command) {
  std::vector<std::string> names;
  const std::string own = command != nullptr && !command->section.empty() ? concat(command->section, "-") : "";
  for (const auto& row : config::settings_table()) {
    names.push_back(config::option_name(row));
    if (!own.empty() && names.back().starts_with(own)) names.push_back(names.back().substr(own.size()));
  }
  for (const auto& row : kPlainOptions) names.emplace_back(row.name);
  const auto near = nearest(written.substr(std::min(written.find_first_not_of('-'), written.size())), names);
  return fail(ErrorCode::bad_input, concat("unknown option ", quote(written)),
              concat(near ? concat("Did you mean --", *near, "? ") : std::string(), "`crategate ",
                     command != nullptr ? concat(command->name, " ") : std::string(), "--help` lists the options."));
}

/// The second words of the commands that begin with this one.
std::vector<std::string> second_words(std::string_view first) {
  std::vector<std::string> words;
  for (const auto& row : command_table())
    if (row.name.starts_with(concat(first, " "))) words.emplace_back(row.name.substr(first.size() + 1));
  return words;
}

Failure unknown_command(const std::string& written, const std::string& next) {
  if (const auto words = second_words(written); !words.empty()) {
    const auto near = nearest(next, words);
    return fail(
        ErrorCode::bad_input,
        concat(written, ": expected one of ", join(words, ", "), ", found ", next.empty() ? "nothing" : quote(next)),
        concat(near ? concat("Did you mean ", written, " ", *near, "? ") : std::string(), "`crategate ", written, " ",
               near.value_or(words.front()), " --help` shows an example."));
  }
  std::vector<std::string> names;
  for (const auto& row : command_table()) {
    if (row.hidden) continue;
    names.emplace_back(row.name);
    names.emplace_back(row.name.substr(0, row.name.find(' ')));  // a group
  }
  const auto near = nearest(written, names);
  return fail(ErrorCode::bad_input, concat("unknown command ", quote(written)),
              concat(near ? concat("Did you mean ", *near, "? ") : std::string(), "`crategate --help` lists them."));
}

struct Parser {
  const std::vector<std::string>& arguments;
  std::size_t next = 0;
  CommandLine line;
  const CommandInfo* command = nullptr;
  std::set<std::string_view> seen;  // of the options with a value

  Result<std::string> value_of(const std::string& name, const std::optional<std::string>& attached) {
    if (attached) return *attached;
    if (next < arguments.size()) return arguments[next++];
    return fail(ErrorCode::bad_input, concat("--", name, ": expected a value, found the end of the command line"),
                concat("Write --", name, "=VALUE."));
  }

  Result<void> plain(const PlainOption& option, const std::optional<std::string>& attached) {
    if (option.flag != nullptr) {
      if (attached) {
        return fail(ErrorCode::bad_input, concat("--", option.name, ": expected no value, found ", quote(*attached)),
                    concat("Write --", option.name, " alone."));
      }
      line.*option.flag = true;
      return {};
    }
    CG_TRY(const auto value, value_of(std::string(option.name), attached));
    if (!seen.insert(option.name).second) {
      return fail(ErrorCode::bad_input, concat("--", option.name, ": expected once, found twice"), "Give it once.");
    }
    if (option.text == &CommandLine::log_format && value != "text" && value != "json") {
      return fail(ErrorCode::bad_input, concat("--log-format: expected text or json, found ", quote(value)),
                  "Write --log-format=json.");
    }
    line.*option.text = value;
    return {};
  }

  /// A flag may stand alone; everything else has a value.
  Result<std::string> setting_value(const config::Setting& row, const std::string& written,
                                    const std::optional<std::string>& attached) {
    if (row.type != config::SettingType::boolean || attached) return value_of(written, attached);
    const bool follows = next < arguments.size() && (arguments[next] == "true" || arguments[next] == "false");
    return follows ? arguments[next++] : "true";
  }

  void give(const std::string& option, const std::string& value, const std::string& written) {
    line.given.push_back(
        {option, value, {.kind = config::OriginKind::command_line, .where = {}, .name = concat("--", written)}});
  }

  Result<void> seed_name(const config::SeedName& row, const std::string& written,
                         const std::optional<std::string>& attached) {
    CG_TRY(const std::string value, setting_value(*config::find_setting(row.setting), written, attached));
    give(std::string(row.name), value, written);
    return {};
  }

  Result<void> setting(const config::Setting& row, const std::string& written,
                       const std::optional<std::string>& attached) {
    CG_TRY(const std::string value, setting_value(row, written, attached));
    const std::string option = config::option_name(row);
    const auto earlier = std::ranges::find(line.given, option, &config::Given::option);
    if (earlier == line.given.end()) {
      give(option, value, written);
      return {};
    }
    if (row.type != config::SettingType::list) {
      return fail(ErrorCode::bad_input, concat("--", written, ": expected once, found twice"), "Give it once.");
    }
    earlier->value += concat("\n", value);
    return {};
  }

  Result<void> option(const std::string& argument) {
    std::string name = argument.substr(2);
    std::optional<std::string> attached;
    if (const auto equals = name.find('='); equals != std::string::npos) {
      attached = name.substr(equals + 1);
      name.resize(equals);
    }
    if (const auto* found = find_plain(name, line.command)) return plain(*found, attached);
    if (const auto* found = find_setting(name, command)) return setting(*found, name, attached);
    if (const auto* found = config::find_seed_name(name)) return seed_name(*found, name, attached);
    return unknown_option(concat("--", name), command);
  }

  Result<void> positional(const std::string& argument) {
    line.positional.push_back(argument);
    if (line.positional.size() <= command->most_words) return {};
    return fail(ErrorCode::bad_input,
                concat(command->name, ": expected ",
                       command->words.empty() ? std::string("options only") : concat("no more than ", command->words),
                       ", found ", quote(argument)),
                concat("`crategate ", command->name, " --help` lists the options."));
  }

  Result<void> word(const std::string& argument) {
    if (argument.starts_with('-')) return unknown_option(argument, command);
    if (command != nullptr) return positional(argument);
    if (argument == kHelp && !line.help) {
      line.help = true;
      return {};
    }
    command = find_command(argument);
    if (command == nullptr && next < arguments.size()) {
      command = find_command(concat(argument, " ", arguments[next]));
      if (command != nullptr) ++next;
    }
    // A group without a command: its help may be wanted.
    if (command == nullptr && (next == arguments.size() || arguments[next].starts_with('-')) && line.group.empty() &&
        !second_words(argument).empty()) {
      line.group = argument;
      return {};
    }
    if (command == nullptr) return unknown_command(argument, next < arguments.size() ? arguments[next] : std::string());
    line.command = command->name;
    return {};
  }
};

/// Shown in the help of its own commands only.
bool belongs_to_artifacts(const config::Setting& setting) { return setting.name.starts_with("artifact-"); }

}  // namespace

Result<CommandLine> parse_command_line(const std::vector<std::string>& arguments) {
  Parser parser{.arguments = arguments, .line = {}};
  while (parser.next < arguments.size()) {
    const std::string& argument = arguments[parser.next++];
    if (argument == "-h") {
      parser.line.help = true;
    } else if (argument.starts_with("--") && argument.size() > 2) {
      CG_CHECK(parser.option(argument));
    } else {
      CG_CHECK(parser.word(argument));
    }
  }
  CommandLine& line = parser.line;
  const bool is_group = !line.group.empty() && line.command.empty();
  if (is_group && !line.help && !line.version) return unknown_command(line.group, "");
  if (!is_group) line.group.clear();
  return std::move(line);
}

std::string group_help(std::string_view group) {
  std::string text, example;
  for (const auto& info : command_table()) {
    if (info.hidden || !info.name.starts_with(concat(group, " "))) continue;
    if (example.empty()) example = info.example;
    const std::string name = concat(info.name, info.words.empty() ? "" : " ", info.words);
    text += concat("  ", name, std::string(name.size() < 42 ? 42 - name.size() : 1, ' '), info.summary, "\n");
  }
  return concat("  ", example, "\n\nUsage: crategate ", group, " COMMAND [OPTIONS]\n\nCommands:\n", text,
                "\n`crategate ", group, " COMMAND --help` shows the options of one.\nhttps://github.com/", kRepository,
                "\n");
}

std::string help_text(const CommandInfo* command) {
  std::string text;
  const auto row = [&text](std::string_view name, std::string_view description) {
    text += concat("  ", name, std::string(name.size() < 24 ? 24 - name.size() : 1, ' '), description, "\n");
  };
  if (command == nullptr) {
    text =
        "Publish exactly the images that were tested, all of them or none.\n\n"
        "  crategate run --to localhost:5000        the whole pipeline on this machine\n\n"
        "Usage: crategate COMMAND [OPTIONS]\n\nCommands:\n";
    for (const auto& info : command_table()) {
      if (!info.hidden) row(info.name, info.summary);
    }
    text += "\nGlobal options:\n";
  } else {
    text = concat("  ", command->example, "\n\n",
                  command->words.empty()
                      ? std::string()
                      : concat("Usage: crategate ", command->name, " ", command->words, " [OPTIONS]\n\n"),
                  command->summary, "\n", command->details.empty() ? "" : "\n", command->details,
                  command->details.empty() ? "" : "\n", "\nOptions:\n");
    for (const auto& own : kOwnOptions)
      if (own.command == command->name) row(concat("--", own.option.name), own.option.description);
    for (const auto& setting : config::settings_table()) {
      const std::string option = config::option_name(setting);
      const bool own = !command->section.empty() && option.starts_with(concat(command->section, "-"));
      if (own) row(concat("--", option.substr(command->section.size() + 1)), setting.description);
    }
    text += "\nSettings of one invocation:\n";
  }
  for (const auto& setting : config::settings_table()) {
    if (!setting.file && !belongs_to_artifacts(setting))
      row(concat("--", config::option_name(setting), setting.secret ? " env:NAME" : ""), setting.description);
  }
  for (const auto& option : kPlainOptions) row(concat("--", option.name), option.description);
  text += concat("\nEvery setting of crategate.yml is an option, too: docs/configuration.md.\nhttps://github.com/",
                 kRepository, "\n");
  return text;
}

}  // namespace crategate::app
