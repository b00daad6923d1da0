// To whom a new file belongs when root makes it in somebody's directory: as in a container of a workflow, where the
// workspace is the runner's, and its later steps must be able to change and remove what they find.
// Belongs here: the owner of what was just made.  Not here: what was there before; it keeps its owner.
#pragma once

#include <string>

#include "sys/descriptor.h"

namespace crategate::sys {

/// Gives `made`, new in `directory`, to the owner of `directory` when this process is root and that owner is not.
/// What the file system does not allow stays as it is.
void give_to_owner(const Descriptor& directory, const Descriptor& made);
/// The same for the new entry `name`; a link is not followed.
void give_to_owner(int directory, const std::string& name);
/// The same for a new path and the directory that it is in.
void give_to_owner(const std::string& path);

/// `uid:gid` of whom files belong to that this process makes in a directory, or has made there by a container.
std::string owner_of_new_files(const std::string& directory);

}  // namespace crategate::sys
