#include "config/placement.h"

#include <algorithm>

namespace crategate::config {
namespace {

/// A setting in a section, alone or with what is in it: `ci-image.branches.main: …`. The words of the others begin many a
/// sentence.
bool is_about(std::string_view text, std::string_view name) {
  if (name.find('.') == std::string_view::npos || !text.starts_with(name)) return false;
  const std::string_view rest = text.substr(name.size());
  return !rest.empty() && std::string_view(":.[").find(rest.front()) != std::string_view::npos;
}

}  // namespace

Error with_place(Error error, const std::vector<InForce>& in_force) {
  if (error.location) return error;
  const std::string text = describe(error);
  const auto found = std::ranges::find_if(in_force, [&text](const InForce& row) {
    return row.origin.kind == OriginKind::file && is_about(text, row.setting->name);
  });
  return found == in_force.end() ? error : std::move(error).at(found->origin.where);
}

}  // namespace crategate::config
