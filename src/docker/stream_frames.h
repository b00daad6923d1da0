// The engine's multiplexed output of a container without a TTY
// (https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Container/operation/ContainerAttach).
// Belongs here: bytes → payload.  Not here: where they come from.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace crategate::docker {

/// Takes frames (1 byte stream, 3 zero bytes, 4 bytes big-endian length, payload) cut anywhere and hands on the payload
/// of standard output and standard error in the order of the frames.
class FrameParser {
 public:
  using Sink = std::function<Result<void>(std::string_view payload)>;
  /// Errors: engine for bytes that are no frames and for a message of the engine itself; whatever `sink` answers.
  Result<void> feed(std::string_view bytes, const Sink& sink);
  /// False while a frame is incomplete: the end of the stream here means that output was lost.
  bool at_boundary() const { return header_size_ == 0 && left_ == 0; }

 private:
  Result<void> begin_payload();
  std::array<unsigned char, 8> header_{};
  std::size_t header_size_ = 0;
  std::uint32_t left_ = 0;
  bool from_engine_ = false;
  std::string engine_message_;
};

}  // namespace crategate::docker
