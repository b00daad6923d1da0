// Attaching without missing the first byte or hanging on the last.
#include "docker/attachment.h"

#include "base/strings.h"

namespace crategate::docker {

Attachment::Attachment(EngineApi& api, std::string container, FrameParser::Sink on_output)
    : api_(api), container_(std::move(container)), on_output_(std::move(on_output)), reader_([this] {
        auto outcome = read();
        const std::lock_guard lock(mutex_);
        outcome_ = std::move(outcome);
        finished_ = true;
        ended_.notify_all();
      }) {}

Attachment::~Attachment() { reader_.join(); }

Result<void> Attachment::read() {
  Call call{.method = "POST", .target = concat("/containers/", container_, "/attach?stream=1&stdout=1&stderr=1")};
  call.timeout = std::chrono::milliseconds(0);  // a test may be silent for as long as its own time limit allows
  call.ignore_cancellation = true;              // the last output of a cancelled container is wanted too
  call.sink = [this](std::string_view bytes) { return frames_.feed(bytes, on_output_); };
  CG_TRY(const net::Response response, api_.send(call));
  if (response.status == 200 || response.status == 101) return {};
  return fail(engine_failure(concat("attach to the container ", container_), call, response));
}

bool Attachment::wait(std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  return ended_.wait_for(lock, limit, [this] { return finished_; });
}

Result<void> Attachment::outcome() {
  const std::lock_guard lock(mutex_);
  return outcome_;
}

bool Attachment::complete() {
  const std::lock_guard lock(mutex_);
  return finished_ && frames_.at_boundary();
}

}  // namespace crategate::docker
