// libFuzzer target: any bytes as an image archive (A63 to A70): bounded memory and time, the same verdict however the bytes
// are cut, and no image whose parts were not checked.
#include "layout/archive.h"

#include <algorithm>

#include "fuzz/property.h"

namespace crategate::layout {
namespace {

using fuzz::require;

Result<ArchiveConfig> read(std::string_view bytes, std::size_t piece) {
  const auto source = [bytes, piece]() mutable -> Result<std::string> {
    std::string chunk(bytes.substr(0, piece));
    bytes.remove_prefix(chunk.size());
    return chunk;
  };
  return read_archive_config(source, oci::Platform{});
}

void check(std::string_view bytes) {
  const auto whole = read(bytes, bytes.size() + 1), pieces = read(bytes, 97);
  require(whole.has_value() == pieces.has_value());
  if (!whole) {
    require(whole.error().code == ErrorCode::integrity && !whole.error().message.empty());
    return;
  }
  require(whole->config_digest == pieces->config_digest && whole->manifest == pieces->manifest);
  require(whole->image.platform.os == "linux" && whole->image.platform.architecture == "amd64");
}

}  // namespace
}  // namespace crategate::layout

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  crategate::layout::check(crategate::fuzz::text_of(data, size));
  return 0;
}
