// Sets of actions by resource.
#include "registry/scopes.h"

#include <algorithm>

#include "base/strings.h"

namespace crategate::registry {

Scopes::Scopes(const std::vector<std::string>& texts) {
  for (const std::string& text : texts) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string::npos) continue;
    for (const std::string& action : split(text.substr(colon + 1), ',')) actions_[text.substr(0, colon)].insert(action);
  }
}

bool Scopes::cover(const Scopes& wanted) const {
  return std::ranges::all_of(wanted.actions_, [this](const auto& resource) {
    const auto granted = actions_.find(resource.first);
    return granted != actions_.end() && std::ranges::includes(granted->second, resource.second);
  });
}

std::vector<std::string> Scopes::texts() const {
  std::vector<std::string> texts;
  for (const auto& [resource, actions] : actions_)
    texts.push_back(concat(resource, ':', join({actions.begin(), actions.end()}, ",")));
  return texts;
}

std::string Scopes::text() const { return join(texts(), " "); }

}  // namespace crategate::registry
