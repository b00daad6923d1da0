// zlib behind GzipStream.
#include "layout/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <string>

namespace crategate::layout {
namespace {

constexpr int kLevel = 6;
constexpr int kGzipWindow = 15 + 16;
constexpr int kMemory = 8;
constexpr int kUnknownSystem = 255;

}  // namespace

struct GzipStream::State {
  z_stream stream{};
  gz_header header{};
  std::string out = std::string(64U << 10U, '\0');
  bool ready = false;

  State() {
    header.os = kUnknownSystem;
    ready = deflateInit2(&stream, kLevel, Z_DEFLATED, kGzipWindow, kMemory, Z_DEFAULT_STRATEGY) == Z_OK &&
            deflateSetHeader(&stream, &header) == Z_OK;
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { deflateEnd(&stream); }

  Result<void> deflate_into(std::string_view bytes, int flush, const Sink& sink) {
    if (!ready) return fail(ErrorCode::internal, "zlib cannot be initialised");
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    int code = Z_OK;
    do {
      stream.next_out = reinterpret_cast<Bytef*>(out.data());
      stream.avail_out = static_cast<uInt>(out.size());
      code = deflate(&stream, flush);
      if (code == Z_STREAM_ERROR) return fail(ErrorCode::internal, "zlib refuses to compress a layer");
      CG_CHECK(sink(std::string_view(out).substr(0, out.size() - stream.avail_out)));
    } while (stream.avail_out == 0);
    return {};
  }
};

GzipStream::GzipStream() : state_(std::make_unique<State>()) {}
GzipStream::GzipStream(GzipStream&&) noexcept = default;
GzipStream& GzipStream::operator=(GzipStream&&) noexcept = default;
GzipStream::~GzipStream() = default;

Result<void> GzipStream::write(std::string_view bytes, const Sink& sink) {
  constexpr std::size_t kPiece = std::numeric_limits<uInt>::max();
  while (!bytes.empty()) {
    const auto piece = bytes.substr(0, kPiece);
    bytes.remove_prefix(piece.size());
    CG_CHECK(state_->deflate_into(piece, Z_NO_FLUSH, sink));
  }
  return {};
}

Result<void> GzipStream::finish(const Sink& sink) { return state_->deflate_into({}, Z_FINISH, sink); }

}  // namespace crategate::layout
