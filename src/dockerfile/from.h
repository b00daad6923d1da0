// The images that the stages of a Dockerfile begin with.
// Belongs here: whether a name is one of them.  Not here: what it stands for (docker/base_image).
#pragma once

#include <string>
#include <string_view>

namespace crategate::dockerfile {

/// False when every `FROM` names another image, to the letter. One that a person cannot read off (an argument, a
/// continued line) may name any, and so may a text without one.
bool may_begin_with(std::string_view text, const std::string& image);

}  // namespace crategate::dockerfile
