// libdeflate behind Compressor; zlib only where libdeflate has nothing (joining check sums).
#include "zip/deflate.h"

#include <libdeflate.h>
#include <zlib.h>

#include <array>
#include <utility>

#include "base/strings.h"
#include "zip/seam.h"

namespace crategate::zip {
namespace {

/// The library's own level for each of ours, none slower than zlib's of that number.
constexpr std::array<int, kHighestLevel + 1> kEffort = {0, 1, 1, 1, 2, 2, 2, 4, 6, 8};

struct FreeCompressor {
  void operator()(libdeflate_compressor* compressor) const { libdeflate_free_compressor(compressor); }
};

}  // namespace

struct Compressor::State {
  std::unique_ptr<libdeflate_compressor, FreeCompressor> compressor;
  std::string part;
};

Compressor::Compressor(std::unique_ptr<State> state) : state_(std::move(state)) {}
Compressor::Compressor(Compressor&&) noexcept = default;
Compressor& Compressor::operator=(Compressor&&) noexcept = default;
Compressor::~Compressor() = default;

Result<Compressor> Compressor::create(int level) {
  if (level < 0 || level > kHighestLevel)
    return fail(ErrorCode::bad_input, concat("compression level ", level, ": expected 0 to ", kHighestLevel),
                "0 stores, 1 is the fastest, 9 the smallest");
  auto state = std::make_unique<State>();
  state->compressor.reset(libdeflate_alloc_compressor(kEffort[static_cast<std::size_t>(level)]));
  if (!state->compressor) return fail(ErrorCode::internal, "no memory for a compressor");
  return Compressor(std::move(state));
}

Result<void> Compressor::append(std::string_view bytes, End end, std::string& to) {
  std::string& part = state_->part;
  const std::size_t bound = libdeflate_deflate_compress_bound(state_->compressor.get(), bytes.size());
  if (part.size() < bound) part.resize(bound);
  const std::size_t size =
      libdeflate_deflate_compress(state_->compressor.get(), bytes.data(), bytes.size(), part.data(), part.size());
  if (size == 0) return fail(ErrorCode::internal, concat("libdeflate cannot compress ", bytes.size(), " bytes"));
  if (end == End::last) {
    to.append(part, 0, size);
    return {};
  }
  std::string open(part, 0, size);
  CG_CHECK(open_end(open, bytes.size()));
  to += open;
  return {};
}

std::uint32_t crc32(std::string_view bytes, std::uint32_t before) {
  return libdeflate_crc32(before, bytes.data(), bytes.size());
}

std::uint32_t join_crc32(std::uint32_t first, std::uint32_t second, std::uint64_t second_length) {
  return static_cast<std::uint32_t>(::crc32_combine(first, second, static_cast<z_off_t>(second_length)));
}

}  // namespace crategate::zip
