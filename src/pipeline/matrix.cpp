// Product, exclusion, inclusion and selection of combinations; values only.
#include "pipeline/matrix.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/strings.h"
#include "pipeline/plan.h"

namespace crategate::pipeline {
namespace {

constexpr std::size_t kProductLimit = kMatrixLimit * kMatrixLimit;
constexpr std::string_view kReserved[] = {"cell", "version", "image"};

bool has_all(const config::Combination& cell, const config::Combination& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&cell](const auto& item) {
    const auto found = cell.find(item.first);
    return found != cell.end() && found->second == item.second;
  });
}

Failure unknown_axis(std::string_view where, const std::string& name, const std::vector<std::string>& known) {
  const auto meant = nearest(name, known);
  return fail(ErrorCode::bad_input,
              concat(where, ": expected one of the axes ", join(known, ", "), ", found ", quoted(name)),
              meant ? concat("Did you mean ", *meant, "?") : "Name an axis of `axes`.");
}

std::vector<std::string> axis_names(const config::Configuration& configuration) {
  std::vector<std::string> names;
  for (const auto& axis : configuration.axes) names.push_back(axis.name);
  return names;
}

Result<void> check_names(const std::vector<config::Combination>& items, std::string_view where,
                         const std::vector<std::string>& axes) {
  for (std::size_t i = 0; i < items.size(); ++i) {
    for (const auto& [axis, value] : items[i]) {
      if (std::find(axes.begin(), axes.end(), axis) == axes.end()) {
        return unknown_axis(concat(where, "[", i, "]"), axis, axes);
      }
    }
  }
  return {};
}

Result<const std::vector<std::string>*> values_of(const config::Axis& axis, const AxisValues& given) {
  if (std::find(std::begin(kReserved), std::end(kReserved), axis.name) != std::end(kReserved)) {
    return fail(ErrorCode::bad_input,
                concat("axes: expected a name of your own, found ", axis.name, ", which is a built-in placeholder"),
                "Rename the axis.");
  }
  const auto found = given.find(axis.name);
  const auto* values = found != given.end() ? &found->second : &axis.values;
  if (values->empty()) {
    return fail(ErrorCode::bad_input, concat("axes.", axis.name, ": expected at least one value, found none"),
                "Give the axis values, or remove it.");
  }
  std::set<std::string_view> known;
  for (const auto& value : *values) {
    CG_CHECK(check_axis_value(axis.name, value));
    if (!known.insert(value).second) {
      return fail(ErrorCode::bad_input,
                  concat("axes.", axis.name, ": expected every value once, found ", value, " twice"),
                  "Remove the repetition.");
    }
  }
  return values;
}

Failure too_many(std::size_t count) {
  return fail(ErrorCode::bad_input,
              concat("matrix: expected at most ", kMatrixLimit, " cells (GitHub's limit of jobs per matrix), found ",
                     count == 0 ? concat("more than ", kProductLimit) : concat(count)),
              "Exclude combinations, drop values of an axis, or set `shards`.");
}

Result<std::vector<config::Combination>> product(const AxisValues& given, const config::Configuration& configuration) {
  std::vector<config::Combination> cells(1);
  for (const auto& axis : configuration.axes) {
    CG_TRY(const auto* values, values_of(axis, given));
    if (values->size() > kProductLimit / cells.size()) return too_many(0);
    std::vector<config::Combination> wider;
    wider.reserve(cells.size() * values->size());
    for (const auto& cell : cells) {
      for (const auto& value : *values) {
        wider.push_back(cell);
        wider.back()[axis.name] = value;
      }
    }
    cells = std::move(wider);
  }
  return cells;
}

void warn_of_unused_variables(Matrix& matrix, const AxisValues& given, const config::Configuration& configuration) {
  for (const auto& axis : configuration.axes) {
    const auto values = given.find(axis.name);
    for (const auto& [value, variables] : axis.variables) {
      if (values == given.end() || std::ranges::count(values->second, value) > 0) continue;
      matrix.warnings.push_back(
          concat("axes.", axis.name, ": variables for ", quoted(value), ", which is no value of it"));
    }
  }
}

void exclude(Matrix& matrix, const std::vector<config::Combination>& items) {
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto removed = std::erase_if(matrix.combinations, [&](const auto& cell) { return has_all(cell, items[i]); });
    if (removed == 0) matrix.warnings.push_back(concat("exclude[", i, "] matches no cell"));
  }
}

Result<void> include(Matrix& matrix, const std::vector<config::Combination>& items,
                     const std::vector<std::string>& axes) {
  for (std::size_t i = 0; i < items.size(); ++i) {
    for (const auto& axis : axes) {
      const auto value = items[i].find(axis);
      if (value == items[i].end()) {
        return fail(ErrorCode::bad_input, concat("include[", i, "]: expected a value for axis ", axis, ", found none"),
                    "An included cell names a value of every axis.");
      }
      CG_CHECK(check_axis_value(axis, value->second));
    }
    matrix.combinations.push_back(items[i]);
  }
  return {};
}

}  // namespace

Result<Matrix> compute_matrix(const AxisValues& values, const config::Configuration& configuration) {
  const auto axes = axis_names(configuration);
  CG_CHECK(check_names(configuration.exclude, "exclude", axes));
  CG_CHECK(check_names(configuration.include, "include", axes));
  Matrix matrix;
  CG_TRY(matrix.combinations, product(values, configuration));
  warn_of_unused_variables(matrix, values, configuration);
  exclude(matrix, configuration.exclude);
  CG_CHECK(include(matrix, configuration.include, axes));
  if (matrix.combinations.empty()) {
    return fail(ErrorCode::bad_input, "matrix: expected at least one cell, found none: `exclude` removes all of them",
                "Remove an item of `exclude`.");
  }
  if (matrix.combinations.size() > kMatrixLimit && configuration.shards == 0) {
    return too_many(matrix.combinations.size());
  }
  return matrix;
}

Result<std::vector<config::Combination>> select_only(const std::vector<config::Combination>& combinations,
                                                     const std::vector<std::string>& only) {
  std::map<std::string, std::vector<std::string>> wanted;
  for (const auto& item : only) {
    const auto equals = item.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == item.size()) {
      return fail(ErrorCode::bad_input, concat("--only: expected axis=value, found ", quoted(item)),
                  "For example --only runtime=cpu,python=3.10.");
    }
    const std::string axis = item.substr(0, equals);
    const std::string value = item.substr(equals + 1);
    std::vector<std::string> names, values;
    for (const auto& [name, known] : combinations.front()) names.push_back(name);
    if (!combinations.front().contains(axis)) return unknown_axis("--only", axis, names);
    for (const auto& cell : combinations) {
      if (std::find(values.begin(), values.end(), cell.at(axis)) == values.end()) values.push_back(cell.at(axis));
    }
    if (std::find(values.begin(), values.end(), value) == values.end()) {
      return fail(ErrorCode::bad_input,
                  concat("--only: expected for ", axis, " one of ", join(values, ", "), ", found ", quoted(value)),
                  "Name a value that a cell of the plan has.");
    }
    wanted[axis].push_back(value);
  }
  std::vector<config::Combination> selected;
  std::copy_if(combinations.begin(), combinations.end(), std::back_inserter(selected), [&wanted](const auto& cell) {
    return std::all_of(wanted.begin(), wanted.end(), [&cell](const auto& item) {
      return std::find(item.second.begin(), item.second.end(), cell.at(item.first)) != item.second.end();
    });
  });
  if (!selected.empty()) return selected;
  return fail(ErrorCode::bad_input, concat("--only ", join(only, ","), ": expected at least one cell, found none"),
              "These values never meet in one cell.");
}

}  // namespace crategate::pipeline
