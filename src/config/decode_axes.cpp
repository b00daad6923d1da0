// Axes, their values and variables, and combinations of them.
// Belongs here: their forms and names.  Not here: files of values (pipeline/plan reads their text).
#include <algorithm>
#include <set>

#include "base/strings.h"
#include "config/decode.h"
#include "config/section.h"

namespace crategate::config {
namespace {

constexpr std::string_view kValueHint =
    "use letters, digits, '.', '_' and '-'; put other text into a variable of the value";

bool is_name(std::string_view text) {
  constexpr std::string_view kRest = "abcdefghijklmnopqrstuvwxyz0123456789_-";
  return !text.empty() && text.front() >= 'a' && text.front() <= 'z' &&
         text.find_first_not_of(kRest) == std::string_view::npos;
}

bool is_value(std::string_view text) {
  constexpr std::string_view kFirst = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  constexpr std::string_view kRest = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  return !text.empty() && text.size() <= 128 && kFirst.find(text.front()) != std::string_view::npos &&
         text.find_first_not_of(kRest) == std::string_view::npos;
}

Failure not_a_value(const Node& node, std::string_view path, std::string_view found) {
  return fail(error_at(node, path, concat("expected an axis value, found ", quoted(found)), std::string(kValueHint)));
}

Result<> check_axis_name(const Node& node, std::string_view path) {
  static constexpr std::string_view kReserved[] = {"include", "exclude", "version", "cell", "image"};
  if (std::find(std::begin(kReserved), std::end(kReserved), node.key) != std::end(kReserved))
    return fail(error_at_key(node, path, concat("expected an axis name, found the reserved word ", quoted(node.key)),
                             "choose another name"));
  if (!is_name(node.key))
    return fail(error_at_key(node, path, concat("expected an axis name, found ", quoted(node.key)),
                             "use a lower-case letter, then lower-case letters, digits, '_' and '-'"));
  return {};
}

Result<> check_variable_name(const Node& node, std::string_view path) {
  if (!is_name(node.key))
    return fail(error_at_key(node, path, concat("expected a variable name, found ", quoted(node.key)),
                             "use a lower-case letter, then lower-case letters, digits, '_' and '-'"));
  if (node.key == "version" || node.key == "cell")
    return fail(error_at_key(node, path, concat("expected a variable name, found the reserved word ", quoted(node.key)),
                             "choose another name; every template has this variable already"));
  return {};
}

Result<Variables> decode_variables(const Node& node, std::string_view path) {
  if (node.kind == Node::Kind::null) return Variables{};
  if (node.kind != Node::Kind::mapping)
    return fail(error_at(node, path, concat("expected variables, found ", describe_found(node)),
                         "write {name: text, …}, or nothing for a value without variables"));
  Variables out;
  for (const Node& item : node.items) {
    CG_CHECK(check_variable_name(item, path));
    CG_TRY(out[item.key], read_text(item, concat(path, ".", item.key)));
  }
  return out;
}

Result<std::vector<std::string>> decode_values(const Node& node, std::string_view path) {
  CG_TRY(auto values, read_list(node, path));
  if (values.empty())
    return fail(
        error_at(node, path, "expected at least one value, found an empty list", "write for example [cpu, cuda]"));
  std::set<std::string> seen;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::string item_path = concat(path, "[", i, "]");
    if (!is_value(values[i])) return not_a_value(node.items[i], item_path, values[i]);
    if (!seen.insert(values[i]).second)
      return fail(error_at(node.items[i], item_path,
                           concat("expected each value once, found ", quoted(values[i]), " again"),
                           "keep one of the two"));
  }
  return values;
}

Result<std::map<std::string, Variables>> decode_table(const Node& node, std::string_view path) {
  if (node.kind != Node::Kind::mapping)
    return fail(error_at(node, path, concat("expected a mapping, found ", describe_found(node)),
                         "write {value: {name: text}}"));
  std::map<std::string, Variables> out;
  for (const Node& item : node.items) {
    if (!is_value(item.key))
      return fail(error_at_key(item, path, concat("expected an axis value, found ", quoted(item.key)),
                               std::string(kValueHint)));
    CG_TRY(out[item.key], decode_variables(item, concat(path, ".", item.key)));
  }
  return out;
}

Result<Axis> decode_described_axis(const Node& node, const std::string& path) {
  Axis axis;
  Section section(node, path);
  section.read_with("file", axis.file, read_path);
  section.read_with("values", axis.values, decode_values);
  section.read_with("variables", axis.variables, decode_table);
  CG_CHECK(section.finish());
  if (!axis.file.empty() && !axis.values.empty())
    return fail(error_at(node, path, "expected file or values, found both", "keep one of the two"));
  if (axis.file.empty() && axis.values.empty())
    return fail(error_at(node, path, "expected file or values, found neither", "add values: [a, b] or file: NAME"));
  if (!axis.file.empty()) return axis;
  for (const Node& item : node.find("variables") != nullptr ? node.find("variables")->items : std::vector<Node>{}) {
    if (std::find(axis.values.begin(), axis.values.end(), item.key) != axis.values.end()) continue;
    return fail(error_at_key(item, path + ".variables",
                             concat("expected a value of this axis, found ", quoted(item.key)),
                             concat("the values are ", join(axis.values, ", "))));
  }
  return axis;
}

Result<Axis> decode_axis(const Node& node, const std::string& path) {
  if (node.kind == Node::Kind::sequence) {
    Axis axis;
    CG_TRY(axis.values, decode_values(node, path));
    return axis;
  }
  if (node.kind != Node::Kind::mapping || node.items.empty())
    return fail(error_at(node, path, concat("expected the values of an axis, found ", describe_found(node)),
                         "write [a, b], {file: NAME} or {a: {variable: text}, b: {…}}"));
  for (const std::string_view word : {"file", "values", "variables"}) {
    if (node.find(word) != nullptr) return decode_described_axis(node, path);
  }
  Axis axis;
  CG_TRY(axis.variables, decode_table(node, path));
  for (const Node& item : node.items) axis.values.push_back(item.key);
  return axis;
}

Result<> check_variables_are_no_axes(const std::vector<Axis>& axes, const Node& node, std::string_view path) {
  for (const Axis& axis : axes) {
    for (const auto& [value, variables] : axis.variables) {
      for (const auto& [name, text] : variables) {
        if (node.find(name) == nullptr) continue;
        return fail(
            error_at_key(*node.find(axis.name), path,
                         concat("variable ", quoted(name), " of ", axis.name, " ", value, " has the name of an axis"),
                         "choose another name for the variable"));
      }
    }
  }
  return {};
}

std::vector<std::string> names_of(const std::vector<Axis>& axes) {
  std::vector<std::string> names;
  for (const Axis& axis : axes) names.push_back(axis.name);
  return names;
}

}  // namespace

Result<std::vector<Axis>> decode_axes(const Node& node, std::string_view path) {
  if (node.kind != Node::Kind::mapping || node.items.empty())
    return fail(error_at(node, path, concat("expected axes by name, found ", describe_found(node)),
                         "write for example {python: {file: PYTHON_VERSIONS}, runtime: [cpu, cuda]}"));
  std::vector<Axis> axes;
  for (const Node& item : node.items) {
    CG_CHECK(check_axis_name(item, path));
    CG_TRY(Axis axis, decode_axis(item, concat(path, ".", item.key)));
    axis.name = item.key;
    axes.push_back(std::move(axis));
  }
  CG_CHECK(check_variables_are_no_axes(axes, node, path));
  return axes;
}

Result<std::vector<Combination>> decode_combinations(const Node& node, std::string_view path) {
  if (node.kind != Node::Kind::sequence)
    return fail(error_at(node, path, concat("expected a list, found ", describe_found(node)), "write [{axis: value}]"));
  std::vector<Combination> out;
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    const Node& item = node.items[i];
    const std::string item_path = concat(path, "[", i, "]");
    if (item.kind != Node::Kind::mapping || item.items.empty())
      return fail(error_at(item, item_path, concat("expected axis values, found ", describe_found(item)),
                           "write {axis: value, …}"));
    Combination combination;
    for (const Node& value : item.items) {
      const std::string value_path = concat(item_path, ".", value.key);
      CG_TRY(combination[value.key], read_text(value, value_path));
      if (!is_value(value.text)) return not_a_value(value, value_path, value.text);
    }
    out.push_back(std::move(combination));
  }
  return out;
}

Result<> check_combinations(const Node& root, std::string_view key, const std::vector<Axis>& axes, bool values_too) {
  const Node* list = root.find(key);
  const auto names = names_of(axes);
  for (std::size_t i = 0; list != nullptr && i < list->items.size(); ++i) {
    const std::string path = concat(key, "[", i, "]");
    for (const Node& value : list->items[i].items) {
      const auto axis = std::find_if(axes.begin(), axes.end(), [&value](const Axis& a) { return a.name == value.key; });
      if (axis == axes.end())
        return fail(error_at_key(value, path, concat("expected an axis, found ", quoted(value.key)),
                                 names.empty() ? "add axes first" : concat("the axes are: ", join(names, ", "))));
      const bool known =
          axis->values.empty() || std::find(axis->values.begin(), axis->values.end(), value.text) != axis->values.end();
      if (values_too && !known)
        return fail(error_at(value, concat(path, ".", value.key),
                             concat("expected a value of ", axis->name, ", found ", quoted(value.text)),
                             concat("the values are: ", join(axis->values, ", "))));
    }
  }
  return {};
}

}  // namespace crategate::config
