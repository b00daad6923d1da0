// libFuzzer target: any bytes as an archive. What is accepted has sound names, and unpacks to what its directory says.
#include <cstdlib>

#include "zip/inflate.h"
#include "zip/names.h"

namespace crategate::zip {
namespace {

constexpr Limits kSmall{
    .archive = 1u << 20, .members = 100, .member = 1u << 20, .total = 4u << 20, .ratio = 100, .ratio_from = 64u << 10};

void require(bool fact) {
  if (!fact) std::abort();
}

void read(std::string_view bytes) {
  const Bytes archive = bytes_in_memory(bytes);
  const auto directory = read_directory(archive, kSmall);
  require(directory || !directory.error().message.empty());
  if (!directory) return;
  require(find_comment(bytes) == directory->comment);
  Unpacker unpacker;
  for (const Entry& entry : directory->entries) {
    require(!fault_of_name(entry.name, kSmall.depth));
    require(entry.data + entry.packed <= bytes.size());
    std::uint64_t given = 0;
    const auto unpacked = unpacker.unpack(archive, entry, [&given](std::string_view more) -> Result<void> {
      given += more.size();
      return {};
    });
    require(given <= entry.size && (!unpacked || given == entry.size));
  }
}

}  // namespace
}  // namespace crategate::zip

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  crategate::zip::read({reinterpret_cast<const char*>(data), size});
  return 0;
}
