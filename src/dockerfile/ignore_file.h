// `.dockerignore`: what of a build context stays behind (https://docs.docker.com/build/concepts/context/).
#pragma once

#include <string_view>

namespace crategate::dockerfile {

/// Whether `path` (relative to the context, with `/`) is left out by the patterns in `text`: the last one that matches
/// the path or one of its directories counts, `!` takes it back. A pattern with a class, an escape or a detour leaves
/// nothing out, and takes everything back.
bool is_ignored(std::string_view text, std::string_view path);

}  // namespace crategate::dockerfile
