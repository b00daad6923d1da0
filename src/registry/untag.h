// One tag less.
// Belongs here: how a registry that deletes by digest only loses a tag, and nothing else.  Not here: requests (write).
#pragma once

#include "base/result.h"
#include "registry/client.h"

namespace crategate::registry {

/// Removes a tag; what it named stays, and so do all other tags of that. Some registries (distribution 2.8) delete by digest
/// only, with every tag of the manifest: there the tag is pointed at an empty manifest of its own first, which is then
/// deleted with it. Where that fails, the tag names again what it named.
///
/// Effects: network
/// Errors:  of RegistryReader and RegistryWriter; conflict where the registry deletes neither tags nor manifests
/// False = it was not there.
Result<bool> remove_tag(RegistryReader& reader, RegistryWriter& writer, const oci::Reference& tag);

}  // namespace crategate::registry
