// Which files an archive of some paths holds, and what they are called in it, as actions/upload-artifact decides it.
// Belongs here: looking for files, links, names.  Not here: patterns (pattern), reading (write).
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "sys/file_system.h"
#include "zip/member.h"

namespace crategate::zip {

struct SelectOptions {
  bool hidden = false;     ///< also what begins with a dot below the directory, and what is in such folders
  bool links_out = false;  ///< follow symbolic links that lead out of the root
};

struct Selection {
  sys::Path root;               ///< names are relative to it
  std::vector<Member> members;  ///< files, sorted by name; may be empty
};

/// Looks for `patterns` (pattern.h; later ones win; blank lines and lines with `#` say nothing) below `directory`.
/// The root is the folder that one pattern begins with, or the folder of its one file; of several patterns it is the
/// deepest folder that they have in common. Folders are not members. Symbolic links are followed, a cycle once. A link
/// that is found, not named, must stay below the root.
/// Errors: bad_input for a dangling link, one that leads out, a pipe, socket or device, a name that a download on some
/// system could not make (`" : < > | * ?` and line breaks), what cannot be read, more than two
/// million paths or ten thousand links to folders.
Result<Selection> select(const sys::Path& directory, const std::vector<std::string>& patterns,
                         const SelectOptions& options = {});

}  // namespace crategate::zip
