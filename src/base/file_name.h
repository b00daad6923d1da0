// Names of files as file systems see them that ignore case, widthless characters or what NTFS drops.
// Belongs here: which two names are one there, and which are git's own.  Not here: which files may change (pipeline).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace crategate {

/// `name` as file systems see it that do not tell upper from lower case.
std::string fold_case(std::string_view name);

/// One form of a component for all spellings that some file system (APFS, HFS+, NTFS) may take for the same one: case,
/// accents composed or apart, characters without width, full width; behind a ':' and dots and blanks at the end nothing
/// counts. Two that differ are apart everywhere but for rarer scripts and NTFS' short names.
std::string folded_component(std::string_view component);

/// `.git` in each of these spellings, and `GIT~1` (CVE-2014-9390, CVE-2019-1352).
bool is_git_directory(std::string_view component);

/// No component of the path is empty, `.` or `..`: as git and tar name what is below a folder.
bool has_one_spelling(std::string_view path);

inline constexpr std::size_t kLongestTreePath = 4096;
/// Why no checkout takes `path` of a tree, as git sees it on every system; nullopt = some do.
std::optional<std::string> fault_of_tree_path(std::string_view path);
std::optional<std::string> fault_of_tree_component(std::string_view component);

}  // namespace crategate
