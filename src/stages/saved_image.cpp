#include "stages/saved_image.h"

#include <utility>

namespace crategate::stages {
namespace {

constexpr std::size_t kWaitingChunks = 16;

}  // namespace

SavedImage::SavedImage(docker::Engine& engine, std::string image)
    : saver_([this, &engine, name = std::move(image)] {
        auto saved = engine.save_image(name, [this](std::string_view bytes) { return push(bytes); });
        const std::lock_guard lock(mutex_);
        ended_ = std::move(saved);
        changed_.notify_all();
      }) {}

SavedImage::~SavedImage() {
  {
    const std::lock_guard lock(mutex_);
    abandoned_ = true;
    changed_.notify_all();
  }
  saver_.join();
}

Result<void> SavedImage::push(std::string_view bytes) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return abandoned_ || chunks_.size() < kWaitingChunks; });
  if (abandoned_) return fail(ErrorCode::interrupted, "saving the image was abandoned");
  chunks_.emplace_back(bytes);
  changed_.notify_all();
  return {};
}

Result<std::string> SavedImage::next() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return ended_.has_value() || !chunks_.empty(); });
  if (!chunks_.empty()) {
    std::string bytes = std::move(chunks_.front());
    chunks_.pop_front();
    changed_.notify_all();
    return bytes;
  }
  if (!*ended_) return fail(ended_->error());
  return std::string();
}

net::BodySource SavedImage::source() {
  return [this] { return next(); };
}

}  // namespace crategate::stages
