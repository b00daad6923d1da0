// The one pass over an archive: names decide what an entry may be, its first bytes decide how it is stored.
#include "layout/archive_contents.h"

#include <algorithm>

#include "base/strings.h"
#include "layout/gzip.h"
#include "oci/manifest.h"
#include "oci/media_types.h"
#include "sys/cancel.h"

namespace crategate::layout {
namespace {

constexpr std::size_t kSmallLimit = oci::kManifestLimit;
constexpr std::size_t kSmallTotal = 64U << 20U;

enum class Role : unsigned char { ignored, document, blob, layer };

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

std::string layer_type(std::string_view first_bytes) {
  if (first_bytes.starts_with("\x1f\x8b")) return std::string(oci::kOciLayerGzip);
  if (first_bytes.starts_with("\x28\xb5\x2f\xfd")) return std::string(oci::kOciLayerZstd);
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
    const Classified classified = classify(entry.name);
    if (classified.role == Role::ignored || entry.kind == TarEntry::Kind::directory) return {};
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
    if (contents_.documents.contains(entry.name)) {
      return fail(ErrorCode::integrity, concat("the image archive: expected one ", entry.name, ", found two"));
    }
    if (entry.size > kSmallLimit) {
      return fail(ErrorCode::integrity, concat("the image archive: ", entry.name, ": expected at most ",
                                               format_bytes(kSmallLimit), ", found ", format_bytes(entry.size)));
    }
    CG_TRY(contents_.documents[entry.name], read_all({}));
    return {};
  }

  Result<std::string> read_all(std::string bytes) {
    while (true) {
      CG_TRY(const std::string chunk, reader_.read());
      if (chunk.empty()) return bytes;
      bytes += chunk;
    }
  }

  Result<void> take_blob(const TarEntry& entry, const Classified& classified) {
    const bool may_be_small = classified.role == Role::blob && entry.size <= kSmallLimit;
    if (layout_.empty() && !may_be_small) return {};
    CG_TRY(std::string first, reader_.read());
    if (may_be_small && first.starts_with('{')) return take_small(entry, *classified.digest, std::move(first));
    if (layout_.empty()) return {};
    CG_TRY(BlobFile file, BlobFile::create(layout_));
    for (std::string chunk = first; !chunk.empty();) {
      CG_CHECK(file.write(chunk));
      CG_TRY(chunk, reader_.read());
    }
    CG_TRY(StagedLayer layer, finish(std::move(file), first));
    CG_CHECK(check_name(entry, classified.digest, layer.content));
    contents_.layers.push_back(std::move(layer));
    return {};
  }

  Result<void> take_small(const TarEntry& entry, const oci::Digest& promised, std::string first) {
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
