// Command line over input over file over default: one tree, typed once.
// Belongs here: the order of the steps, and what is in force.  Not here: what a value must be (decode).
#include <algorithm>
#include <utility>

#include "base/strings.h"
#include "config/decode.h"
#include "config/given.h"
#include "config/node.h"
#include "config/overlay.h"
#include "config/settings.h"
#include "config/yaml.h"

namespace crategate::config {
namespace {

constexpr std::string_view kMinimalFile =
    R"(write crategate.yml, for example: {image: "me/app-{cell}", axes: {python: {file: PYTHON_VERSIONS}, runtime: [cpu]}})";

Result<> refuse_invocation_settings(const Node& root) {
  for (const Node& member : root.items) {
    const auto& table = settings_table();
    const auto named = [&member](const Setting& setting) { return setting.name == member.key; };
    const auto any_file = [&named](const Setting& setting) { return named(setting) && setting.file; };
    if (std::any_of(table.begin(), table.end(), any_file)) continue;
    const auto row = std::find_if(table.begin(), table.end(), named);
    if (row == table.end()) continue;
    return fail(error_at_key(member, "", concat("expected a setting of the project, found ", quoted(member.key)),
                             concat("it is about one invocation: give it as --", option_name(*row),
                                    row->secret ? " env:NAME" : "", " or as an input")));
  }
  return {};
}

Result<Node> read_file(const std::optional<File>& file) {
  Node empty;
  empty.kind = Node::Kind::mapping;
  if (!file) return empty;
  const auto source = std::make_shared<const Source>(Source{OriginKind::file, file->name});
  CG_TRY(Node root, parse_yaml(file->text, source));
  CG_CHECK(refuse_invocation_settings(root));
  CG_CHECK(decode_configuration(root));
  if (root.kind == Node::Kind::null) root.kind = Node::Kind::mapping;
  return root;
}

bool has_value(const Node& root, std::string_view path) {
  const Node* node = find_path(root, path);
  return node != nullptr && node->kind != Node::Kind::null && node->text != "false";
}

InForce in_force(const Setting& setting, const Node& root) {
  InForce out{&setting, std::string(setting.fallback), {}};
  const Node* node = find_path(root, setting.name);
  if (node != nullptr && node->kind != Node::Kind::null) {
    out.value = flow_text(*node);
    out.origin = node->origin();
  } else if (setting.name == "version.file" &&
             (has_value(root, "version.git-tag") || has_value(root, "version.command"))) {
    out.value.clear();
  }
  if (setting.secret && !out.value.empty()) out.value = "***";
  return out;
}

std::optional<Location> file_location(const Loaded& loaded, std::string_view section) {
  for (const InForce& row : loaded.in_force) {
    if (row.origin.kind == OriginKind::file && row.setting->name.starts_with(section)) return row.origin.where;
  }
  return std::nullopt;
}

Failure incomplete(const Loaded& loaded, std::string_view what, std::string hint) {
  const std::string name = loaded.file.empty() ? "crategate.yml" : loaded.file;
  return fail(ErrorCode::bad_input,
              concat(name, ": expected ", what, ", found ", loaded.file.empty() ? "no such file" : "none"),
              loaded.file.empty() ? concat("run in the project's top directory or give --workspace; else ", hint)
                                  : std::move(hint));
}

Failure without_run(const Loaded& loaded, std::string_view section) {
  Error error{ErrorCode::bad_input,
              concat(section, ".run: expected a command, found none"),
              concat("add run: [make, test] to ", section, ", or remove the section"),
              {},
              std::nullopt,
              std::nullopt};
  error.location = file_location(loaded, concat(section, "."));
  return fail(std::move(error));
}

/// What this version cannot do is refused, never skipped in silence.
Result<void> require_supported(const Loaded& loaded) {
  const Configuration& configuration = loaded.configuration;
  const std::pair<bool, std::string_view> unsupported[] = {
      {configuration.provenance, "provenance"},
      {configuration.shards > 0, "shards"},
  };
  for (const auto& [present, key] : unsupported) {
    if (!present) continue;
    const auto row = std::ranges::find_if(loaded.in_force, [name = key](const InForce& entry) {
      return entry.setting->name.starts_with(name) && entry.origin.kind != OriginKind::fallback;
    });
    const bool known = row != loaded.in_force.end();
    Error error{ErrorCode::bad_input,
                concat(known && row->origin.kind != OriginKind::file ? row->origin.name : std::string(key),
                       ": this version of crategate cannot do this yet, found ", known ? quoted(row->value) : "it"),
                concat("remove ", key, ": publishing without doing what it asks for would be a lie"),
                {},
                std::nullopt,
                std::nullopt};
    if (known && row->origin.kind == OriginKind::file) error.location = row->origin.where;
    return fail(std::move(error));
  }
  return {};
}

}  // namespace

std::string Origin::text() const {
  if (kind == OriginKind::fallback) return "default";
  if (kind != OriginKind::file) return name;
  return where.line > 0 ? concat(where.file, ":", where.line, ":", where.column) : where.file;
}

Result<Loaded> load(const std::optional<File>& file, const std::vector<Given>& given) {
  Trees trees;
  CG_TRY(trees.file, read_file(file));
  trees.invocation.kind = Node::Kind::mapping;
  CG_TRY(const auto entries, recognise(given));
  CG_CHECK(overlay(trees, entries));

  Loaded out;
  out.file = file ? file->name : std::string();
  CG_TRY(out.configuration, decode_configuration(trees.file));
  CG_CHECK(check_combinations(trees.file, "exclude", out.configuration.axes, true));
  CG_CHECK(check_combinations(trees.file, "include", out.configuration.axes, false));
  CG_TRY(out.invocation, decode_invocation(trees.invocation));
  for (const Setting& setting : settings_table()) out.in_force.push_back(in_force(setting, trees.of(setting)));
  return out;
}

Result<void> require_project(const Loaded& loaded) {
  const Configuration& configuration = loaded.configuration;
  if (configuration.image.empty()) return incomplete(loaded, "the key image", std::string(kMinimalFile));
  if (configuration.axes.empty()) return incomplete(loaded, "the key axes", std::string(kMinimalFile));
  if (configuration.check && configuration.check->run.empty()) return without_run(loaded, "check");
  if (configuration.test && configuration.test->run.empty()) return without_run(loaded, "test");
  return require_supported(loaded);
}

}  // namespace crategate::config
