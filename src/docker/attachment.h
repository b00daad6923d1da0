// The output of one container, read on a thread of its own.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "base/result.h"
#include "docker/engine_api.h"
#include "docker/stream_frames.h"

namespace crategate::docker {

/// Attached from construction until the container ends or is removed; the destructor waits for that.
class Attachment {
 public:
  Attachment(EngineApi& api, std::string container, FrameParser::Sink on_output);
  ~Attachment();
  Attachment(const Attachment&) = delete;
  Attachment& operator=(const Attachment&) = delete;

  /// Waits until the stream has ended, at most for `limit`; true = it has.
  bool wait(std::chrono::milliseconds limit);
  bool finished() { return wait(std::chrono::milliseconds(0)); }
  /// Of a finished attachment.
  /// Errors: what the sink answered; engine when the stream broke or never began.
  Result<void> outcome();
  /// True when the stream ended between two frames.
  bool complete();

 private:
  Result<void> read();
  EngineApi& api_;
  std::string container_;
  FrameParser::Sink on_output_;
  FrameParser frames_;
  std::mutex mutex_;
  std::condition_variable ended_;
  bool finished_ = false;
  Result<void> outcome_;
  std::thread reader_;
};

}  // namespace crategate::docker
