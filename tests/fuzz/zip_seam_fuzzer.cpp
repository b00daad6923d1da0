// libFuzzer target: any bytes as a deflate stream. What zlib unpacks can be joined, and stays the same; nothing crashes.
#include <zlib.h>

#include <cstdlib>
#include <optional>

#include "zip/seam.h"

namespace {

constexpr std::size_t kRoom = 64u << 10;  ///< bytes of text that are looked at

/// The whole text of one stream that ends with `bytes`; nullopt when zlib sees no such stream.
std::optional<std::string> unpacked(std::string bytes) {
  z_stream stream{};
  if (inflateInit2(&stream, -15) != Z_OK) std::abort();
  std::string text(kRoom, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(bytes.data());
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(text.data());
  stream.avail_out = static_cast<uInt>(text.size());
  const bool whole = inflate(&stream, Z_FINISH) == Z_STREAM_END && stream.avail_in == 0;
  text.resize(stream.total_out);
  inflateEnd(&stream);
  return whole ? std::optional(std::move(text)) : std::nullopt;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string stream(reinterpret_cast<const char*>(data), size);
  const auto text = unpacked(stream);
  std::string joined = stream;
  const bool opened = crategate::zip::open_end(joined, text ? text->size() : size).has_value();
  if (text && !opened) std::abort();
  const std::string nothing("\x03\x00", 2);
  if (text && unpacked(joined + nothing) != text) std::abort();
  return 0;
}
