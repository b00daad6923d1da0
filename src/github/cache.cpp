// Bounds and eviction.
#include "github/cache.h"

#include <algorithm>

namespace crategate::github {
namespace {

constexpr std::size_t kLargest = 4U << 20U;
constexpr std::size_t kAll = 16U << 20U;
constexpr std::size_t kEntries = 256;

}  // namespace

std::shared_ptr<const net::Response> AnswerCache::find(const net::Url& url) const {
  const std::scoped_lock lock(mutex_);
  const auto found = entries_.find(url.text());
  return found == entries_.end() ? nullptr : found->second.response;
}

void AnswerCache::keep(const net::Url& url, const net::Response& response) {
  if (response.header("etag").empty() || response.body.size() > kLargest) return;
  auto kept = std::make_shared<const net::Response>(response);
  const std::scoped_lock lock(mutex_);
  const std::string key = url.text();
  if (const auto old = entries_.find(key); old != entries_.end()) {
    bytes_ -= old->second.response->body.size();
    entries_.erase(old);
  }
  make_room(response.body.size());
  bytes_ += response.body.size();
  entries_.emplace(key, Entry{std::move(kept), ++count_});
}

void AnswerCache::make_room(std::size_t size) {
  while (!entries_.empty() && (entries_.size() >= kEntries || bytes_ + size > kAll)) {
    const auto oldest = std::min_element(entries_.begin(), entries_.end(),
                                         [](const auto& a, const auto& b) { return a.second.age < b.second.age; });
    bytes_ -= oldest->second.response->body.size();
    entries_.erase(oldest);
  }
}

}  // namespace crategate::github
