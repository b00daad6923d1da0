// Who made an artifact: the marker that stands in the comment of every archive of ours.
// Belongs here: the marker and what it decides.  Not here: archives (zip) and stores (actions).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace crategate::pipeline {

struct Maker {
  std::string run;           ///< GITHUB_RUN_ID; empty outside a workflow
  std::string attempt;       ///< GITHUB_RUN_ATTEMPT
  std::string job;           ///< GITHUB_JOB, with the cell it worked on
  std::string text() const;  ///< for people: "job build (attempt 2 of run 7)"
  bool operator==(const Maker&) const = default;
};

/// Canonical JSON, short enough for any comment.
std::string to_json(const Maker& maker);
/// nullopt for everything that is not a marker of ours: another tool made that archive.
std::optional<Maker> parse_maker(std::string_view text);

/// Whether an artifact of the same name gives way: only that of an earlier attempt of the same run does. Names carry no
/// attempt, so a re-run meets its own earlier ones; two jobs of one attempt that use one name are a mistake.
/// Errors: artifact_service, naming both makers.
Result<void> judge_replacing(std::string_view name, const std::optional<Maker>& existing, const Maker& own);

}  // namespace crategate::pipeline
