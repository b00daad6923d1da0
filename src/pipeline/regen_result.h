// What a generation of files came to, beside the patch that it made: regen.json.
// Belongs here: the document.  Not here: which of the files may be committed (regen_policy).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/tree_change.h"
#include "config/configuration.h"

namespace crategate::pipeline {

enum class FileChange : unsigned char { added, modified, deleted };
std::string_view to_string(FileChange change);
FileChange kind_of(const TreeChange& change);

struct RegenFile {
  std::string path;
  FileChange change = FileChange::modified;
  bool operator==(const RegenFile&) const = default;
};

struct RegenResult {
  std::int64_t pull_request = 0;  ///< 0 = none: a person's own run
  std::string sha;                ///< the commit whose files they are
  std::string image;              ///< in which they were made
  std::string tree;               ///< that the patch makes of the commit's
  std::string patch_sha256;       ///< 64 hex digits
  std::int64_t patch_bytes = 0;
  std::vector<RegenFile> files;  ///< in git's order
  bool changed() const { return !files.empty(); }
  bool operator==(const RegenResult&) const = default;
};

/// Bytes. Git's format is text, with binary content in base 85.
std::uint64_t largest_patch(const config::Regen& settings);

/// Canonical JSON. Paths must be UTF-8.
std::string to_json(const RegenResult& result);

/// As strangers may have written it: the fields say no more than that the program in the container could have said so.
/// Errors: bad_input for another schema, an unknown or missing member, ids that are none, a path that is empty, absolute,
/// twice there or too long, more than `most_files`.
Result<RegenResult> parse_regen_result(std::string_view text, std::string_view file_name, std::size_t most_files);

}  // namespace crategate::pipeline
