// Files as a seam. Reading and writing below a root never follows a symbolic link out of it (A09, A17, A18, A88).
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace crategate::sys {

using Path = std::filesystem::path;

inline constexpr std::uint64_t kTextLimit = 16u << 20;

/// What a finished write outlives. Files that are made again when they are missing need not wait for the disk.
enum class Durability : unsigned char { process, machine };

class FileSystem {
 public:
  virtual ~FileSystem() = default;

  /// A regular file's bytes; nullopt when it is absent. `relative` is resolved below `root` with no symbolic link
  /// followed in it.
  /// Errors: bad_input for a link, FIFO, device, directory, escape by `..`, or more than `limit` bytes.
  virtual Result<std::optional<std::string>> read_below(const Path& root, const Path& relative,
                                                        std::uint64_t limit = kTextLimit) const = 0;
  /// A file named by the user or the runner (`--payload`, GITHUB_EVENT_PATH): no link as last component, a regular
  /// file, never blocks. nullopt when absent.
  virtual Result<std::optional<std::string>> read(const Path& path, std::uint64_t limit = kTextLimit) const = 0;

  /// Atomic: temporary file in the same verified directory, rename; with fsync where the machine may fail. Missing
  /// directories are made. A link at the place of the file is replaced, never followed; a link among the directories is
  /// refused.
  /// Errors: bad_input (link, escape), no_space, internal.
  virtual Result<void> write_below(const Path& root, const Path& relative, std::string_view bytes,
                                   Durability durability = Durability::process) = 0;
  /// Appends to an existing or new regular file (GITHUB_OUTPUT); the inode stays. All of `bytes` or, on a full disk,
  /// none of them.
  virtual Result<void> append(const Path& path, std::string_view bytes) = 0;

  virtual Result<void> make_directories(const Path& path, unsigned mode = 0755) = 0;
  /// Removes a tree without following links; absent is fine.
  virtual Result<void> remove_tree(const Path& path) = 0;
  /// Names in a directory, sorted; absent = empty.
  virtual Result<std::vector<std::string>> list(const Path& directory) const = 0;
  /// Every regular file below a directory, as paths relative to it, sorted; links are not followed; absent = empty.
  virtual Result<std::vector<std::string>> files_below(const Path& directory) const = 0;
  /// True for anything with that name, a dangling link included.
  virtual bool exists(const Path& path) const = 0;
  /// Bytes that can still be written at `path`'s file system.
  virtual Result<std::uint64_t> free_space(const Path& path) const = 0;
};

class PosixFileSystem final : public FileSystem {
 public:
  Result<std::optional<std::string>> read_below(const Path& root, const Path& relative,
                                                std::uint64_t limit) const override;
  Result<std::optional<std::string>> read(const Path& path, std::uint64_t limit) const override;
  Result<void> write_below(const Path& root, const Path& relative, std::string_view bytes,
                           Durability durability) override;
  Result<void> append(const Path& path, std::string_view bytes) override;
  Result<void> make_directories(const Path& path, unsigned mode) override;
  Result<void> remove_tree(const Path& path) override;
  Result<std::vector<std::string>> list(const Path& directory) const override;
  Result<std::vector<std::string>> files_below(const Path& directory) const override;
  bool exists(const Path& path) const override;
  Result<std::uint64_t> free_space(const Path& path) const override;
};

/// A log written while its producer runs: size-capped (what exceeds `limit` is counted and said in a last line),
/// flushed line by line. Opened as `write_below` does.
class LogFile {
 public:
  static Result<LogFile> create(const Path& root, const Path& relative, std::uint64_t limit);
  LogFile(LogFile&& other) noexcept;
  LogFile& operator=(LogFile&& other) noexcept;
  ~LogFile();
  /// Errors: no_space.
  Result<void> write(std::string_view bytes);
  Result<void> close();

 private:
  LogFile(int descriptor, std::uint64_t limit) : descriptor_(descriptor), limit_(limit) {}
  int descriptor_ = -1;
  std::uint64_t limit_ = 0, written_ = 0, dropped_ = 0;
};

/// A private (0700) directory that is removed on destruction.
class TemporaryDirectory {
 public:
  static Result<TemporaryDirectory> create(const Path& parent = {});
  TemporaryDirectory(TemporaryDirectory&& other) noexcept;
  TemporaryDirectory& operator=(TemporaryDirectory&& other) noexcept;
  ~TemporaryDirectory();
  const Path& path() const { return path_; }

 private:
  explicit TemporaryDirectory(Path path) : path_(std::move(path)) {}
  Path path_;
};

}  // namespace crategate::sys
