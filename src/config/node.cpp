// The tree's own questions: lookup, position, and its text form.
// Belongs here: nothing that knows a setting by name.
#include "config/node.h"

#include <algorithm>
#include <utility>

#include "base/strings.h"

namespace crategate::config {
namespace {

bool is_plain_safe(std::string_view text) {
  if (text.empty() || text.front() == '-' || text.back() == ':') return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           c == '.' || c == '/' || c == '+' || c == '=' || c == '<' || c == ':';
  });
}

std::string double_quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c == '\r') {
      out += "\\r";
    } else {
      out += c;
    }
  }
  return out + '"';
}

bool reads_as_other(std::string_view text) {
  static constexpr std::string_view kWords[] = {"null", "Null",  "NULL",  "true", "True",
                                                "TRUE", "false", "False", "FALSE"};
  return std::find(std::begin(kWords), std::end(kWords), text) != std::end(kWords);
}

std::string scalar_in_flow(const Node& node) {
  const bool plain = is_plain_safe(node.text) && !(node.quoted && reads_as_other(node.text));
  return plain ? node.text : double_quoted(node.text);
}

std::string nested_text(const Node& node) {
  if (node.kind == Node::Kind::null) return "null";
  if (node.kind == Node::Kind::scalar) return scalar_in_flow(node);
  const bool mapping = node.kind == Node::Kind::mapping;
  std::vector<std::string> parts;
  for (const Node& item : node.items) {
    const std::string key = is_plain_safe(item.key) ? item.key : double_quoted(item.key);
    parts.push_back(mapping ? concat(key, ": ", nested_text(item)) : nested_text(item));
  }
  return concat(mapping ? "{" : "[", join(parts, ", "), mapping ? "}" : "]");
}

std::string bare_option(std::string_view written) {
  while (!written.empty() && written.front() == '-') written.remove_prefix(1);
  for (const std::string_view input : {"INPUT_", "input "})
    if (written.starts_with(input)) written.remove_prefix(input.size());
  return replace_all(to_lower(written), ".", "-");
}

/// Whether the option says already what the path says; a command's own may leave out its section.
bool names(std::string_view written, std::string_view path) {
  const std::string option = bare_option(written), full = replace_all(std::string(path), ".", "-");
  return option == full || (!option.empty() && full.ends_with(concat("-", option)));
}

Error make_error(const Node& node, int line, int column, std::string_view path, std::string message, std::string hint) {
  Error error{ErrorCode::bad_input, std::move(message), std::move(hint), {}, std::nullopt, std::nullopt};
  const OriginKind kind = node.source ? node.source->kind : OriginKind::fallback;
  const std::string name = node.source ? node.source->name : std::string();
  if (kind == OriginKind::file) {
    if (!path.empty()) error.message = concat(path, ": ", error.message);
    error.location = Location{name, line, column};
    return error;
  }
  if (!path.empty() && !names(name, path)) error.message = concat(path, ": ", error.message);
  const std::string position = line > 0 ? concat(":", line, ":", column) : std::string();
  error.message = concat(name, position, ": ", error.message);
  return error;
}

}  // namespace

const Node* Node::find(std::string_view member) const {
  if (kind != Kind::mapping) return nullptr;
  const auto at = std::find_if(items.begin(), items.end(), [member](const Node& item) { return item.key == member; });
  return at == items.end() ? nullptr : &*at;
}

Node& Node::member(std::string_view name) {
  if (kind != Kind::mapping) {
    kind = Kind::mapping;
    items.clear();
    text.clear();
  }
  const auto at = std::find_if(items.begin(), items.end(), [name](const Node& item) { return item.key == name; });
  if (at != items.end()) return *at;
  Node& added = items.emplace_back();
  added.key = name;
  return added;
}

void Node::erase(std::string_view member) {
  std::erase_if(items, [member](const Node& item) { return item.key == member; });
}

Location Node::where() const {
  const std::string name = source ? source->name : std::string();
  if (kind == Kind::null && key_line > 0) return {name, key_line, key_column};
  return {name, line, column};
}

Origin Node::origin() const {
  if (!source) return {};
  if (source->kind == OriginKind::file) return {OriginKind::file, where(), source->name};
  return {source->kind, {}, source->name};
}

const Node* find_path(const Node& root, std::string_view path) {
  const Node* node = &root;
  for (const std::string& name : split(path, '.')) {
    node = node->find(name);
    if (node == nullptr) return nullptr;
  }
  return node;
}

std::string describe_found(const Node& node) {
  switch (node.kind) {
    case Node::Kind::null:
      return "nothing";
    case Node::Kind::sequence:
      return node.items.empty() ? "an empty list" : "a list";
    case Node::Kind::mapping:
      return node.items.empty() ? "an empty mapping" : "a mapping";
    case Node::Kind::scalar:
      break;
  }
  return quoted(node.text);
}

std::string flow_text(const Node& node) {
  if (node.kind == Node::Kind::scalar) return node.text;
  if (node.kind == Node::Kind::null) return {};
  return nested_text(node);
}

Error error_at(const Node& node, std::string_view path, std::string message, std::string hint) {
  const Location at = node.where();
  return make_error(node, at.line, at.column, path, std::move(message), std::move(hint));
}

Error error_at_key(const Node& node, std::string_view path, std::string message, std::string hint) {
  return make_error(node, node.key_line, node.key_column, path, std::move(message), std::move(hint));
}

}  // namespace crategate::config
