// The same work for many items, several at a time.
// Belongs here: threads, and which error counts.  Not here: what the work is.
#pragma once

#include <cstddef>
#include <functional>

#include "base/result.h"

namespace crategate::sys {

/// Calls `work` once with each number below `count`, at most `width` (at least 1) at a time, this thread included.
///
/// Nothing new is started after an error or a cancellation; what runs is waited for. The answer is the error of the
/// lowest number that failed; interrupted or terminated, where nothing failed and something was not started. An
/// exception of `work` is an internal error.
/// Effects: threads.
Result<void> for_each_parallel(std::size_t count, std::size_t width,
                               const std::function<Result<void>(std::size_t)>& work);

}  // namespace crategate::sys
