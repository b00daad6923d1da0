// Time as a seam: monotonic for waiting, wall for stamps.
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace crategate::sys {

using Instant = std::chrono::steady_clock::time_point;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant monotonic() const = 0;
  virtual std::chrono::system_clock::time_point now() const = 0;
  virtual void sleep(std::chrono::milliseconds duration) = 0;
};

class SystemClock final : public Clock {
 public:
  Instant monotonic() const override;
  std::chrono::system_clock::time_point now() const override;
  void sleep(std::chrono::milliseconds duration) override;  ///< returns early when cancellation is requested
};

/// RFC 3339 in UTC with seconds: "2026-11-20T09:29:18Z"; and "20261120".
std::string rfc3339(std::chrono::system_clock::time_point time);
/// What rfc3339 has written; nullopt for anything else.
std::optional<std::chrono::system_clock::time_point> parse_rfc3339(const std::string& text);
std::string compact_date(std::chrono::system_clock::time_point time);

}  // namespace crategate::sys
