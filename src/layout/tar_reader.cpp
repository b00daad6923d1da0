// libarchive's tar reader, on a short leash: what it keeps of headers is bounded, and it sees no compression.
#include "layout/tar_reader.h"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <utility>

#include "base/strings.h"
#include "layout/blob_file.h"
#include "layout/unpacked.h"
#include "sys/cancel.h"

namespace crategate::layout {
namespace {

constexpr int kMaxEntries = 100'000;
constexpr std::int64_t kMaxEntrySize = std::int64_t{1} << 40;
/// Long names, PAX records and sparse maps are kept in memory until their entry begins.
constexpr std::uint64_t kMaxHeaders = std::uint64_t{4} << 20U;
/// More than libarchive looks ahead.
constexpr std::size_t kTail = 4096;
/// Enough to see what an entry is, however the source is cut.
constexpr std::size_t kFirst = 16;

// What libarchive's callbacks share: the source, the chunk it reads from, and the error it cannot carry.
struct Feed {
  net::BodySource source;
  std::string chunk, tail;  ///< the last bytes before it
  std::optional<Error> error;
  bool ended = false, in_headers = false;
  std::uint64_t given = 0, of_headers = 0;

  Result<void> advance() {
    tail += std::string_view(chunk).substr(chunk.size() - std::min(chunk.size(), kTail));
    tail.erase(0, tail.size() - std::min(tail.size(), kTail));
    chunk.clear();
    CG_CHECK(sys::check_cancelled());
    if (ended) return {};
    CG_TRY(chunk, source());
    ended = chunk.empty();
    given += chunk.size();
    return {};
  }

  Result<void> advance_for_archive() {
    if (in_headers && of_headers > kMaxHeaders) {
      return fail(ErrorCode::integrity, concat("the image archive: expected at most ", format_bytes(kMaxHeaders),
                                               " of headers before an entry"));
    }
    CG_CHECK(advance());
    if (in_headers) of_headers += chunk.size();
    return {};
  }
};

la_ssize_t read_callback(archive* reader, void* data, const void** buffer) {
  auto& feed = *static_cast<Feed*>(data);
  if (auto advanced = feed.advance_for_archive(); !advanced) {
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

Failure refused(const TarEntry& entry, std::string_view expected_and_found) {
  return fail(ErrorCode::integrity,
              concat("the image archive: entry ", crategate::quoted(entry.name), ": ", expected_and_found));
}

}  // namespace

struct TarReader::State {
  Feed feed;
  Archive reader{archive_read_new()};
  int entries = 0;
  std::uint64_t size = 0, given = 0;
  std::string head;  ///< of an entry whose first block is short
};

TarReader::TarReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
TarReader::TarReader(TarReader&&) noexcept = default;
TarReader& TarReader::operator=(TarReader&&) noexcept = default;
TarReader::~TarReader() = default;

Result<TarReader> TarReader::open(net::BodySource source) {
  auto state = std::make_unique<State>();
  CG_TRY(Peeked peeked, peek(std::move(source)));
  state->feed.source = unpacked(std::move(peeked.source), peeked.compression);
  archive* reader = state->reader.get();
  archive_read_support_format_tar(reader);
  // Names are bytes, whatever the locale of this process.
  archive_read_set_options(reader, "hdrcharset=BINARY");
  state->feed.in_headers = true;
  if (!good(archive_read_open(reader, &state->feed, nullptr, read_callback, nullptr))) {
    return fail(reading_failure(reader, state->feed, "the image archive cannot be read"));
  }
  return TarReader(std::move(state));
}

Result<std::optional<TarEntry>> TarReader::next() {
  archive* const reader = state_->reader.get();
  Feed& feed = state_->feed;
  // The rest of the last entry is no header.
  feed.in_headers = false;
  if (state_->entries > 0 && archive_read_data_skip(reader) < ARCHIVE_WARN) {
    return fail(reading_failure(reader, feed, "the image archive is cut short"));
  }
  feed.in_headers = true;
  feed.of_headers = 0;
  archive_entry* entry = nullptr;
  const int code = archive_read_next_header(reader, &entry);
  if (feed.error) return fail(*std::exchange(feed.error, std::nullopt));
  if (code == ARCHIVE_EOF) return std::nullopt;
  if (!good(code)) return fail(reading_failure(reader, feed, "the image archive is damaged"));
  if (++state_->entries > kMaxEntries) {
    return fail(ErrorCode::integrity, concat("the image archive: expected at most ", kMaxEntries, " entries"));
  }
  TarEntry made;
  const char* name = archive_entry_pathname(entry);
  if (name != nullptr) made.name = name;
  made.kind = kind_of(entry);
  const std::int64_t size = archive_entry_size(entry);
  if (archive_entry_sparse_count(entry) > 0) return refused(made, "expected a plain file, found a sparse one");
  if (size < 0 || size > kMaxEntrySize) return refused(made, "expected at most 1 TiB, found another size");
  // Readers disagree on whether these are bytes of the entry or the next header.
  if (size > 0 && (made.kind == TarEntry::Kind::link || made.kind == TarEntry::Kind::other)) {
    return refused(made, concat("expected bytes in files only, found ", size, " behind a link or device"));
  }
  made.size = state_->size = static_cast<std::uint64_t>(size);
  state_->given = 0;
  feed.in_headers = false;
  return made;
}

Result<std::string_view> TarReader::block() {
  const void* bytes = nullptr;
  std::size_t count = 0;
  la_int64_t offset = 0;
  const int code = archive_read_data_block(state_->reader.get(), &bytes, &count, &offset);
  if (!good(code) || count == 0 || count > state_->size - state_->given) {
    return fail(reading_failure(state_->reader.get(), state_->feed, "the image archive is cut short"));
  }
  state_->given += count;
  return std::string_view(static_cast<const char*>(bytes), count);
}

Result<std::string_view> TarReader::read() {
  if (state_->given == state_->size) return std::string_view();
  const bool first = state_->given == 0;
  CG_TRY(const std::string_view bytes, block());
  if (!first || bytes.size() >= kFirst) return bytes;
  state_->head = bytes;
  while (state_->head.size() < kFirst && state_->given < state_->size) {
    CG_TRY(const std::string_view more, block());
    state_->head += more;
  }
  return std::string_view(state_->head);
}

Result<void> TarReader::drain() {
  Feed& feed = state_->feed;
  // What libarchive took and did not use: the block behind the end at most.
  const auto used = static_cast<std::uint64_t>(std::max<la_int64_t>(0, archive_filter_bytes(state_->reader.get(), 0)));
  std::string unused = feed.tail + feed.chunk;
  unused.erase(0, unused.size() - std::min<std::uint64_t>(unused.size(), feed.given - std::min(feed.given, used)));
  for (std::string_view rest = unused;; rest = feed.chunk) {
    if (rest.find_first_not_of('\0') != std::string_view::npos) {
      return fail(ErrorCode::integrity, "the image archive: expected nothing behind its end, found more bytes",
                  "Save the image again: two readers may see two images in such an archive.");
    }
    CG_CHECK(feed.advance());
    if (feed.ended) return {};
  }
}

Result<oci::Digest> uncompressed_digest(const sys::Path& file) {
  CG_TRY(net::BodySource source, file_source(file));
  auto facts = examine(views_of(std::move(source)));
  if (facts) return std::move(facts->diff_id);
  return fail(std::move(facts).error().within("a compressed layer cannot be read"));
}

}  // namespace crategate::layout
