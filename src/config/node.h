// A YAML value with its position: text as written, never converted.
// Belongs here: the tree between YAML (or an option's text) and the typed configuration.  Not here: yaml-cpp (yaml.cpp)
// or what a key means (section, decode).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/settings.h"

namespace crategate::config {

/// What a tree was read from: the file's name, or the option or input as written.
struct Source {
  OriginKind kind = OriginKind::file;
  std::string name;
};

/// A value of a YAML tree. A member of a mapping is a node with a key; a scalar keeps its text (`3.10` stays `3.10`).
struct Node {
  enum class Kind : unsigned char { null, scalar, sequence, mapping };

  Kind kind = Kind::null;
  bool quoted = false;  ///< scalar: written in quotes or as a block, so never a boolean
  std::string text;     ///< scalar
  std::string key;      ///< when this is a member of a mapping
  int key_line = 0, key_column = 0;
  std::vector<Node> items;  ///< items of a sequence, members of a mapping, in order
  std::shared_ptr<const Source> source;
  int line = 0, column = 0;

  const Node* find(std::string_view member) const;
  /// The member, made when there is none. A value that is no mapping becomes one.
  Node& member(std::string_view name);
  void erase(std::string_view member);
  Origin origin() const;
  /// Where an error about this value points; a null value points at its key.
  Location where() const;
};

/// The node at a dotted path (`test.timeout`), or null.
const Node* find_path(const Node& root, std::string_view path);
/// What was found, for messages: `"abc"`, `a list`, `nothing`.
std::string describe_found(const Node& node);
/// As one line of YAML flow text that reads back as the same tree; a scalar alone is its bare text.
std::string flow_text(const Node& node);

/// The error for a value: `path: message`, at file:line:column, or behind the option's name.
Error error_at(const Node& node, std::string_view path, std::string message, std::string hint);
/// The same, pointing at the node's key.
Error error_at_key(const Node& node, std::string_view path, std::string message, std::string hint);

}  // namespace crategate::config
