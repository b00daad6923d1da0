// The bytes of one registry's blob as the body of an upload to another.
// Belongs here: turning a reader that pushes into a source that is pulled, with bounded memory.
#pragma once

#include "registry/client.h"

namespace crategate::registry {

/// Each open() reads the blob from its beginning, in a thread of its own, at most 1 MiB ahead, and leaves out what comes
/// before the offset: so every byte is checked, and the last piece is not handed on before digest and size are right.
/// `source` must outlive it.
/// Errors of the source it opens: not_found, and those of read_blob.
BlobSource stream_from(RegistryReader& source, const oci::Repository& repository, const oci::Descriptor& blob);

}  // namespace crategate::registry
