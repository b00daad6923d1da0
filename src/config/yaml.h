// YAML text → tree.
// Belongs here: the subset of YAML that a configuration may use.  Not here: what its keys mean.
#pragma once

#include <memory>
#include <string_view>

#include "base/result.h"
#include "config/node.h"

namespace crategate::config {

/// Parses one YAML document into a tree; an empty text is a null node.
///
/// Only plain data is accepted: anchors, aliases, tags, duplicate or structured keys, a second document, control
/// characters, more than 1 MiB, 20,000 values or 32 levels are refused, so that a small file cannot become a large one.
///
/// Errors: bad_input with the position
Result<Node> parse_yaml(std::string_view text, std::shared_ptr<const Source> source);

}  // namespace crategate::config
