// The text of a patch, line by line, before anything of it is believed or unpacked.
// Belongs here: git's format and what a patch may cost.  Not here: what the patch fits to (tree_apply).
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace crategate::git {

/// What one patch may hold; more is refused before memory is taken for it.
struct PatchLimits {
  std::size_t files = 50'000;
  std::size_t lines = 4'000'000;
  std::uint64_t content = 512U << 20U;  ///< bytes that its binary parts unpack to
};

/// One file of a patch.
struct PatchedFile {
  std::size_t line = 0;    ///< of its `diff --git`, from 1
  std::size_t uneven = 0;  ///< hunks that make the file longer or shorter
  std::size_t added = 0;   ///< lines
};

/// The files of `patch`, if every line of it belongs to one as `git diff --binary --full-index --no-renames` writes them:
/// whole oids, hunks in order that count right and change something, no NUL, nothing before, between or behind.
///
/// libgit2 passes over what it does not know, and takes a line up to a NUL for all of it, its length for that of the line.
/// Errors: bad_input naming the line.
Result<std::vector<PatchedFile>> check_patch_form(std::string_view patch, const PatchLimits& limits = {});

}  // namespace crategate::git
