// libarchive behind TarReader and uncompressed_digest.
#include "layout/tar_reader.h"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <utility>

#include "base/sha256.h"
#include "base/strings.h"
#include "layout/blob_file.h"
#include "sys/cancel.h"

namespace crategate::layout {
namespace {

constexpr int kMaxEntries = 100'000;
constexpr std::int64_t kMaxEntrySize = std::int64_t{1} << 40;
constexpr std::size_t kChunk = 256U << 10U;

// What libarchive's callbacks share: the source, the chunk it reads from, and the error it cannot carry.
struct Feed {
  net::BodySource source;
  std::string chunk;
  std::optional<Error> error;
  bool ended = false;

  Result<void> advance() {
    chunk.clear();
    CG_CHECK(sys::check_cancelled());
    if (ended) return {};
    CG_TRY(chunk, source());
    ended = chunk.empty();
    return {};
  }
};

la_ssize_t read_callback(archive* reader, void* data, const void** buffer) {
  auto& feed = *static_cast<Feed*>(data);
  if (auto advanced = feed.advance(); !advanced) {
    feed.error = std::move(advanced).error();
    archive_set_error(reader, -1, "the source failed");
    return -1;
  }
  *buffer = feed.chunk.data();
  return static_cast<la_ssize_t>(feed.chunk.size());
}

struct FreeArchive {
  void operator()(archive* reader) const { archive_read_free(reader); }
};
using Archive = std::unique_ptr<archive, FreeArchive>;

Error reading_failure(archive* reader, Feed& feed, std::string_view what) {
  if (feed.error) return *std::exchange(feed.error, std::nullopt);
  const char* reason = archive_error_string(reader);
  return {ErrorCode::integrity,
          concat(what, ": ", reason == nullptr ? std::string("it ends too early") : neutralise(reason)),
          "save the image again; if it persists, look at the log of the Docker engine",
          {},
          std::nullopt,
          std::nullopt};
}

bool good(int code) { return code == ARCHIVE_OK || code == ARCHIVE_WARN; }

TarEntry::Kind kind_of(archive_entry* entry) {
  if (archive_entry_hardlink(entry) != nullptr || archive_entry_symlink(entry) != nullptr) return TarEntry::Kind::link;
  switch (archive_entry_filetype(entry)) {
    case AE_IFREG:
      return TarEntry::Kind::file;
    case AE_IFDIR:
      return TarEntry::Kind::directory;
    case AE_IFLNK:
      return TarEntry::Kind::link;
    default:
      return TarEntry::Kind::other;
  }
}

}  // namespace

struct TarReader::State {
  Feed feed;
  Archive reader{archive_read_new()};
  int entries = 0;
  std::uint64_t size = 0, given = 0;
};

TarReader::TarReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
TarReader::TarReader(TarReader&&) noexcept = default;
TarReader& TarReader::operator=(TarReader&&) noexcept = default;
TarReader::~TarReader() = default;

Result<TarReader> TarReader::open(const net::BodySource& source) {
  auto state = std::make_unique<State>();
  state->feed.source = source;
  archive* reader = state->reader.get();
  archive_read_support_format_tar(reader);
  archive_read_support_filter_gzip(reader);
  archive_read_support_filter_zstd(reader);
  if (!good(archive_read_open(reader, &state->feed, nullptr, read_callback, nullptr))) {
    return fail(reading_failure(reader, state->feed, "the image archive cannot be read"));
  }
  return TarReader(std::move(state));
}

Result<std::optional<TarEntry>> TarReader::next() {
  archive_entry* entry = nullptr;
  const int code = archive_read_next_header(state_->reader.get(), &entry);
  if (state_->feed.error) return fail(*std::exchange(state_->feed.error, std::nullopt));
  if (code == ARCHIVE_EOF) return std::nullopt;
  if (!good(code)) return fail(reading_failure(state_->reader.get(), state_->feed, "the image archive is damaged"));
  if (++state_->entries > kMaxEntries) {
    return fail(ErrorCode::integrity, concat("the image archive: expected at most ", kMaxEntries, " entries"));
  }
  TarEntry made;
  const char* name = archive_entry_pathname(entry);
  made.name = name == nullptr ? "" : name;
  if (made.name.starts_with("./")) made.name.erase(0, 2);
  made.kind = kind_of(entry);
  const std::int64_t size = archive_entry_size(entry);
  if (size < 0 || size > kMaxEntrySize || archive_entry_sparse_count(entry) > 0) {
    return fail(ErrorCode::integrity, concat("the image archive: entry ", crategate::quoted(made.name),
                                             ": expected a plain file of at most 1 TiB, found ",
                                             archive_entry_sparse_count(entry) > 0 ? "a sparse one" : "another size"));
  }
  made.size = state_->size = static_cast<std::uint64_t>(size);
  state_->given = 0;
  return made;
}

Result<std::string> TarReader::read() {
  std::string chunk(std::min<std::uint64_t>(kChunk, state_->size - state_->given), '\0');
  if (chunk.empty()) return chunk;
  const la_ssize_t count = archive_read_data(state_->reader.get(), chunk.data(), chunk.size());
  if (count <= 0) return fail(reading_failure(state_->reader.get(), state_->feed, "the image archive is cut short"));
  chunk.resize(static_cast<std::size_t>(count));
  state_->given += chunk.size();
  return chunk;
}

Result<void> TarReader::drain() {
  do {
    CG_CHECK(state_->feed.advance());
  } while (!state_->feed.ended);
  return {};
}

Result<oci::Digest> uncompressed_digest(const sys::Path& file) {
  Feed feed;
  CG_TRY(feed.source, file_source(file));
  const Archive reader(archive_read_new());
  archive_read_support_format_raw(reader.get());
  archive_read_support_filter_gzip(reader.get());
  archive_read_support_filter_zstd(reader.get());
  archive_entry* entry = nullptr;
  constexpr std::string_view kWhat = "a compressed layer cannot be read";
  if (!good(archive_read_open(reader.get(), &feed, nullptr, read_callback, nullptr)) ||
      !good(archive_read_next_header(reader.get(), &entry))) {
    return fail(reading_failure(reader.get(), feed, kWhat));
  }
  Sha256 hash;
  std::string chunk(kChunk, '\0');
  while (true) {
    const la_ssize_t count = archive_read_data(reader.get(), chunk.data(), chunk.size());
    if (count < 0) return fail(reading_failure(reader.get(), feed, kWhat));
    if (count == 0) return oci::Digest::from_sha256_hex(hash.finish());
    hash.update(std::string_view(chunk).substr(0, static_cast<std::size_t>(count)));
  }
}

}  // namespace crategate::layout
