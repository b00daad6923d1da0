// Answers with their ETag: an answer that has not changed costs nothing of the hour's requests.
// Belongs here: what is kept, in memory.  Not here: conditional requests (session).
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "net/http.h"

namespace crategate::github {

/// Bounded; forgets the oldest first. Thread-safe.
class AnswerCache {
 public:
  /// The answer last kept for `url`, or null.
  std::shared_ptr<const net::Response> find(const net::Url& url) const;
  /// Keeps an answer that has an ETag and is not too large.
  void keep(const net::Url& url, const net::Response& response);

 private:
  struct Entry {
    std::shared_ptr<const net::Response> response;
    std::size_t age = 0;
  };
  void make_room(std::size_t size);
  mutable std::mutex mutex_;
  std::map<std::string, Entry> entries_;
  std::size_t bytes_ = 0, count_ = 0;
};

}  // namespace crategate::github
