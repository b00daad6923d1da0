// Blocks: one producer, a few workers, one queue.
#include "actions/block_upload.h"

#include <algorithm>
#include <utility>

#include "actions/artifact_names.h"
#include "actions/block_storage.h"
#include "base/strings.h"
#include "sys/environment.h"

namespace crategate::actions {
namespace {

constexpr std::size_t kPrefixDigits = 17;
constexpr std::size_t kNumberDigits = 7;  // together 24 bytes: no padding in base64

/// All ids of a blob have one length; those of another upload are never mixed in.
std::string block_id(const std::string& prefix, std::size_t number) {
  const std::string digits = std::to_string(number);
  return base64(concat(prefix, std::string(kNumberDigits - digits.size(), '0'), digits));
}

void append(std::string& buffer, std::string_view bytes, std::size_t limit) {
  const std::size_t needed = buffer.size() + bytes.size();
  if (needed > buffer.capacity()) buffer.reserve(std::min(limit, std::max(needed, 2 * buffer.capacity())));
  buffer += bytes;
}

}  // namespace

BlockUpload::BlockUpload(net::HttpClient& http, Patience& patience, net::Url signed_url, BlockOptions options)
    : http_(http),
      patience_(patience),
      url_(std::move(signed_url)),
      options_(options),
      prefix_(sys::random_hex(kPrefixDigits)) {}

BlockUpload::~BlockUpload() {
  {
    const std::scoped_lock lock(mutex_);
    closing_ = true;
    on_their_way_ -= waiting_.size();
    waiting_.clear();
  }
  changed_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

std::optional<Error> BlockUpload::failure() {
  const std::scoped_lock lock(mutex_);
  return failure_;
}

Result<void> BlockUpload::keep_failure(Error error) {
  const std::scoped_lock lock(mutex_);
  if (!failure_) failure_ = std::move(error);
  on_their_way_ -= waiting_.size();
  waiting_.clear();
  return fail(*failure_);
}

Result<void> BlockUpload::add(std::string_view bytes) {
  hash_.update(bytes);
  size_ += bytes.size();
  while (!bytes.empty()) {
    const std::size_t taken = std::min(bytes.size(), block_size_ - current_.size());
    append(current_, bytes.substr(0, taken), block_size_);
    bytes.remove_prefix(taken);
    if (current_.size() == block_size_) CG_CHECK(dispatch());
  }
  return {};
}

Result<void> BlockUpload::dispatch() {
  if (ids_.size() == kMostBlocks)
    return keep_failure({.code = ErrorCode::bad_input,
                         .message = concat("expected at most ", format_bytes(kMostBlocks * options_.last_size),
                                           " in one artifact, found more"),
                         .hint = "split it into several artifacts"});
  ids_.push_back(block_id(prefix_, ids_.size()));
  constexpr std::size_t kShare = 16;
  block_size_ = std::clamp(static_cast<std::size_t>(size_ / kShare), options_.first_size, options_.last_size);
  Block block{ids_.back(), std::exchange(current_, {})};
  if (options_.parallel <= 1) {
    CG_CHECK(send_block(block));
    block.bytes.clear();
    current_ = std::move(block.bytes);
    return {};
  }
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return failure_ || on_their_way_ < options_.parallel; });
  if (failure_) return fail(*failure_);
  waiting_.push_back(std::move(block));
  ++on_their_way_;
  if (workers_.size() < on_their_way_) workers_.emplace_back([this] { work(); });
  if (!spare_.empty()) {
    current_ = std::move(spare_.back());
    spare_.pop_back();
  }
  lock.unlock();
  changed_.notify_all();
  return {};
}

void BlockUpload::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return closing_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    Block block = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    [[maybe_unused]] const auto kept_in_failure = send_block(block);
    block.bytes.clear();
    lock.lock();
    spare_.push_back(std::move(block.bytes));
    --on_their_way_;
    changed_.notify_all();
  }
}

Result<void> BlockUpload::send_block(const Block& block) {
  return send([&] { return put_block(url_, block.id, block.bytes); },
              concat("sending ", format_bytes(block.bytes.size())), options_.resend);
}

Result<void> BlockUpload::send(const std::function<net::Request()>& make, const std::string& attempt, bool resend) {
  constexpr int kCreated = 201, kExpired = 403;
  for (int tried = 1;; ++tried) {
    net::Request request = make();
    request.timeout = options_.silence;
    const auto response = http_.send(request);
    if (response && response->status == kCreated) {
      patience_.made_progress();
      return {};
    }
    if (resend) {
      const auto again = patience_.wait(tried, response);
      if (!again) return keep_failure(again.error());
      if (*again) continue;
    }
    if ((response && response->status == kExpired) || (!resend && may_recover(response))) start_again_ = true;
    return keep_failure(response ? storage_failure(attempt, request, *response)
                                 : storage_failure(attempt, response.error()));
  }
}

Result<void> BlockUpload::settle() {
  if (!current_.empty() && ids_.empty()) {  // all of it: no thread is worth its start
    ids_.push_back(block_id(prefix_, 0));
    return send_block({ids_.back(), std::exchange(current_, {})});
  }
  if (!current_.empty()) CG_CHECK(dispatch());
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return failure_ || on_their_way_ == 0; });
  if (failure_) return fail(*failure_);
  return {};
}

Result<Stored> BlockUpload::finish(std::string_view type) {
  CG_CHECK(settle());
  CG_CHECK(send([&] { return put_block_list(url_, ids_, type); }, "committing the blocks", true));
  return Stored{size_, concat("sha256:", hash_.finish())};
}

}  // namespace crategate::actions
