// Inputs of the action. A runner upper-cases the name and turns spaces into `_`; other runners turn more into `_`.
#include <algorithm>

#include "actions/names.h"
#include "actions/workflow.h"
#include "base/strings.h"

namespace crategate::actions {
namespace {

std::string upper(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return result;
}

std::string variable(std::string_view name) { return concat(kInputPrefix, replace_all(upper(name), " ", "_")); }
std::string with_underscores(const std::string& name) { return replace_all(name, "-", "_"); }

}  // namespace

Result<std::map<std::string, std::string>> read_inputs(const sys::Environment& environment,
                                                       const std::vector<std::string>& names) {
  std::map<std::string, std::string> inputs;
  for (const std::string& name : names) {
    const std::string first = variable(name), second = with_underscores(first);
    const std::string dashed(trim(environment.get(first).value_or("")));
    const std::string underscored(trim(environment.get(second).value_or("")));
    if (!dashed.empty() && !underscored.empty() && dashed != underscored)
      return fail(ErrorCode::bad_input,
                  concat("the input ", quoted(name), " is set twice, to different values: ", first, " and ", second),
                  "set one of the two");
    const std::string& value = dashed.empty() ? underscored : dashed;
    if (!value.empty()) inputs[name] = value;
  }
  return inputs;
}

std::vector<std::string> find_unknown_inputs(const sys::Environment& environment,
                                             const std::vector<std::string>& names) {
  std::vector<std::string> known, unknown;
  for (const std::string& name : names) known.push_back(with_underscores(variable(name)));
  for (const auto& [key, value] : environment.all()) {
    if (!key.starts_with(kInputPrefix) || trim(value).empty()) continue;
    if (std::find(known.begin(), known.end(), with_underscores(key)) == known.end())
      unknown.push_back(replace_all(to_lower(key.substr(kInputPrefix.size())), "_", "-"));
  }
  return unknown;
}

}  // namespace crategate::actions
