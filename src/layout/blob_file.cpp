// POSIX files for blobs; exclusive creation and advisory locks are not in the standard library.
#include "layout/blob_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <utility>

#include "base/strings.h"
#include "sys/beneath.h"
#include "sys/descriptor.h"
#include "sys/environment.h"
#include "sys/ownership.h"

namespace crategate::layout {
namespace {

constexpr std::size_t kChunk = 256U << 10U;
constexpr std::string_view kUnfinished = ".blob-";
constexpr std::chrono::hours kAbandoned{24};

Failure file_failure(std::string_view attempt, const sys::Path& path, int number) {
  const bool full = number == ENOSPC || number == EDQUOT;
  return fail(full ? ErrorCode::no_space : ErrorCode::internal,
              concat("cannot ", attempt, ' ', path.string(), ": ", std::strerror(number)),
              full ? "free disk space" : "check the rights of the directory");
}

net::BodySource read_from(sys::Descriptor descriptor, const sys::Path& path) {
  return [file = std::make_shared<sys::Descriptor>(std::move(descriptor)), path]() -> Result<std::string> {
    std::string chunk(kChunk, '\0');
    ssize_t count = 0;
    do {
      count = ::read(file->get(), chunk.data(), chunk.size());
    } while (count < 0 && errno == EINTR);
    if (count < 0) return file_failure("read", path, errno);
    chunk.resize(static_cast<std::size_t>(count));
    return chunk;
  };
}

}  // namespace

Result<sys::Path> blob_path(const oci::Digest& digest) {
  if (digest.algorithm() == "sha256") return sys::Path("blobs") / "sha256" / digest.hex();
  return fail(ErrorCode::integrity, concat("expected a SHA-256 digest, found ", digest.text()),
              "push the image again with a client that uses SHA-256");
}

BlobFile::BlobFile(sys::Path layout, sys::Path path, int descriptor)
    : layout_(std::move(layout)), path_(std::move(path)), descriptor_(descriptor) {}

BlobFile::BlobFile(BlobFile&& other) noexcept
    : layout_(std::move(other.layout_)),
      path_(std::exchange(other.path_, {})),
      descriptor_(std::exchange(other.descriptor_, -1)),
      hash_(std::move(other.hash_)),
      size_(other.size_),
      digest_(std::move(other.digest_)) {}

BlobFile& BlobFile::operator=(BlobFile&& other) noexcept {
  if (this == &other) return *this;
  discard();
  layout_ = std::move(other.layout_);
  path_ = std::exchange(other.path_, {});
  descriptor_ = std::exchange(other.descriptor_, -1);
  hash_ = std::move(other.hash_);
  size_ = other.size_;
  digest_ = std::move(other.digest_);
  return *this;
}

BlobFile::~BlobFile() { discard(); }

void BlobFile::discard() {
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
  if (!path_.empty()) ::unlink(path_.c_str());
}

Result<BlobFile> BlobFile::create(const sys::Path& layout) {
  sys::Path path = layout / concat(kUnfinished, sys::random_hex(16));
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
  if (descriptor < 0) return file_failure("create", path, errno);
  sys::give_to_owner(path.string());
  return BlobFile(layout, std::move(path), descriptor);
}

Result<void> BlobFile::write(std::string_view bytes) {
  hash_.update(bytes);
  size_ += bytes.size();
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor_, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return file_failure("write", path_, errno);
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

Result<void> BlobFile::close() {
  if (::close(std::exchange(descriptor_, -1)) != 0) return file_failure("write", path_, errno);
  digest_ = oci::Digest::from_sha256_hex(hash_.finish());
  return {};
}

Result<void> BlobFile::publish() {
  CG_TRY(const sys::Path relative, blob_path(digest()));
  const sys::Path target = layout_ / relative;
  if (::rename(path_.c_str(), target.c_str()) != 0) return file_failure("write", target, errno);
  path_.clear();
  return {};
}

void remove_abandoned_blobs(const sys::Path& layout) {
  const auto names = sys::PosixFileSystem{}.list(layout);
  const auto since = std::filesystem::file_time_type::clock::now() - kAbandoned;
  for (const std::string& name : names.value_or(std::vector<std::string>{})) {
    std::error_code failed;
    if (!name.starts_with(kUnfinished)) continue;
    const auto written = std::filesystem::last_write_time(layout / name, failed);
    if (!failed && written < since) ::unlink((layout / name).c_str());
  }
}

Result<std::optional<StoredBlob>> open_stored_blob(const sys::Path& layout, const oci::Digest& digest) {
  CG_TRY(const sys::Path relative, blob_path(digest));
  CG_TRY(const auto components, sys::components_below(relative));
  const sys::Path path = layout / relative;
  sys::Descriptor file = sys::open_beneath(sys::open_root(layout), components, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  const int number = errno;
  const bool absent = number == ENOENT || number == ENOTDIR || number == ELOOP || number == ENXIO;
  if (!file.valid() && absent) return std::nullopt;
  if (!file.valid()) return file_failure("read", path, number);
  struct stat status = {};
  if (::fstat(file.get(), &status) != 0) return file_failure("read", path, errno);
  if (!S_ISREG(status.st_mode)) return std::nullopt;
  return StoredBlob{static_cast<std::uint64_t>(status.st_size), read_from(std::move(file), path)};
}

Result<net::BodySource> file_source(const sys::Path& file) {
  sys::Descriptor opened(::open(file.c_str(), O_RDONLY | O_NOCTTY | O_CLOEXEC));
  if (!opened.valid()) return file_failure("read", file, errno);
  return read_from(std::move(opened), file);
}

net::BodySource checked_source(net::BodySource bytes, const oci::Digest& digest, std::optional<std::uint64_t> size) {
  struct Progress {
    Sha256 hash;
    std::uint64_t size = 0;
    bool ended = false;
  };
  auto progress = std::make_shared<Progress>();
  return [next = std::move(bytes), progress, digest, size]() -> Result<std::string> {
    if (progress->ended) return std::string();
    CG_TRY(std::string chunk, next());
    progress->hash.update(chunk);
    progress->size += chunk.size();
    if (!chunk.empty()) return chunk;
    progress->ended = true;
    const auto found = oci::Digest::from_sha256_hex(progress->hash.finish());
    if (found == digest && size.value_or(progress->size) == progress->size) return chunk;
    return fail(ErrorCode::integrity,
                concat("blob ", digest.text(), ": expected ", size.value_or(progress->size),
                       " bytes of that digest, found ", progress->size, " bytes of ", found.text()),
                "the file was changed or cut after it was written; remove the layout and run again");
  };
}

Result<LayoutLock> LayoutLock::take(const sys::Path& layout) {
  const sys::Path path = layout / ".lock";
  constexpr int kFlags = O_RDWR | O_NOFOLLOW | O_CLOEXEC;
  int descriptor = ::open(path.c_str(), kFlags);
  if (descriptor < 0 && errno == ENOENT) {
    descriptor = ::open(path.c_str(), kFlags | O_CREAT, 0644);
    if (descriptor >= 0) sys::give_to_owner(path.string());
  }
  if (descriptor < 0) return file_failure("open", path, errno);
  LayoutLock lock(descriptor);
  while (::flock(descriptor, LOCK_EX) != 0) {
    if (errno != EINTR) return file_failure("lock", path, errno);
  }
  return lock;
}

LayoutLock::LayoutLock(LayoutLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

LayoutLock::~LayoutLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace crategate::layout
