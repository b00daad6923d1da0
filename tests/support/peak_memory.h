// How much memory a piece of work needs at its peak, and that it ends by itself.
#pragma once

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

namespace crategate::test {

/// Sanitizers keep what was freed: then the work is still done, and its memory tells nothing.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kMemoryIsMeasured = false;
#else
inline constexpr bool kMemoryIsMeasured = true;
#endif

/// Bytes that a child process, a copy of this one, takes beyond what it had when it began to work.
/// nullopt: the work answered false, or its process did not live to the end.
template <class Work>
std::optional<std::size_t> peak_growth(const Work& work) {
  int ends[2] = {-1, -1};
  if (::pipe(ends) != 0) return std::nullopt;
  const auto peak = [] {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return static_cast<std::size_t>(usage.ru_maxrss) << 10;
  };
  const pid_t child = ::fork();
  if (child == 0) {
    const std::size_t before = peak();
    const bool done = work();
    const std::size_t growth = peak() - before;
    const bool told = ::write(ends[1], &growth, sizeof growth) == sizeof growth;
    ::_exit(done && told ? 0 : 1);
  }
  ::close(ends[1]);
  std::size_t growth = 0;
  const bool told = ::read(ends[0], &growth, sizeof growth) == sizeof growth;
  ::close(ends[0]);
  int status = -1;
  while (child > 0 && ::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  const bool done = child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
  return told && done ? std::optional(kMemoryIsMeasured ? growth : 0) : std::nullopt;
}

}  // namespace crategate::test
