// The one pass over an archive: names decide what an entry may be, its first bytes decide how it is stored.
#include "layout/archive_contents.h"

#include <algorithm>
#include <utility>

#include "base/strings.h"
#include "layout/gzip.h"
#include "oci/manifest.h"
#include "oci/media_types.h"
#include "sys/cancel.h"

namespace crategate::layout {
namespace {

constexpr std::size_t kSmallLimit = oci::kManifestLimit;
constexpr std::size_t kSmallTotal = 32U << 20U;
constexpr std::size_t kMostLayers = 4096;

enum class Role : unsigned char { ignored, document, blob, layer, folder };

struct Classified {
  Role role = Role::ignored;
  std::optional<oci::Digest> digest;  // that the name promises
};

bool is_hex64(std::string_view text) {
  return text.size() == 64 &&
         std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

Classified classify(std::string_view name) {
  if (name == "manifest.json" || name == "index.json" || name == "oci-layout") return {Role::document, std::nullopt};
  if (name == "blobs" || name == "blobs/sha256" || is_hex64(name)) return {Role::folder, std::nullopt};
  constexpr std::string_view kBlobs = "blobs/sha256/";
  if (name.starts_with(kBlobs)) {
    const auto hex = name.substr(kBlobs.size());
    if (is_hex64(hex)) return {Role::blob, oci::Digest::from_sha256_hex(hex)};
  }
  if (name.starts_with("sha256:") && is_hex64(name.substr(7))) {
    return {Role::blob, oci::Digest::from_sha256_hex(name.substr(7))};
  }
  const auto hex = name.substr(0, 64);
  const auto rest = name.substr(hex.size());
  if (!is_hex64(hex)) return {};
  if (rest == ".json") return {Role::blob, oci::Digest::from_sha256_hex(hex)};
  if (rest == "/layer.tar" || rest == ".tar" || rest == ".tar.gz") return {Role::layer, std::nullopt};
  return {};
}

/// The name as readers see it that extract the archive.
std::string plain_name(std::string_view name) {
  std::vector<std::string> parts;
  for (const std::string& part : split(name, '/')) {
    if (part == ".." && !parts.empty()) parts.pop_back();
    if (!part.empty() && part != "." && part != "..") parts.push_back(part);
  }
  return join(parts, "/");
}

/// Names are taken as they are written, after one leading "./". What others would take for a part of the image and we
/// would not is refused: they might see another image.
Result<Classified> role_of(const TarEntry& entry) {
  std::string_view name = entry.name;
  if (name.starts_with("./")) name.remove_prefix(2);
  while (entry.kind == TarEntry::Kind::directory && name.ends_with('/')) name.remove_suffix(1);
  Classified found = classify(name);
  if (found.role == Role::ignored && classify(plain_name(name)).role != Role::ignored) {
    return fail(ErrorCode::integrity, concat("the image archive: expected the plain name ", plain_name(name),
                                             ", found ", crategate::quoted(entry.name)));
  }
  return found;
}

std::string layer_type(std::string_view first_bytes) {
  switch (compression_of(first_bytes)) {
    case Compression::gzip:
      return std::string(oci::kOciLayerGzip);
    case Compression::zstd:
      return std::string(oci::kOciLayerZstd);
    case Compression::none:
      break;
  }
  return std::string(oci::kOciLayer);
}

Result<StagedLayer> finish(BlobFile file, std::string_view first_bytes) {
  CG_CHECK(file.close());
  const oci::Digest content = file.digest();
  StagedLayer layer{std::move(file), content, std::nullopt, layer_type(first_bytes)};
  if (!layer.is_compressed()) layer.diff_id = content;
  return layer;
}

class Collector {
 public:
  Collector(TarReader reader, const sys::Path& layout) : reader_(std::move(reader)), layout_(layout) {}

  Result<ArchiveContents> run() {
    while (true) {
      CG_TRY(const auto entry, reader_.next());
      if (!entry) break;
      CG_CHECK(take(*entry));
    }
    CG_CHECK(reader_.drain());
    return std::move(contents_);
  }

 private:
  Result<void> take(const TarEntry& entry) {
    CG_TRY(const Classified classified, role_of(entry));
    if (classified.role == Role::ignored || entry.kind == TarEntry::Kind::directory) return {};
    if (classified.role == Role::folder) {
      return fail(ErrorCode::integrity,
                  concat("the image archive: ", entry.name, ": expected a folder, found a file or link"));
    }
    // Old engines link equal layers to each other; layers are found by their content, so such links say nothing.
    if (classified.role == Role::layer && entry.kind == TarEntry::Kind::link) return {};
    if (entry.kind != TarEntry::Kind::file) {
      return fail(ErrorCode::integrity, concat("the image archive: ", entry.name, ": expected a regular file, found a ",
                                               entry.kind == TarEntry::Kind::link ? "link" : "device"));
    }
    if (classified.role == Role::document) return take_document(entry);
    return take_blob(entry, classified);
  }

  Result<void> take_document(const TarEntry& entry) {
    const std::string name = plain_name(entry.name);
    if (contents_.documents.contains(name)) {
      return fail(ErrorCode::integrity, concat("the image archive: expected one ", name, ", found two"));
    }
    if (entry.size > kSmallLimit) {
      return fail(ErrorCode::integrity, concat("the image archive: ", name, ": expected at most ",
                                               format_bytes(kSmallLimit), ", found ", format_bytes(entry.size)));
    }
    CG_TRY(contents_.documents[name], read_all({}));
    return {};
  }

  Result<std::string> read_all(std::string bytes) {
    while (true) {
      CG_TRY(const std::string_view chunk, reader_.read());
      if (chunk.empty()) return bytes;
      bytes += chunk;
    }
  }

  Result<void> take_blob(const TarEntry& entry, const Classified& classified) {
    const bool may_be_small = classified.role == Role::blob && entry.size <= kSmallLimit;
    CG_TRY(const std::string_view first, reader_.read());
    if (may_be_small && first.starts_with('{')) return take_small(entry, *classified.digest, std::string(first));
    if (contents_.layers.size() + contents_.seen.size() == kMostLayers) {
      return fail(ErrorCode::integrity, concat("the image archive: expected at most ", kMostLayers, " layers"));
    }
    return layout_.empty() ? look_at(entry, classified.digest, first) : stage(entry, classified.digest, first);
  }

  Result<void> stage(const TarEntry& entry, const std::optional<oci::Digest>& promised, std::string_view first) {
    const std::string beginning(first.substr(0, 4));
    CG_TRY(BlobFile file, BlobFile::create(layout_));
    for (std::string_view chunk = first; !chunk.empty();) {
      CG_CHECK(file.write(chunk));
      CG_TRY(chunk, reader_.read());
    }
    CG_TRY(StagedLayer layer, finish(std::move(file), beginning));
    CG_CHECK(check_name(entry, promised, layer.content));
    contents_.layers.push_back(std::move(layer));
    return {};
  }

  Result<void> look_at(const TarEntry& entry, const std::optional<oci::Digest>& promised, std::string_view first) {
    auto facts = examine([this, first, begun = false]() mutable -> Result<std::string_view> {
      return std::exchange(begun, true) ? reader_.read() : Result<std::string_view>(first);
    });
    if (!facts) return fail(std::move(facts).error().within(concat("the image archive: ", entry.name)));
    CG_CHECK(check_name(entry, promised, facts->content));
    contents_.seen.push_back(*std::move(facts));
    return {};
  }

  Result<void> take_small(const TarEntry& entry, const oci::Digest& promised, std::string first) {
    first.reserve(entry.size);
    CG_TRY(std::string bytes, read_all(std::move(first)));
    CG_CHECK(check_name(entry, promised, oci::Digest::of(bytes)));
    small_total_ += bytes.size();
    if (small_total_ > kSmallTotal) {
      return fail(ErrorCode::integrity, concat("the image archive: expected at most ", format_bytes(kSmallTotal),
                                               " of manifests and configurations"));
    }
    contents_.small_blobs.insert_or_assign(promised, std::move(bytes));
    return {};
  }

  static Result<void> check_name(const TarEntry& entry, const std::optional<oci::Digest>& promised,
                                 const oci::Digest& found) {
    if (!promised || *promised == found) return {};
    return fail(ErrorCode::integrity,
                concat("the image archive: ", entry.name, ": expected content of that digest, found ", found.text()));
  }

  TarReader reader_;
  const sys::Path& layout_;
  ArchiveContents contents_;
  std::size_t small_total_ = 0;
};

}  // namespace

Result<ArchiveContents> read_contents(const net::BodySource& archive, const sys::Path& layout) {
  CG_TRY(TarReader reader, TarReader::open(archive));
  return Collector(std::move(reader), layout).run();
}

Result<StagedLayer> stage_layer(const sys::Path& layout, std::string_view bytes) {
  CG_TRY(BlobFile file, BlobFile::create(layout));
  CG_CHECK(file.write(bytes));
  return finish(std::move(file), bytes);
}

bool StagedLayer::is_compressed() const { return media_type != oci::kOciLayer; }

Result<void> compress(StagedLayer& layer, const sys::Path& layout) {
  if (layer.is_compressed()) return {};
  CG_TRY(const net::BodySource source, file_source(layer.file.path()));
  CG_TRY(BlobFile file, BlobFile::create(layout));
  const auto write = [&file](std::string_view bytes) { return file.write(bytes); };
  GzipStream gzip;
  while (true) {
    CG_CHECK(sys::check_cancelled());
    CG_TRY(const std::string chunk, source());
    if (chunk.empty()) break;
    CG_CHECK(gzip.write(chunk, write));
  }
  CG_CHECK(gzip.finish(write));
  CG_CHECK(file.close());
  layer.file = std::move(file);
  layer.media_type = oci::kOciLayerGzip;
  return {};
}

}  // namespace crategate::layout
