// The matrix of cells and stages as plain words, for the terminal and the summary alike.
#pragma once

#include <string>
#include <vector>

#include "render/report.h"

namespace crategate::render {

using StageMember = StageReport CellReport::*;

/// The stages of a cell, in order, as the columns of the table.
struct Column {
  std::string_view title;
  StageMember stage;
};
const std::vector<Column>& stage_columns();

/// "passed 12.3 s", "cached", "24 tests, 1.4 s": what a stage came to.
std::string stage_text(const CellReport& cell, const Column& column);
/// `sha256:` and twelve digits of the tested manifest; empty without a record.
std::string short_digest(const CellReport& cell);
/// "latest braindotai/a: sha256:… → sha256:…" for each tag, whether moved or kept.
std::string move_text(const pipeline::TagMove& move);

}  // namespace crategate::render
