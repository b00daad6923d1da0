// libFuzzer target: any bytes as gzip or zstd: what comes out is the same however the bytes are cut, and stays in proportion.
#include "layout/unpacked.h"

#include "base/sha256.h"
#include "fuzz/property.h"

namespace crategate::layout {
namespace {

using fuzz::require;

constexpr Growth kSmall{.factor = 20, .beyond = 1U << 20U};

struct Outcome {
  bool ended = false;
  std::uint64_t size = 0;
  std::string digest;
};

Outcome unpack(std::string_view bytes, std::size_t piece) {
  const auto source = unpacked(
      [bytes, piece]() mutable -> Result<std::string> {
        std::string chunk(bytes.substr(0, piece));
        bytes.remove_prefix(chunk.size());
        return chunk;
      },
      compression_of(bytes), kSmall);
  Outcome outcome;
  Sha256 hash;
  while (true) {
    const auto chunk = source();
    require(chunk || (chunk.error().code == ErrorCode::integrity && !chunk.error().message.empty()));
    if (!chunk) return outcome;
    outcome.size += chunk->size();
    hash.update(*chunk);
    if (!chunk->empty()) continue;
    outcome.ended = true;
    outcome.digest = hash.finish();
    return outcome;
  }
}

void check(std::string_view bytes) {
  const Outcome whole = unpack(bytes, bytes.size() + 1), pieces = unpack(bytes, 13);
  require(whole.size <= kSmall.beyond + kSmall.factor * (bytes.size() + 1) + (1U << 20U));
  require(whole.ended == pieces.ended && whole.digest == pieces.digest);
}

}  // namespace
}  // namespace crategate::layout

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  crategate::layout::check(crategate::fuzz::text_of(data, size));
  return 0;
}
