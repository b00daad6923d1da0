// ServerClocks: the Date of answers.
#include "registry/server_clock.h"

#include "base/log.h"
#include "base/strings.h"
#include "net/retry.h"
#include "sys/clock.h"

namespace crategate::registry {

void ServerClocks::compare(const std::string& host, const net::Response& response,
                           std::chrono::system_clock::time_point now) {
  if (!response.header("age").empty()) return;
  const auto date = net::parse_http_date(response.header("date"));
  if (!date || std::chrono::abs(*date - now) <= kClockSkew) return;
  {
    const std::lock_guard lock(mutex_);
    if (!warned_.insert(host).second) return;
  }
  log::warning(concat("registry ", host, ": its clock says ", sys::rfc3339(*date), ", this machine's ",
                      sys::rfc3339(now), ": logins, certificates and leases may fail; set the clock that is wrong"));
}

}  // namespace crategate::registry
