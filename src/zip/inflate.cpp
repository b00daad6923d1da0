// zlib behind Unpacker. Hostile data comes through here, so it is the library that is attacked most that unpacks it.
#include "zip/inflate.h"

#include <zlib.h>

#include <algorithm>

#include "base/strings.h"
#include "zip/deflate.h"
#include "zip/end_record.h"

namespace crategate::zip {
namespace {

constexpr std::size_t kBlock = 128u << 10;
constexpr int kRawWindow = -15;

}  // namespace

struct Unpacker::State {
  z_stream stream{};
  std::string in = std::string(kBlock, '\0'), out = std::string(kBlock, '\0');
  bool ready = false;
  std::uint64_t given = 0;
  std::uint32_t crc = 0;

  State() { ready = inflateInit2(&stream, kRawWindow) == Z_OK; }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { inflateEnd(&stream); }

  /// The next block of data into `in`.
  Result<std::string_view> next(const Bytes& archive, const Entry& entry, std::uint64_t& at) {
    const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(entry.packed - at, in.size()));
    CG_CHECK(archive.read(entry.data + at, in.data(), length));
    at += length;
    return std::string_view(in).substr(0, length);
  }

  Result<void> give(std::string_view bytes, const Entry& entry, const ByteSink& sink) {
    if (bytes.size() > entry.size - given) return damaged(entry, "unpacks to more than the directory says");
    given += bytes.size();
    crc = zip::crc32(bytes, crc);
    return bytes.empty() ? Result<void>() : sink(bytes);
  }

  Result<void> inflate_all(const Bytes& archive, const Entry& entry, const ByteSink& sink) {
    if (!ready || inflateReset(&stream) != Z_OK) return fail(ErrorCode::internal, "zlib cannot be initialised");
    std::uint64_t at = 0;
    int code = Z_OK;
    stream.avail_in = 0;
    while (code != Z_STREAM_END) {
      if (stream.avail_in == 0 && at < entry.packed) {
        CG_TRY(const auto block, next(archive, entry, at));
        stream.next_in = reinterpret_cast<Bytef*>(in.data());
        stream.avail_in = static_cast<uInt>(block.size());
      }
      stream.next_out = reinterpret_cast<Bytef*>(out.data());
      stream.avail_out = static_cast<uInt>(out.size());
      code = inflate(&stream, Z_NO_FLUSH);
      if (code != Z_OK && code != Z_STREAM_END) return damaged(entry, "is no deflate stream, or one that is cut short");
      CG_CHECK(give(std::string_view(out).substr(0, out.size() - stream.avail_out), entry, sink));
    }
    if (stream.avail_in != 0 || at != entry.packed) return damaged(entry, "has more data than its stream");
    return {};
  }

  static Failure damaged(const Entry& entry, std::string_view why) {
    return refuse_archive(concat("has the member ", quoted(entry.name, 200), ", which ", why));
  }
};

Unpacker::Unpacker() : state_(std::make_unique<State>()) {}
Unpacker::Unpacker(Unpacker&&) noexcept = default;
Unpacker& Unpacker::operator=(Unpacker&&) noexcept = default;
Unpacker::~Unpacker() = default;

Result<void> Unpacker::unpack(const Bytes& archive, const Entry& entry, const ByteSink& sink) {
  State& state = *state_;
  state.given = 0;
  state.crc = 0;
  if (entry.method == kDeflated) CG_CHECK(state.inflate_all(archive, entry, sink));
  for (std::uint64_t at = 0; entry.method == kStored && at < entry.packed;) {
    CG_TRY(const auto block, state.next(archive, entry, at));
    CG_CHECK(state.give(block, entry, sink));
  }
  if (state.given != entry.size) return State::damaged(entry, "unpacks to less than the directory says");
  if (state.crc != entry.crc) return State::damaged(entry, "has another check sum than the directory says");
  return {};
}

Result<std::optional<std::string>> read_member(const Bytes& archive, std::string_view name, const Limits& limits) {
  CG_TRY(const Directory directory, read_directory(archive, limits));
  const auto found = std::find_if(directory.entries.begin(), directory.entries.end(),
                                  [name](const Entry& entry) { return entry.name == name && !entry.directory; });
  if (found == directory.entries.end()) return std::nullopt;
  std::string content;
  CG_CHECK(Unpacker().unpack(archive, *found, [&content](std::string_view bytes) -> Result<void> {
    content += bytes;
    return {};
  }));
  return content;
}

Result<std::optional<std::string>> read_member(const sys::Path& archive, std::string_view name, const Limits& limits) {
  CG_TRY(const Bytes bytes, bytes_of_file(archive));
  return read_member(bytes, name, limits);
}

}  // namespace crategate::zip
