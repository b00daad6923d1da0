// What was given, laid over the file's tree.
// Belongs here: precedence, and text → tree.  Not here: what a value must be (decode).
#pragma once

#include <vector>

#include "base/result.h"
#include "config/given.h"
#include "config/node.h"

namespace crategate::config {

struct Trees {
  Node file;        ///< project settings: file, inputs and options together
  Node invocation;  ///< settings of this invocation
  Node& of(const Setting& setting) { return setting.file ? file : invocation; }
  const Node& of(const Setting& setting) const { return setting.file ? file : invocation; }
};

/// Places each entry at its setting's path: the command line over inputs over what is there. Items of one list given
/// several times at one place are joined.
///
/// Errors: bad_input for text that is no YAML where YAML is expected, and for `RUNTIME` or `PYTHON_VERSION` that
/// contradict `only`
Result<> overlay(Trees& trees, const std::vector<Entry>& entries);

}  // namespace crategate::config
