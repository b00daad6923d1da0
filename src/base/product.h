// What this build calls itself.
#pragma once

#include <string_view>

namespace crategate {

/// The product's own version, as in the file VERSION it was built from ("v0.1.0").
std::string_view product_version();

/// Where it is developed, OWNER/NAME on GitHub: workflows, docs and the action name it, and a lint compares them.
inline constexpr std::string_view kRepository = "crategate/crategate";

}  // namespace crategate
