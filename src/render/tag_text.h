// How a tag and what it names are shown.
#pragma once

#include <optional>
#include <string>

#include "pipeline/tags.h"

namespace crategate::render {

/// `host/repository`, in the familiar form.
std::string repository_name(const std::string& repository);
/// `host/repository:tag`, in the familiar form.
std::string tag_name(const pipeline::TagMove& move);
/// `sha256:…`, or `absent`.
std::string digest_or_absent(const std::optional<oci::Digest>& digest);

}  // namespace crategate::render
