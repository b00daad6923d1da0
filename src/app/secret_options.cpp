#include "app/secret_options.h"

#include <string>

#include "base/strings.h"

namespace crategate::app {

Result<void> fill_in_secrets(std::vector<config::Given>& given, const sys::Environment& environment) {
  for (config::Given& item : given) {
    const auto* const setting = config::find_setting(item.option);
    if (setting == nullptr || !setting->secret || item.origin.kind != config::OriginKind::command_line) continue;
    const std::string example = concat("Write ", item.origin.name, " ", kFromVariable,
                                       "NAME, and the value into the environment variable NAME.");
    if (!item.value.starts_with(kFromVariable)) {
      return fail(ErrorCode::bad_input,
                  concat(item.origin.name, ": expected ", kFromVariable,
                         "NAME, found something else, which every process of this machine can read"),
                  example);
    }
    auto value = environment.get(item.value.substr(kFromVariable.size()));
    if (!value || value->empty()) {  // its name may be the secret, too
      return fail(ErrorCode::bad_input,
                  concat(item.origin.name, ": expected an environment variable with a value, found none of that name"),
                  example);
    }
    item.value = *std::move(value);
  }
  return {};
}

}  // namespace crategate::app
