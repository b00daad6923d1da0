// Every request that the client sends, met by every fault: what is swept, and what the end of each must be.
// Belongs here: the table.  Not here: running it (fault_sweep_test).
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "support/strict_registry.h"

namespace crategate::sweep {

struct NamedFault {
  std::string name;
  test::RegistryFault fault;
};
/// The faults of docs/testing.md.
std::vector<NamedFault> all_faults();

/// The requests that have an operation of their own below.
std::vector<test::RequestKind> all_kinds();

/// How an operation ends: one of these.
struct End {
  bool success = false;
  std::vector<ErrorCode> errors;
};
/// `once`: one request meets the fault; else every one.
End expected_end(test::RequestKind kind, const std::string& fault, bool once);

}  // namespace crategate::sweep
