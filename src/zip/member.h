// What goes into an archive: a file of this machine, a text, or an empty directory.
#pragma once

#include <cstdint>
#include <string>

#include "sys/file_system.h"

namespace crategate::zip {

struct Member {
  enum class Kind : unsigned char { file, directory, text };
  std::string name;  ///< as in names.h; a directory's ends in '/'
  Kind kind = Kind::file;
  sys::Path source;        ///< of a file
  std::string content;     ///< of a text
  std::uint64_t size = 0;  ///< of a file when it was found: another size later is an error
  unsigned mode = 0644;    ///< permission bits
  bool operator==(const Member&) const = default;
};

}  // namespace crategate::zip
