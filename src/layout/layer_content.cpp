// Layers through libarchive's tar reader (A70), which sees no compression; nothing is extracted.
#include "layout/layer_content.h"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/sha256.h"
#include "base/strings.h"
#include "layout/unpacked.h"
#include "sys/cancel.h"

namespace crategate::layout {
namespace {

constexpr std::uint64_t kMostEntries = 10'000'000;
/// Long names, PAX records and sparse maps are kept in memory until their entry begins.
constexpr std::uint64_t kMostHeaders = std::uint64_t{4} << 20U;
constexpr std::size_t kChunk = std::size_t{256} << 10U;

struct Source {
  net::BodySource next;
  std::string chunk;
  std::optional<Error> error;  ///< which libarchive cannot carry
  bool in_headers = true;
  std::uint64_t of_headers = 0;

  Result<std::string> advance() {
    CG_CHECK(sys::check_cancelled());
    if (in_headers && of_headers > kMostHeaders) {
      return fail(ErrorCode::integrity,
                  concat("a layer: expected at most ", format_bytes(kMostHeaders), " of headers before an entry"));
    }
    CG_TRY(auto bytes, next());
    if (in_headers) of_headers += bytes.size();
    return bytes;
  }
};

la_ssize_t read_from(archive* reader, void* data, const void** buffer) {
  auto& source = *static_cast<Source*>(data);
  auto chunk = source.advance();
  if (!chunk) {
    source.error = std::move(chunk).error();
    archive_set_error(reader, -1, "the source failed");
    return -1;
  }
  source.chunk = *std::move(chunk);
  *buffer = source.chunk.data();
  return static_cast<la_ssize_t>(source.chunk.size());
}

struct FreeArchive {
  void operator()(archive* reader) const { archive_read_free(reader); }
};

Failure damaged(archive* reader, Source& source) {
  if (source.error) return fail(*std::exchange(source.error, std::nullopt));
  const char* reason = archive_error_string(reader);
  return fail(ErrorCode::integrity, concat("a layer cannot be read: ",
                                           reason == nullptr ? std::string("it ends too early") : neutralise(reason)));
}

/// Each field with its length before it, so that no two lists of fields look alike.
void add(Sha256& hash, std::string_view field) {
  hash.update(concat(field.size(), ":"));
  hash.update(field);
}

std::string_view text(const char* found) { return found == nullptr ? std::string_view() : std::string_view(found); }

void add_attributes(Sha256& hash, archive_entry* entry) {
  std::vector<std::pair<std::string, std::string>> attributes;
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  archive_entry_xattr_reset(entry);
  while (archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK) {
    attributes.emplace_back(text(name), std::string(static_cast<const char*>(value), size));
  }
  std::ranges::sort(attributes);
  add(hash, std::to_string(attributes.size()));
  for (const auto& [key, content] : attributes) {
    add(hash, key);
    add(hash, content);
  }
}

void add_header(Sha256& hash, archive_entry* entry) {
  std::string_view name = text(archive_entry_pathname(entry));
  if (name.starts_with("./")) name.remove_prefix(2);
  while (name.ends_with('/')) name.remove_suffix(1);
  add(hash, name);
  add(hash, std::to_string(archive_entry_filetype(entry)));
  add(hash, std::to_string(archive_entry_perm(entry)));
  add(hash, concat(archive_entry_uid(entry), ":", archive_entry_gid(entry)));
  add(hash, text(archive_entry_symlink(entry)));
  add(hash, text(archive_entry_hardlink(entry)));
  add(hash, concat(archive_entry_rdevmajor(entry), ":", archive_entry_rdevminor(entry)));
  add_attributes(hash, entry);
}

class LayerReader {
 public:
  explicit LayerReader(net::BodySource source) { source_.next = std::move(source); }

  Result<oci::Digest> read() {
    archive_read_support_format_tar(reader_.get());
    // Names are bytes, whatever the locale of this process.
    archive_read_set_options(reader_.get(), "hdrcharset=BINARY");
    if (archive_read_open(reader_.get(), &source_, nullptr, read_from, nullptr) != ARCHIVE_OK) {
      return damaged(reader_.get(), source_);
    }
    Sha256 whole;
    for (std::uint64_t count = 0;; ++count) {
      archive_entry* entry = nullptr;
      source_.in_headers = true;
      source_.of_headers = 0;
      const int code = archive_read_next_header(reader_.get(), &entry);
      if (code == ARCHIVE_EOF) return oci::Digest::from_sha256_hex(whole.finish());
      if (code != ARCHIVE_OK && code != ARCHIVE_WARN) return damaged(reader_.get(), source_);
      if (count == kMostEntries) {
        return fail(ErrorCode::integrity, concat("a layer: expected at most ", kMostEntries, " entries"));
      }
      if (archive_entry_sparse_count(entry) > 0) {
        return fail(ErrorCode::integrity, "a layer: expected plain files, found a sparse one");
      }
      source_.in_headers = false;
      add_header(whole, entry);
      CG_TRY(const std::string content, content_of());
      add(whole, content);
    }
  }

 private:
  /// Size and hash of the current entry's bytes.
  Result<std::string> content_of() {
    Sha256 hash;
    std::uint64_t size = 0;
    while (true) {
      const la_ssize_t count = archive_read_data(reader_.get(), buffer_.data(), buffer_.size());
      if (count < 0) return damaged(reader_.get(), source_);
      if (count == 0) return concat(size, ":", hash.finish());
      size += static_cast<std::uint64_t>(count);
      hash.update(std::string_view(buffer_).substr(0, static_cast<std::size_t>(count)));
    }
  }

  Source source_;
  std::unique_ptr<archive, FreeArchive> reader_{archive_read_new()};
  std::string buffer_ = std::string(kChunk, '\0');
};

}  // namespace

Result<oci::Digest> layer_content(const net::BodySource& layer) {
  CG_TRY(auto peeked, peek(layer));
  return LayerReader(unpacked(std::move(peeked.source), peeked.compression)).read();
}

Result<std::vector<oci::Digest>> layer_contents(const OciLayout& layout, const oci::Manifest& manifest) {
  std::vector<oci::Digest> contents;
  for (const auto& layer : manifest.layers) {
    CG_TRY(const auto source, layout.open_blob(layer));
    auto content = layer_content(source);
    if (!content) return fail(std::move(content).error().within(concat("layer ", layer.digest.text())));
    contents.push_back(*std::move(content));
  }
  return contents;
}

}  // namespace crategate::layout
