// gzip (RFC 1952) whose bytes depend on the content alone.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "base/result.h"

namespace crategate::layout {

/// Compresses at level 6 with no file time, no name and "unknown" as operating system, so that the same layer always
/// becomes the same blob.
class GzipStream {
 public:
  using Sink = std::function<Result<void>(std::string_view)>;
  GzipStream();
  GzipStream(GzipStream&&) noexcept;
  GzipStream& operator=(GzipStream&&) noexcept;
  ~GzipStream();
  Result<void> write(std::string_view bytes, const Sink& sink);
  /// Writes what is held back and the trailer.
  Result<void> finish(const Sink& sink);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace crategate::layout
