// A directory of a test's own, removed at its end.
#pragma once

#include <string>
#include <string_view>

#include "sys/file_system.h"

namespace crategate::test {

class TestDirectory {
 public:
  TestDirectory();
  const sys::Path& path() const { return directory_.path(); }
  sys::Path operator/(const sys::Path& relative) const { return path() / relative; }
  /// Makes missing directories; follows links, as a test wants it.
  void write(const sys::Path& relative, std::string_view bytes) const;
  /// Fails the test when the file is absent.
  std::string read(const sys::Path& relative) const;
  bool exists(const sys::Path& relative) const;

 private:
  sys::TemporaryDirectory directory_;
};

}  // namespace crategate::test
