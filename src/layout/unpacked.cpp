// zlib and zstd behind one pulling source.
#include "layout/unpacked.h"

#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/sha256.h"
#include "base/strings.h"
#include "sys/cancel.h"

namespace crategate::layout {
namespace {

constexpr std::size_t kChunk = std::size_t{128} << 10U;
constexpr std::string_view kGzip = "\x1f\x8b\x08", kZstd = "\x28\xb5\x2f\xfd";

Failure damaged(std::string_view why) {
  return fail(ErrorCode::integrity, concat("compressed content: ", why),
              "save or push the image again; if it persists, the writer of the image is at fault");
}

/// One step of a decompressor: takes from `input`, appends to `output` up to its room.
class Decoder {
 public:
  Decoder() = default;
  virtual ~Decoder() = default;
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
  /// Takes what it can from the front of `input`, gives how many bytes it wrote to `output`.
  virtual Result<std::size_t> step(std::string_view& input, char* output, std::size_t room) = 0;
  /// Between members: the stream may end here.
  virtual bool at_end() const = 0;
};

class GzipDecoder final : public Decoder {
 public:
  GzipDecoder() { ready_ = inflateInit2(&stream_, MAX_WBITS + 16) == Z_OK; }
  ~GzipDecoder() override { inflateEnd(&stream_); }
  GzipDecoder(const GzipDecoder&) = delete;
  GzipDecoder& operator=(const GzipDecoder&) = delete;

  Result<std::size_t> step(std::string_view& input, char* output, std::size_t room) override {
    if (!ready_) return fail(ErrorCode::internal, "zlib does not start");
    const bool another = std::exchange(ended_, false);
    if (another) inflateReset(&stream_);
    // zlib's interface is older than const.
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));
    stream_.avail_in = static_cast<uInt>(std::min(input.size(), std::size_t{1} << 30U));
    const uInt given = stream_.avail_in;
    stream_.next_out = reinterpret_cast<Bytef*>(output);
    stream_.avail_out = static_cast<uInt>(room);
    const int code = inflate(&stream_, Z_NO_FLUSH);
    input.remove_prefix(given - stream_.avail_in);
    ended_ = code == Z_STREAM_END;
    if (code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR) return room - stream_.avail_out;
    if (another) return damaged("gzip: other bytes follow its end");
    return damaged(concat("gzip: ", stream_.msg == nullptr ? "it cannot be read" : stream_.msg));
  }
  bool at_end() const override { return ended_; }

 private:
  z_stream stream_{};
  bool ready_ = false, ended_ = false;
};

class ZstdDecoder final : public Decoder {
 public:
  Result<std::size_t> step(std::string_view& input, char* output, std::size_t room) override {
    ZSTD_inBuffer in{input.data(), input.size(), 0};
    ZSTD_outBuffer out{output, room, 0};
    const bool another = std::exchange(ended_, false);
    const std::size_t left = ZSTD_decompressStream(stream_.get(), &out, &in);
    if (ZSTD_isError(left) != 0) {
      return damaged(another ? "zstd: other bytes follow its end" : concat("zstd: ", ZSTD_getErrorName(left)));
    }
    input.remove_prefix(in.pos);
    ended_ = left == 0;
    return out.pos;
  }
  bool at_end() const override { return ended_; }

 private:
  struct Free {
    void operator()(ZSTD_DStream* stream) const { ZSTD_freeDStream(stream); }
  };
  std::unique_ptr<ZSTD_DStream, Free> stream_{ZSTD_createDStream()};
  bool ended_ = false;
};

std::unique_ptr<Decoder> decoder_of(Compression compression) {
  if (compression == Compression::gzip) return std::make_unique<GzipDecoder>();
  return std::make_unique<ZstdDecoder>();
}

class Unpacker {
 public:
  Unpacker(ViewSource source, Compression compression, Growth growth)
      : source_(std::move(source)), decoder_(decoder_of(compression)), growth_(growth) {}

  /// The next bytes, good until the next call; empty = the end.
  Result<std::string_view> next() {
    std::size_t filled = 0;
    while (filled < buffer_.size()) {
      if (input_.empty()) CG_CHECK(fetch());
      if (ended_ && decoder_->at_end()) break;
      CG_TRY(const std::size_t made, step(buffer_.data() + filled, buffer_.size() - filled));
      filled += made;
    }
    made_ += filled;
    if (made_ <= growth_.beyond || (made_ - growth_.beyond) / growth_.factor <= taken_) {
      return std::string_view(buffer_).substr(0, filled);
    }
    return damaged(
        concat("expected it to grow at most ", growth_.factor, " times, found ", made_, " bytes in ", taken_));
  }

 private:
  Result<void> fetch() {
    if (ended_) return {};
    CG_CHECK(sys::check_cancelled());
    CG_TRY(input_, source_());
    taken_ += input_.size();
    ended_ = input_.empty();
    return {};
  }

  Result<std::size_t> step(char* output, std::size_t room) {
    const std::size_t before = input_.size();
    CG_TRY(const std::size_t made, decoder_->step(input_, output, room));
    if (made == 0 && input_.size() == before && ended_ && !decoder_->at_end()) return damaged("it is cut short");
    return made;
  }

  ViewSource source_;
  std::unique_ptr<Decoder> decoder_;
  Growth growth_;
  std::string_view input_;  ///< what is left of the last chunk
  std::string buffer_ = std::string(kChunk, '\0');
  bool ended_ = false;
  std::uint64_t taken_ = 0, made_ = 0;
};

}  // namespace

Compression compression_of(std::string_view first_bytes) {
  if (first_bytes.starts_with(kGzip)) return Compression::gzip;
  return first_bytes.starts_with(kZstd) ? Compression::zstd : Compression::none;
}

ViewSource views_of(net::BodySource source) {
  return [source = std::move(source), held = std::string()]() mutable -> Result<std::string_view> {
    CG_TRY(held, source());
    return held;
  };
}

net::BodySource unpacked(net::BodySource source, Compression compression, Growth growth) {
  if (compression == Compression::none) return source;
  auto unpacker = std::make_shared<Unpacker>(views_of(std::move(source)), compression, growth);
  return [unpacker = std::move(unpacker)]() -> Result<std::string> {
    CG_TRY(const std::string_view bytes, unpacker->next());
    return std::string(bytes);
  };
}

Result<Peeked> peek(net::BodySource source) {
  std::string first;
  bool ended = false;
  while (first.size() < kZstd.size() && !ended) {
    CG_TRY(const std::string chunk, source());
    ended = chunk.empty();
    first += chunk;
  }
  const Compression compression = compression_of(first);
  return Peeked{compression,
                [source = std::move(source), first = std::move(first), ended]() mutable -> Result<std::string> {
                  if (!first.empty()) return std::exchange(first, {});
                  return ended ? std::string() : source();
                }};
}

Result<BlobFacts> examine(const ViewSource& source) {
  Sha256 outer, inner;
  std::uint64_t size = 0;
  CG_TRY(std::string_view chunk, source());
  const Compression compression = compression_of(chunk);
  bool first = true;
  const auto hashed = [&]() -> Result<std::string_view> {
    if (!std::exchange(first, false)) {
      CG_TRY(chunk, source());
    }
    outer.update(chunk);
    size += chunk.size();
    return chunk;
  };
  std::optional<Unpacker> unpacker;
  if (compression != Compression::none) unpacker.emplace(hashed, compression, Growth{});
  while (true) {
    CG_TRY(const std::string_view bytes, unpacker ? unpacker->next() : hashed());
    if (bytes.empty()) break;
    if (unpacker) inner.update(bytes);
  }
  auto content = oci::Digest::from_sha256_hex(outer.finish());
  auto diff_id = unpacker ? oci::Digest::from_sha256_hex(inner.finish()) : content;
  return BlobFacts{std::move(content), size, std::move(diff_id)};
}

}  // namespace crategate::layout
