// Findings as SARIF 2.1.0, for code scanning (https://docs.oasis-open.org/sarif/sarif/v2.1.0/).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pipeline/scan.h"

namespace crategate::render {

/// One run in the category `crategate/scan/<cell>/`; a rule for each id, a result for each finding, the worst 5000 of them
/// (code scanning shows no more). `place`: the file of the repository that results point at, the cell's Dockerfile.
std::string sarif(const pipeline::ScanResult& result, const std::vector<pipeline::ScanFinding>& findings,
                  std::string_view place);

}  // namespace crategate::render
