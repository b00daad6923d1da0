// Demultiplexing, one state machine over bytes cut anywhere.
#include "docker/stream_frames.h"

#include <algorithm>

#include "base/strings.h"

namespace crategate::docker {
namespace {

constexpr unsigned char kStderr = 2;
constexpr unsigned char kEngine = 3;
constexpr std::size_t kEngineMessageLimit = 4096;

}  // namespace

Result<void> FrameParser::begin_payload() {
  header_size_ = 0;
  if (header_[0] > kEngine || header_[1] != 0 || header_[2] != 0 || header_[3] != 0) {
    const std::string found(header_.begin(), header_.end());
    return fail(
        ErrorCode::engine,
        concat("the container's output: expected a frame header of the engine, found ", crategate::quoted(found)),
        "check that DOCKER_HOST names a Docker engine and not a proxy that changes the stream");
  }
  from_engine_ = header_[0] > kStderr;
  left_ = (std::uint32_t{header_[4]} << 24U) | (std::uint32_t{header_[5]} << 16U) | (std::uint32_t{header_[6]} << 8U) |
          std::uint32_t{header_[7]};
  return {};
}

Result<void> FrameParser::feed(std::string_view bytes, const Sink& sink) {
  while (!bytes.empty()) {
    if (left_ == 0) {
      const std::size_t taken = std::min(bytes.size(), header_.size() - header_size_);
      std::copy_n(bytes.begin(), taken, header_.begin() + static_cast<std::ptrdiff_t>(header_size_));
      header_size_ += taken;
      bytes.remove_prefix(taken);
      if (header_size_ == header_.size()) CG_CHECK(begin_payload());
      continue;
    }
    const std::string_view payload = bytes.substr(0, left_);
    bytes.remove_prefix(payload.size());
    left_ -= static_cast<std::uint32_t>(payload.size());
    if (!from_engine_) {
      CG_CHECK(sink(payload));
      continue;
    }
    engine_message_ += payload.substr(0, kEngineMessageLimit - std::min(kEngineMessageLimit, engine_message_.size()));
    if (left_ == 0) {
      return fail(ErrorCode::engine,
                  concat("the engine could not deliver the container's output: ", neutralise(trim(engine_message_))));
    }
  }
  return {};
}

}  // namespace crategate::docker
