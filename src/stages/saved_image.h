// An image of the engine as an archive to pull from: the engine pushes its save stream, readers pull.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/result.h"
#include "docker/engine.h"
#include "net/http.h"

namespace crategate::stages {

/// Saves `image` on a thread of its own; at most a few chunks wait in memory. Ends the transfer when destroyed early.
class SavedImage {
 public:
  SavedImage(docker::Engine& engine, std::string image);
  ~SavedImage();
  SavedImage(const SavedImage&) = delete;
  SavedImage& operator=(const SavedImage&) = delete;
  /// The next bytes; empty = the whole archive has been read.
  /// Errors: whatever saving failed with.
  Result<std::string> next();
  net::BodySource source();

 private:
  Result<void> push(std::string_view bytes);
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> chunks_;
  std::optional<Result<void>> ended_;
  bool abandoned_ = false;
  std::thread saver_;
};

}  // namespace crategate::stages
