// The archive layer alone as a program, for timing it: `zip_driver pack LEVEL ARCHIVE PATH…`, `zip_driver unpack ARCHIVE
// FOLDER`. Prints sizes and its own peak of memory.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "zip/extract.h"
#include "zip/selection.h"
#include "zip/write.h"

namespace {

using crategate::Result;

Result<std::string> pack(int level, const std::string& archive, const std::vector<std::string>& paths) {
  CG_TRY(const auto selection, crategate::zip::select(".", paths));
  std::ofstream file(archive, std::ios::binary);
  const auto sink = [&file](std::string_view bytes) -> Result<void> {
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    return file ? Result<void>() : crategate::fail(crategate::ErrorCode::no_space, "cannot write the archive");
  };
  CG_TRY(const auto written, crategate::zip::write(selection.members, {.level = level}, sink));
  return std::to_string(written.members) + " members, " + std::to_string(written.content) + " -> " +
         std::to_string(written.size);
}

Result<std::string> unpack(const std::string& archive, const std::string& folder) {
  CG_TRY(const auto done, crategate::zip::extract(archive, folder, {}));
  return std::to_string(done.members) + " members, " + std::to_string(done.content);
}

/// Of this program alone; what getrusage tells begins before exec.
long peak_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::atol(line.c_str() + 6);
  }
  return 0;
}

}  // namespace

int main(int count, char** values) {
  const std::vector<std::string> arguments(values + 1, values + count);
  Result<std::string> done =
      crategate::fail(crategate::ErrorCode::bad_input, "pack LEVEL ARCHIVE PATH… or unpack ARCHIVE FOLDER");
  if (arguments.size() >= 4 && arguments[0] == "pack")
    done = pack(std::atoi(arguments[1].c_str()), arguments[2], {arguments.begin() + 3, arguments.end()});
  if (arguments.size() == 3 && arguments[0] == "unpack") done = unpack(arguments[1], arguments[2]);
  std::printf("%s, peak %ld KiB\n", done ? done->c_str() : crategate::describe(done.error()).c_str(), peak_kib());
  return done ? 0 : 1;
}
