// Text of options and inputs as trees, in order of precedence.
// Belongs here: lists, flow text, rivals.  Not here: names (given) and types (decode).
#include "config/overlay.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/strings.h"
#include "config/yaml.h"

namespace crategate::config {
namespace {

Node scalar_node(std::string text, bool quoted, const std::shared_ptr<const Source>& source) {
  Node node;
  node.kind = Node::Kind::scalar;
  node.text = std::move(text);
  node.quoted = quoted;
  node.source = source;
  return node;
}

/// One item a line; `#` starts a comment line; commas separate where no item can contain one.
Node list_node(std::string_view text, bool commas, const std::shared_ptr<const Source>& source) {
  Node node;
  node.kind = Node::Kind::sequence;
  node.source = source;
  for (const std::string& line : split(text, '\n')) {
    if (trim(line).empty() || trim(line).front() == '#') continue;
    for (const std::string& item : commas ? split(line, ',') : std::vector<std::string>{line}) {
      if (!trim(item).empty()) node.items.push_back(scalar_node(std::string(trim(item)), true, source));
    }
  }
  return node;
}

Result<Node> node_from_text(const Setting& setting, const std::string& value, std::shared_ptr<const Source> source) {
  switch (setting.type) {
    case SettingType::structure:
      return parse_yaml(value, std::move(source));
    case SettingType::list:
      if (trim(value).starts_with('[')) return parse_yaml(value, std::move(source));
      return list_node(value, setting.commas, source);
    case SettingType::text:
      return scalar_node(value, true, source);
    case SettingType::boolean:
    case SettingType::duration:
    case SettingType::number:
      break;
  }
  return scalar_node(value, false, source);
}

std::shared_ptr<const Source> source_of(const Origin& origin) {
  return std::make_shared<const Source>(Source{origin.kind, origin.name});
}

void place(Node& root, std::string_view path, Node value) {
  Node* node = &root;
  for (const std::string& name : split(path, '.')) {
    const auto source = node->source;
    node = &node->member(name);
    if (!node->source) node->source = source ? source : value.source;
  }
  value.key = node->key;
  value.key_line = node->key_line;
  value.key_column = node->key_column;
  *node = std::move(value);
}

/// Settings of which only one can be in force: a nearer one takes the place of a farther one.
void drop_rivals(Node& root, std::string_view name, OriginKind kind) {
  static const std::vector<std::vector<std::string_view>> groups = {
      {"version.file", "version.git-tag", "version.command", "version.value"}, {"generate.template", "generate.run"}};
  for (const auto& group : groups) {
    if (std::find(group.begin(), group.end(), name) == group.end()) continue;
    for (const std::string_view rival : group) {
      const Node* node = find_path(root, rival);
      const bool farther = node != nullptr && node->source && node->source->kind < kind;
      if (rival == name || !farther) continue;
      const auto dot = rival.find('.');
      root.member(rival.substr(0, dot)).erase(rival.substr(dot + 1));
    }
  }
}

std::string axis_of(std::string_view item) { return std::string(item.substr(0, item.find('='))); }

/// RUNTIME=cpu is one more item of `only`, unless `only` already chose other values of that axis.
Result<> add_axis_values(Trees& trees, const std::vector<Entry>& entries) {
  for (const Entry& entry : entries) {
    if (!entry.is_axis_value() || entry.value.empty()) continue;
    Node& only = trees.invocation.member("only");
    bool chosen = false, same = false;
    for (const Node& item : only.items) {
      chosen = chosen || axis_of(item.text) == axis_of(entry.value);
      same = same || item.text == entry.value;
    }
    if (chosen && !same)
      return bad_given(entry.origin,
                       concat("expected what only says (", flow_text(only), "), found ", quoted(entry.value)),
                       "give one of the two");
    only.kind = Node::Kind::sequence;
    if (!only.source) only.source = source_of(entry.origin);
    if (!same) only.items.push_back(scalar_node(entry.value, true, source_of(entry.origin)));
  }
  return {};
}

}  // namespace

Result<> overlay(Trees& trees, const std::vector<Entry>& given) {
  std::vector<Entry> entries = given;
  std::erase_if(entries, [](const Entry& entry) { return entry.is_axis_value(); });
  std::stable_sort(entries.begin(), entries.end(),
                   [](const Entry& a, const Entry& b) { return a.origin.kind < b.origin.kind; });
  for (const Entry& entry : entries) {
    Node& root = trees.of(*entry.setting);
    CG_TRY(Node value, node_from_text(*entry.setting, entry.value, source_of(entry.origin)));
    const Node* before = find_path(root, entry.setting->name);
    const bool joins = before != nullptr && before->source && before->source->kind == entry.origin.kind &&
                       before->kind == Node::Kind::sequence && value.kind == Node::Kind::sequence;
    const bool same = joins && flow_text(*before) == flow_text(value);
    if (joins && !same) value.items.insert(value.items.begin(), before->items.begin(), before->items.end());
    drop_rivals(root, entry.setting->name, entry.origin.kind);
    place(root, entry.setting->name, std::move(value));
  }
  return add_axis_values(trees, given);
}

}  // namespace crategate::config
