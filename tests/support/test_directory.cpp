// Plain file access for tests.
#include "support/test_directory.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

namespace crategate::test {

TestDirectory::TestDirectory() : directory_(sys::TemporaryDirectory::create().value()) {}

void TestDirectory::write(const sys::Path& relative, std::string_view bytes) const {
  std::filesystem::create_directories((path() / relative).parent_path());
  std::ofstream file(path() / relative, std::ios::binary);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

std::string TestDirectory::read(const sys::Path& relative) const {
  std::ifstream file(path() / relative, std::ios::binary);
  if (!file) ADD_FAILURE() << "there is no file " << path() / relative;
  return {std::istreambuf_iterator<char>(file), {}};
}

bool TestDirectory::exists(const sys::Path& relative) const {
  return std::filesystem::exists(std::filesystem::symlink_status(path() / relative));
}

}  // namespace crategate::test
