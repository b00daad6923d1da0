// Patterns → names, and the checks that each name passes before anything is built.
#include "pipeline/names.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/file_name.h"
#include "base/strings.h"
#include "oci/reference.h"
#include "pipeline/planned_tags.h"

namespace crategate::pipeline {
namespace {

constexpr std::size_t kTagLimit = 128;
constexpr std::size_t kDateLength = 9;  // -YYYYMMDD
constexpr std::size_t kKeyLimit = 100;
constexpr std::size_t kPathLimit = 1024;
constexpr std::string_view kPlainTestLog = "tests/logs/test-{cell}.log";

using Values = std::map<std::string, std::string>;

Failure refused(std::string_view setting, std::string_view expected, std::string_view found, std::string hint) {
  return fail(ErrorCode::bad_input, concat(setting, ": expected ", expected, ", found ", quoted(found)),
              std::move(hint));
}

/// A name that the grammar of references refuses, as a failure of the setting that it comes from.
Failure from_setting(Error error, std::string_view setting) {
  if (error.hint.empty()) error.hint = concat("Change the setting `", setting, "`.");
  return fail(std::move(error).within(std::string(setting)));
}

Result<void> check_key(std::string_view key) {
  const bool plain = std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
  });
  if (plain && !key.empty() && key.size() <= kKeyLimit && key[0] != '.' && key[0] != '-') return {};
  return refused("cell", "a key of letters, digits, '.', '_' and '-', at most 100, the first no '.' or '-'", key,
                 "Change the pattern `cell`.");
}

/// Relative, below the workspace, without detours.
Result<std::string> path_from(std::string_view pattern, const Values& values, std::string_view setting) {
  CG_TRY(auto path, expand_pattern(pattern, values, setting));
  bool fine = !path.empty() && path.size() <= kPathLimit && path.find('\\') == std::string::npos;
  fine = fine && has_one_spelling(path) &&
         std::none_of(path.begin(), path.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; });
  const std::string_view first = std::string_view(path).substr(0, path.find('/'));
  if (first == ".git" || first == ".crategate" || path == "crategate.yml")
    return refused(setting, "a path that is neither git's nor crategate's own", path,
                   concat("Change the pattern `", setting, "`."));
  if (fine && is_valid_utf8(path)) return path;
  return refused(setting, "a path below the workspace, without '.', '..' and empty parts", path,
                 concat("Change the pattern `", setting, "`."));
}

/// The repository at the destination: `prefix` takes the place of the registry.
Result<std::string> placed(const oci::Repository& repository, const Destination& destination) {
  if (destination.layout || destination.prefix.empty()) return repository.familiar();
  const bool on_hub = repository.registry == "docker.io";
  const std::string_view prefix =
      std::string_view(destination.prefix).substr(0, destination.prefix.find_last_not_of('/') + 1);
  const std::string host(prefix.substr(0, prefix.find('/')));
  if (host != "localhost" && host.find_first_of(".:") == std::string::npos) {
    return refused("--to", "a registry host, such as localhost:5000 or docker.io", destination.prefix,
                   "Write --to HOST[:PORT][/PATH].");
  }
  const std::string name = concat(prefix, "/", on_hub ? repository.familiar() : repository.path);
  const auto moved = oci::parse_repository(name);
  if (!moved) return from_setting(moved.error(), "--to");
  return moved->familiar();
}

Result<std::string> repository_from(std::string_view pattern, const Values& values, std::string_view setting,
                                    const Destination& destination) {
  CG_TRY(const auto name, expand_pattern(pattern, values, setting));
  const auto repository = oci::parse_repository(to_lower(name));
  if (!repository) return from_setting(repository.error(), setting);
  return placed(*repository, destination);
}

/// `repository[:tag]`; `latest` where the pattern names no tag.
Result<std::string> reference_from(const std::string& pattern, const Values& values, std::string_view setting,
                                   const Destination& destination) {
  CG_TRY(const auto text, expand_pattern(pattern, values, setting));
  const auto colon = text.rfind(':');
  const bool tagged = colon != std::string::npos && text.find('/', colon) == std::string::npos;
  const std::string name = to_lower(text.substr(0, tagged ? colon : text.size()));
  const auto repository = oci::parse_repository(name);
  if (!repository) return from_setting(repository.error(), setting);
  CG_TRY(const auto where, placed(*repository, destination));
  const std::string written = tagged ? text.substr(colon + 1) : "latest";
  const auto tag = oci::parse_tag(written);
  if (!tag) return from_setting(tag.error(), setting);
  return concat(where, ":", *tag);
}

Result<std::string> cache_from(const std::string& pattern, const Values& values, const Destination& destination) {
  if (pattern.empty() || destination.layout) return std::string();
  return reference_from(pattern, values, "cache", destination);
}

Result<std::vector<std::string>> tags_from(const config::Configuration& configuration, const Values& values,
                                           bool dated) {
  if (configuration.tags.empty()) {
    return fail(ErrorCode::bad_input, "tags: expected at least one tag, found none",
                "Set tags: [\"{version}\"], or leave `tags` out.");
  }
  std::vector<std::string> tags;
  for (const auto& pattern : configuration.tags) {
    CG_TRY(const auto text, expand_pattern(pattern, values, "tags"));
    const auto tag = oci::parse_tag(text);
    if (!tag) return from_setting(tag.error(), "tags");
    if (dated && tag->size() + kDateLength > kTagLimit) {
      return refused("tags", "at most 119 characters, so that -YYYYMMDD fits behind", *tag, "Shorten the pattern.");
    }
    tags.push_back(*tag);
  }
  return tags;
}

Result<void> define(Values& variables, const std::string& name, const std::string& value) {
  const auto [known, is_new] = variables.emplace(name, value);
  if (is_new || known->second == value) return {};
  return fail(ErrorCode::bad_input,
              concat("variable ", name, ": expected one value in a cell, found ", quoted(known->second), " and ",
                     quoted(value)),
              "Two axes (or an axis and its values' variables) use the same name: rename one.");
}

/// Axis values, `version`, `cell`, and the values' own variables. A variable that only some values of an axis define is
/// empty for the others, so that a template can ask for it.
Result<Values> variables_of(const config::Combination& axes, const Values& names,
                            const config::Configuration& configuration) {
  Values variables = names;
  for (const auto& axis : configuration.axes) {
    const auto own = axis.variables.find(axes.at(axis.name));
    Values defined;
    for (const auto& [value, table] : axis.variables) {
      for (const auto& [name, text] : table) defined.emplace(name, std::string());
    }
    if (own != axis.variables.end()) {
      for (const auto& [name, text] : own->second) defined[name] = text;
    }
    for (const auto& [name, text] : defined) CG_CHECK(define(variables, name, text));
  }
  return variables;
}

/// The default log pattern speaks of `python` and `runtime`; projects with other axes get a name from the cell.
Result<std::string> log_from(const config::Configuration& configuration, const Values& values) {
  if (!configuration.test) return std::string();
  const bool is_default = configuration.test->log == config::Test{}.log;
  const bool has_axes = values.contains("python") && values.contains("runtime");
  return path_from(is_default && !has_axes ? std::string(kPlainTestLog) : configuration.test->log, values, "test.log");
}

Result<oci::Platform> platform_of(const config::Build& build) {
  if (build.platforms.size() == 1) return build.platforms.front();
  return fail(ErrorCode::bad_input, concat("build.platforms: expected one platform, found ", build.platforms.size()),
              "One build makes one image of one platform: leave one in the list.");
}

class Names {
 public:
  Result<void> claim(std::string_view what, const std::string& name, const std::string& cell) {
    if (name.empty()) return {};
    const auto [owner, is_new] = owners_.emplace(concat(what, " ", name), cell);
    if (is_new) return {};
    return fail(
        ErrorCode::bad_input,
        concat(what, " ", quoted(name), ": expected to belong to one cell, found ", owner->second, " and ", cell),
        "Put every axis into the pattern, for example {cell}.");
  }

 private:
  std::map<std::string, std::string> owners_;
};

/// A rebuilt image lies beside its plan, in no registry yet.
Result<std::string> candidate_from(const config::Configuration& configuration,
                                   const std::map<std::string, std::string>& values, const Destination& destination,
                                   const std::string& image) {
  if (configuration.gate.mode != config::GateMode::rebuild) {
    return repository_from(configuration.candidate, values, "candidate", destination);
  }
  CG_TRY(const auto repository, oci::parse_repository(image));
  return concat(kRebuiltRegistry, "/", repository.path);
}

}  // namespace

Result<std::string> expand_pattern(std::string_view pattern, const std::map<std::string, std::string>& values,
                                   std::string_view setting) {
  std::string text;
  std::size_t at = 0;
  while (at < pattern.size()) {
    const auto brace = pattern.find_first_of("{}", at);
    text += pattern.substr(at, brace - at);
    if (brace == std::string_view::npos) break;
    const auto end = pattern.find('}', brace);
    if (pattern[brace] == '}' || end == std::string_view::npos) {
      return refused(setting, "every '{' with its '}'", pattern, "Write placeholders as {name}.");
    }
    const std::string name(pattern.substr(brace + 1, end - brace - 1));
    const auto value = values.find(name);
    if (value == values.end()) {
      std::vector<std::string> known;
      for (const auto& [key, ignored] : values) known.push_back(key);
      const auto meant = nearest(name, known);
      return fail(ErrorCode::bad_input,
                  concat(setting, ": ", quoted(pattern), ": expected one of the placeholders {", join(known, "}, {"),
                         "}, found ", quoted(concat("{", name, "}"))),
                  meant ? concat("Did you mean {", *meant, "}?") : concat("Change the pattern `", setting, "`."));
    }
    text += value->second;
    at = end + 1;
  }
  return text;
}

Result<Cell> name_cell(const config::Combination& axes, const Naming& naming,
                       const config::Configuration& configuration) {
  Cell cell{.axes = axes};
  Values values = axes;
  values["version"] = naming.version;
  CG_TRY(cell.key, expand_pattern(configuration.cell, values, "cell"));
  CG_CHECK(check_key(cell.key));
  values["cell"] = cell.key;
  CG_TRY(cell.variables, variables_of(axes, values, configuration));
  if (const auto base = cell.variables.find("base"); base != cell.variables.end()) cell.base = base->second;
  CG_TRY(cell.image, repository_from(configuration.image, values, "image", naming.destination));
  CG_TRY(cell.tags, tags_from(configuration, values, naming.dated));
  CG_TRY(cell.cache, cache_from(configuration.cache, values, naming.destination));
  auto with_image = values;
  CG_TRY(with_image["image"], expand_pattern(configuration.image, values, "image"));
  CG_TRY(cell.candidate, candidate_from(configuration, with_image, naming.destination, cell.image));
  CG_TRY(cell.dockerfile, path_from(configuration.generate.output, values, "generate.output"));
  CG_TRY(cell.log, log_from(configuration, values));
  CG_TRY(cell.platform, platform_of(configuration.build));
  return cell;
}

Result<std::string> name_set(const std::string& pattern, const Naming& naming) {
  if (pattern.empty()) return std::string();
  CG_TRY(const auto version, parse_version(naming.version));
  return reference_from(pattern, version_placeholders(version), "release.set", naming.destination);
}

Result<void> check_unique(const std::vector<Cell>& cells) {
  Names names;
  for (const auto& cell : cells) {
    CG_CHECK(names.claim("cell key", to_lower(cell.key), cell.key));
    CG_CHECK(names.claim("Dockerfile", cell.dockerfile, cell.key));
    CG_CHECK(names.claim("test log", cell.log, cell.key));
    CG_CHECK(names.claim("cache", cell.cache, cell.key));
  }
  return {};
}

}  // namespace crategate::pipeline
