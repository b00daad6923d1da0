#include "registry/blob_stream.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "base/strings.h"

namespace crategate::registry {
namespace {

constexpr std::size_t kAhead = 1u << 20;  ///< bytes

class BlobStream {
 public:
  BlobStream(RegistryReader& source, oci::Repository repository, oci::Descriptor blob, std::uint64_t skip)
      : source_(source), repository_(std::move(repository)), blob_(std::move(blob)), skip_(skip) {
    reader_ = std::thread([this] { read(); });
  }
  BlobStream(const BlobStream&) = delete;
  BlobStream& operator=(const BlobStream&) = delete;
  ~BlobStream() {
    {
      const std::lock_guard lock(mutex_);
      abandoned_ = true;
    }
    changed_.notify_all();
    reader_.join();
  }

  Result<std::string> next() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !pieces_.empty() || end_; });
    if (pieces_.empty()) {
      if (!*end_) return fail(end_->error());
      return std::string();
    }
    std::string piece = std::move(pieces_.front());
    pieces_.pop_front();
    waiting_ -= piece.size();
    changed_.notify_all();
    return piece;
  }

 private:
  void read() {
    auto found = source_.read_blob(repository_, blob_, [this](std::string_view bytes) { return take(bytes); });
    Result<void> end;
    if (!found) {
      end = fail(std::move(found).error());
    } else if (!*found) {
      end = fail(ErrorCode::not_found,
                 concat(repository_.familiar(), ": expected the blob ", blob_.digest.text(), ", found no such blob"),
                 "the image is not complete where it is copied from; push it there again");
    }
    const std::lock_guard lock(mutex_);
    end_ = std::move(end);
    changed_.notify_all();
  }

  Result<void> take(std::string_view bytes) {
    const auto skipped = static_cast<std::size_t>(std::min<std::uint64_t>(skip_, bytes.size()));
    skip_ -= skipped;
    bytes.remove_prefix(skipped);
    if (bytes.empty()) return {};
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return waiting_ < kAhead || abandoned_; });
    if (abandoned_) return fail(ErrorCode::internal, "nobody reads the blob any more");
    pieces_.emplace_back(bytes);
    waiting_ += bytes.size();
    changed_.notify_all();
    return {};
  }

  RegistryReader& source_;
  const oci::Repository repository_;
  const oci::Descriptor blob_;
  std::uint64_t skip_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> pieces_;
  std::size_t waiting_ = 0;  ///< bytes in `pieces_`
  bool abandoned_ = false;
  std::optional<Result<void>> end_;
  std::thread reader_;
};

}  // namespace

BlobSource stream_from(RegistryReader& source, const oci::Repository& repository, const oci::Descriptor& blob) {
  BlobSource made;
  made.open = [&source, repository, blob](std::uint64_t offset) -> Result<net::BodySource> {
    return net::BodySource(
        [stream = std::make_shared<BlobStream>(source, repository, blob, offset)] { return stream->next(); });
  };
  return made;
}

}  // namespace crategate::registry
