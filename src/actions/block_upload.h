// A stream of bytes on its way into a blob: cut into blocks, several on their way at a time, each repeated by itself.
// Belongs here: memory, threads and order of blocks.  Not here: where the address comes from (service_artifact_store).
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "actions/patience.h"
#include "base/sha256.h"
#include "net/http.h"

namespace crategate::actions {

struct BlockOptions {
  /// Blocks grow with what was sent: little memory and several connections for little content, few requests for much.
  std::size_t first_size = 1u << 20, last_size = 4u << 20;
  unsigned parallel = 4;  ///< blocks on their way; 1 = in the caller's thread. Memory: (parallel + 1) blocks
  bool resend = true;     ///< false: the storage appends what it gets, so that no block may be sent twice
  std::chrono::milliseconds silence{30'000};
};

struct Stored {
  std::uint64_t size = 0;
  std::string digest;
};

class BlockUpload {
 public:
  BlockUpload(net::HttpClient& http, Patience& patience, net::Url signed_url, BlockOptions options);
  /// Waits for the blocks that are on their way.
  ~BlockUpload();
  BlockUpload(const BlockUpload&) = delete;
  BlockUpload& operator=(const BlockUpload&) = delete;

  /// Effects: network. Errors: those of any block so far.
  Result<void> add(std::string_view bytes);
  /// Commits all blocks as a blob of that media type.
  Result<Stored> finish(std::string_view type);

  /// Why it failed, if it was the storage and not whoever adds.
  std::optional<Error> failure();
  /// After a failure: a new address and all bytes again may succeed.
  bool may_start_again() const { return start_again_; }

 private:
  struct Block {
    std::string id, bytes;
  };
  Result<void> dispatch();
  Result<void> settle();
  void work();
  Result<void> send_block(const Block& block);
  Result<void> send(const std::function<net::Request()>& make, const std::string& attempt, bool resend);
  Result<void> keep_failure(Error error);

  net::HttpClient& http_;
  Patience& patience_;
  const net::Url url_;
  const BlockOptions options_;
  const std::string prefix_;
  Sha256 hash_;
  std::uint64_t size_ = 0;
  std::size_t block_size_ = options_.first_size;
  std::string current_;
  std::vector<std::string> ids_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Block> waiting_;
  std::vector<std::string> spare_;  ///< buffers to be used again
  std::size_t on_their_way_ = 0;    ///< waiting ones included
  bool closing_ = false;
  std::optional<Error> failure_;
  std::atomic<bool> start_again_ = false;
  std::vector<std::thread> workers_;
};

}  // namespace crategate::actions
