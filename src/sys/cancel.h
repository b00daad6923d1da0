// Cancellation: SIGINT and SIGTERM become a flag and a descriptor to poll.
#pragma once

#include <optional>

#include "base/error.h"
#include "base/result.h"

namespace crategate::sys {

/// Installs handlers for SIGINT, SIGTERM and, unless it is ignored, SIGHUP (also as PID 1).
/// Effects: process-wide. Idempotent.
void install_cancellation();
/// interrupted or terminated, once requested.
std::optional<ErrorCode> cancellation();
/// A descriptor that becomes readable on cancellation; never read from it. -1 before install.
int cancellation_descriptor();
/// For tests and for a deadline of the whole invocation.
void request_cancellation(ErrorCode code);
void reset_cancellation();
/// The error of a cancelled operation, or success.
Result<void> check_cancelled();
/// While one lives, check_cancelled() succeeds: what a cancelled run has made is being put away, within the grace time
/// of the runner.
/// Effects: process-wide.
class CancellationPause {
 public:
  CancellationPause();
  ~CancellationPause();
  CancellationPause(const CancellationPause&) = delete;
  CancellationPause& operator=(const CancellationPause&) = delete;
};
/// Writing to a closed pipe or socket becomes an error instead of a signal.
/// Effects: process-wide. Idempotent.
void ignore_broken_pipes();

}  // namespace crategate::sys
