// One mapping of the configuration, read member by member into typed values.
// Belongs here: node → typed value, unknown keys, the wording of type errors.  Not here: which keys exist (decode).
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/strings.h"
#include "config/configuration.h"
#include "config/node.h"

namespace crategate::config {

/// A word of the file and the enumerator it stands for.
template <class Enum>
using Choice = std::pair<std::string_view, Enum>;

/// Each Errors: bad_input at the node, `path: expected …, found …`.
Result<std::string> read_text(const Node& node, std::string_view path);
Result<bool> read_boolean(const Node& node, std::string_view path);
/// true, false or auto.
Result<Fresh> read_fresh(const Node& node, std::string_view path);
Result<Timeout> read_duration(const Node& node, std::string_view path);
Result<int> read_number(const Node& node, std::string_view path, int maximum);
Result<std::vector<std::string>> read_list(const Node& node, std::string_view path);
/// A command with its arguments: a list that is not empty and whose first item is not.
Result<Argv> read_argv(const Node& node, std::string_view path);
/// A path inside the workspace: relative, without `..`.
Result<std::string> read_path(const Node& node, std::string_view path);
/// Items of the form `key=value`.
Result<std::vector<std::string>> read_pairs(const Node& node, std::string_view path);
Result<std::vector<oci::Platform>> read_platforms(const Node& node, std::string_view path);
/// One of `words`, else an error that lists them.
Result<std::string> read_word(const Node& node, std::string_view path, const std::vector<std::string>& words);

/// Reads the members of one mapping and remembers the first error and the names asked for.
///
/// A null member counts as absent. `finish` reports the first error, then members that nobody asked for.
class Section {
 public:
  /// `path` is empty for the whole file.
  Section(const Node& node, std::string path);

  /// The member unless it is absent or null; makes the name known.
  const Node* find(std::string_view key);
  std::string path_of(std::string_view key) const;

  void read(std::string_view key, std::string& out) { read_with(key, out, read_text); }
  void read(std::string_view key, bool& out) { read_with(key, out, read_boolean); }
  void read_word(std::string_view key, std::string& out, const std::vector<std::string>& words) {
    read_with(key, out,
              [&words](const Node& node, std::string_view path) { return config::read_word(node, path, words); });
  }
  void read(std::string_view key, Timeout& out) { read_with(key, out, read_duration); }
  void read(std::string_view key, std::vector<std::string>& out) { read_with(key, out, read_list); }
  void read(std::string_view key, std::vector<oci::Platform>& out) { read_with(key, out, read_platforms); }

  template <class Enum, std::size_t N>
  void read(std::string_view key, Enum& out, const std::array<Choice<Enum>, N>& choices) {
    const Node* node = find(key);
    if (node == nullptr || failed_) return;
    std::vector<std::string> words;
    for (const auto& choice : choices) words.emplace_back(choice.first);
    auto word = config::read_word(*node, path_of(key), words);
    if (!word) return refuse(std::move(word).error());
    for (const auto& choice : choices) {
      if (choice.first == *word) out = choice.second;
    }
  }

  /// `decode(node, path)` returns a Result of what `out` takes.
  template <class T, class Decode>
  void read_with(std::string_view key, T& out, Decode decode) {
    const Node* node = find(key);
    if (node == nullptr || failed_) return;
    auto value = decode(*node, path_of(key));
    if (!value) return refuse(std::move(value).error());
    out = *std::move(value);
  }

  /// Like read_with for a nested mapping: a null one is refused, for it would silently do nothing.
  template <class T, class Decode>
  void read_section(std::string_view key, T& out, Decode decode) {
    const Node* node = node_.find(key);
    if (node != nullptr && node->kind != Node::Kind::mapping) refuse_section(*node, key);
    read_with(key, out, decode);
  }

  void refuse(Error error);
  Result<> finish();

 private:
  void refuse_section(const Node& node, std::string_view key);

  const Node& node_;
  std::string path_;
  std::vector<std::string> known_;
  std::optional<Error> failed_;
};

}  // namespace crategate::config
