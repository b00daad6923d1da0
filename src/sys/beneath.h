// Opening what lies below a directory without following a symbolic link and without leaving it.
// Belongs here: resolution of paths.  Not here: what is read or written.
#pragma once

#include "base/result.h"
#include "sys/descriptor.h"
#include "sys/file_system.h"

namespace crategate::sys {

/// The components of a path that can only lead downwards.
/// Errors: bad_input for an empty or absolute path, `..`, or a NUL byte.
Result<std::vector<std::string>> components_below(const Path& relative);

/// A descriptor of `directory` itself (O_PATH), links followed: the user named it. -1 with errno.
Descriptor open_root(const Path& directory);

/// openat2(RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS); a kernel without it goes component by component.
/// -1 with errno: ELOOP for a symbolic link anywhere. https://man7.org/linux/man-pages/man2/openat2.2.html
Descriptor open_beneath(const Descriptor& root, const std::vector<std::string>& components, int flags);
Descriptor open_beneath_by_component(const Descriptor& root, const std::vector<std::string>& components, int flags);

/// The directory that will hold the last component, missing directories made.
/// Effects: writes directories.
/// Errors: bad_input (link, escape, not a directory), no_space, internal.
struct Place {
  Descriptor directory;
  std::string name;
  Path shown;  ///< the whole path, for messages
};
Result<Place> make_place(const Path& root, const Path& relative);
Result<Place> make_place(const Descriptor& root, const Path& relative);

/// A new file in place of whatever has that name now; a link is replaced, never followed.
Result<Descriptor> create_replacing(const Place& place, unsigned mode);

}  // namespace crategate::sys
