// An image where a person says it is: in a registry or in an OCI layout.
// Belongs here: `[docker://]REFERENCE` and `oci:DIR[:NAME]`.  Not here: engines and archives (inspect).
#pragma once

#include <memory>
#include <string>

#include "registry/client.h"
#include "stages/layout_registry.h"

namespace crategate::stages {

/// The two roles of one place, and the name of the image there.
struct ImagePlace {
  oci::Reference reference;
  registry::RegistryReader* reader = nullptr;
  registry::RegistryWriter* writer = nullptr;
  std::shared_ptr<LayoutRegistry> layout;  ///< null for a registry
  std::string text() const;                ///< as a person writes it
  std::string directory;                   ///< of the layout
};

/// `default_tag`: of a reference without tag and digest; empty = none is added. `create`: a layout may be new.
///
/// Effects:  reads or makes the layout
/// Errors:   bad_input for another form, and for a layout with several images when none is named; not_found
Result<ImagePlace> find_place(const std::string& text, registry::RegistryReader& reader,
                              registry::RegistryWriter& writer, const std::string& default_tag, bool create);

/// `oci:DIR[:NAME]`, to be read; nothing is made.
/// Errors: as above.
Result<ImagePlace> find_in_layout(const std::string& text);

}  // namespace crategate::stages
