// OciLayout on the file system.
// Belongs here: blobs by digest, manifests, names.  Not here: files as such (blob_file), archives.
#include "layout/image_store.h"

#include <unistd.h>

#include <algorithm>
#include <set>

#include "base/strings.h"
#include "json/value.h"
#include "layout/blob_file.h"
#include "oci/media_types.h"

namespace crategate::layout {
namespace {

constexpr std::string_view kNameKey = "org.opencontainers.image.ref.name";
constexpr std::string_view kLayoutFile = "oci-layout";
constexpr std::string_view kIndexFile = "index.json";
constexpr std::string_view kLayoutText = R"({"imageLayoutVersion":"1.0.0"})";

Failure not_a_layout(const sys::Path& directory, std::string_view found) {
  return fail(ErrorCode::bad_input, concat(directory.string(), ": expected an OCI image layout, found ", found),
              "name a new directory, or one that holds an OCI image layout");
}

Result<void> check_layout_file(const sys::Path& directory, const std::string& text) {
  const auto document = json::Document::parse(text, (directory / kLayoutFile).string());
  if (!document) return fail(document.error());
  CG_TRY(const std::string version, document->root().string("imageLayoutVersion"));
  if (version == "1.0.0") return {};
  return not_a_layout(directory, concat("one of version ", crategate::quoted(version)));
}

Result<void> refuse_links(const sys::Path& directory) {
  std::error_code failed;
  for (const char* part : {"blobs", "blobs/sha256"}) {
    if (std::filesystem::is_symlink(directory / part, failed)) {
      return not_a_layout(directory, concat("a symbolic link at ", part));
    }
  }
  return {};
}

Result<oci::Index> read_index(const sys::Path& directory) {
  CG_TRY(const auto text, sys::PosixFileSystem{}.read_below(directory, kIndexFile, oci::kManifestLimit));
  if (!text) return oci::Index{std::string(oci::kOciIndex), {}, {}};
  auto index = oci::parse_index(*text, oci::kOciIndex);
  if (!index) return fail(std::move(index.error()).within(concat("reading ", (directory / kIndexFile).string())));
  return index;
}

bool is_named(const oci::Descriptor& entry, const std::string& name) {
  const auto found = entry.annotations.find(std::string(kNameKey));
  return found != entry.annotations.end() && found->second == name;
}

Result<std::string> drain(const net::BodySource& source, std::size_t limit, const oci::Digest& digest) {
  std::string bytes;
  while (true) {
    CG_TRY(const std::string chunk, source());
    if (chunk.empty()) return bytes;
    if (chunk.size() > limit - bytes.size()) {
      return fail(ErrorCode::integrity, concat("blob ", digest.text(), ": expected at most ", format_bytes(limit)));
    }
    bytes += chunk;
  }
}

Result<std::optional<OciLayout::Stored>> load(const OciLayout& layout, const oci::Digest& digest,
                                              std::string_view media_type) {
  CG_TRY(auto bytes, layout.read_blob(digest));
  if (!bytes) return std::nullopt;
  CG_TRY(std::string checked, oci::manifest_media_type(*bytes, media_type));
  return OciLayout::Stored{{std::move(checked), digest, bytes->size(), {}, std::nullopt}, std::move(*bytes)};
}

}  // namespace

Result<OciLayout> OciLayout::open(sys::Path directory) {
  sys::PosixFileSystem files;
  std::error_code failed;
  const auto status = std::filesystem::status(directory, failed);
  if (std::filesystem::exists(status) && !std::filesystem::is_directory(status)) {
    return not_a_layout(directory, "something that is no directory");
  }
  CG_CHECK(files.make_directories(directory, 0755));
  CG_TRY(const auto marker, files.read_below(directory, kLayoutFile, 4096));
  if (marker) {
    CG_CHECK(check_layout_file(directory, *marker));
  } else {
    CG_TRY(const auto names, files.list(directory));
    // Another process may be creating the same layout right now.
    const bool foreign = std::any_of(names.begin(), names.end(), [](const std::string& name) {
      return name != "blobs" && name != kIndexFile && name != kLayoutFile && !name.starts_with('.');
    });
    if (foreign) return not_a_layout(directory, "a directory with other files");
    CG_CHECK(files.write_below(directory, kLayoutFile, kLayoutText, sys::Durability::process));
  }
  CG_CHECK(refuse_links(directory));
  CG_CHECK(files.make_directories(directory / "blobs" / "sha256", 0755));
  OciLayout layout(std::move(directory));
  // Somebody else's: it is read as it is, and writing says what is in the way.
  if (::access(layout.directory_.c_str(), W_OK) != 0 && files.exists(layout.directory_ / kIndexFile)) return layout;
  const auto lock = LayoutLock::take(layout.directory_);
  if (!lock) return fail(lock.error());
  remove_abandoned_blobs(layout.directory_);
  if (!files.exists(layout.directory_ / kIndexFile)) {
    const oci::Index empty{std::string(oci::kOciIndex), {}, {}};
    CG_CHECK(files.write_below(layout.directory_, kIndexFile, empty.to_json(), sys::Durability::process));
  }
  return layout;
}

Result<OciLayout> OciLayout::open_existing(sys::Path directory) {
  CG_TRY(const auto marker, sys::PosixFileSystem{}.read_below(directory, kLayoutFile, 4096));
  if (!marker) return not_a_layout(directory, "none");
  CG_CHECK(check_layout_file(directory, *marker));
  CG_CHECK(refuse_links(directory));
  return OciLayout(std::move(directory));
}

Result<std::optional<OciLayout::Stored>> OciLayout::find(const std::string& name) const {
  CG_TRY(const oci::Index index, read_index(directory_));
  const auto entry = std::find_if(index.manifests.begin(), index.manifests.end(),
                                  [&name](const oci::Descriptor& each) { return is_named(each, name); });
  if (entry == index.manifests.end()) return std::nullopt;
  CG_TRY(auto stored, load(*this, entry->digest, entry->media_type));
  if (stored && stored->descriptor.size == entry->size) return stored;
  return fail(
      ErrorCode::integrity,
      concat(directory_.string(), ": ", name, " names ", entry->digest.text(), " of ", entry->size, " bytes, found ",
             stored ? concat(stored->descriptor.size, " bytes") : std::string("no such blob")),
      "remove the layout and run again");
}

Result<std::optional<OciLayout::Stored>> OciLayout::find(const oci::Digest& digest) const {
  // A manifest need not say its own type; the index may know it.
  CG_TRY(const oci::Index index, read_index(directory_));
  const auto entry = std::find_if(index.manifests.begin(), index.manifests.end(),
                                  [&digest](const oci::Descriptor& each) { return each.digest == digest; });
  return load(*this, digest, entry == index.manifests.end() ? "" : entry->media_type);
}

Result<bool> OciLayout::has_blob(const oci::Digest& digest) const {
  CG_TRY(const auto stored, open_stored_blob(directory_, digest));
  return stored.has_value();
}

Result<std::optional<std::uint64_t>> OciLayout::blob_size(const oci::Digest& digest) const {
  CG_TRY(const auto stored, open_stored_blob(directory_, digest));
  return stored ? std::optional(stored->size) : std::nullopt;
}

Result<std::optional<std::string>> OciLayout::read_blob(const oci::Digest& digest, std::size_t limit) const {
  CG_TRY(auto stored, open_stored_blob(directory_, digest));
  if (!stored) return std::nullopt;
  return drain(checked_source(std::move(stored->bytes), digest, std::nullopt), limit, digest);
}

Result<net::BodySource> OciLayout::open_blob(const oci::Descriptor& descriptor, std::uint64_t offset) const {
  CG_TRY(auto stored, open_stored_blob(directory_, descriptor.digest));
  if (!stored) {
    return fail(ErrorCode::integrity,
                concat(directory_.string(), ": expected a regular file with the blob ", descriptor.digest.text(),
                       ", found none"),
                "the layout is not complete, or has a symbolic link there; make it anew");
  }
  net::BodySource source = checked_source(std::move(stored->bytes), descriptor.digest, descriptor.size);
  if (offset == 0) return source;
  return net::BodySource([source = std::move(source), left = offset]() mutable -> Result<std::string> {
    while (true) {
      CG_TRY(std::string bytes, source());
      const auto skipped = static_cast<std::size_t>(std::min<std::uint64_t>(left, bytes.size()));
      left -= skipped;
      if (bytes.empty() || skipped < bytes.size()) return bytes.substr(skipped);
    }
  });
}

Result<void> OciLayout::write_blob(const oci::Descriptor& descriptor, const net::BodySource& source) {
  CG_CHECK(blob_path(descriptor.digest));
  CG_TRY(BlobFile file, BlobFile::create(directory_));
  while (true) {
    CG_TRY(const std::string chunk, source());
    if (chunk.empty()) break;
    if (chunk.size() > descriptor.size - std::min(descriptor.size, file.size())) {
      return fail(ErrorCode::integrity,
                  concat("blob ", descriptor.digest.text(), ": expected ", descriptor.size, " bytes, found more"));
    }
    CG_CHECK(file.write(chunk));
  }
  CG_CHECK(file.close());
  if (file.digest() == descriptor.digest && file.size() == descriptor.size) return file.publish();
  return fail(ErrorCode::integrity,
              concat("blob ", descriptor.digest.text(), ": expected ", descriptor.size, " bytes of that digest, found ",
                     file.size(), " bytes of ", file.digest().text()));
}

Result<void> OciLayout::write_blob(const oci::Digest& digest, std::string_view bytes) {
  bool given = false;
  return write_blob({"", digest, bytes.size(), {}, std::nullopt}, [&]() -> Result<std::string> {
    return std::exchange(given, true) ? std::string() : std::string(bytes);
  });
}

Result<oci::Descriptor> OciLayout::write_manifest(std::string_view bytes, std::string_view media_type) {
  CG_TRY(std::string checked, oci::manifest_media_type(bytes, media_type));
  const oci::Digest digest = oci::Digest::of(bytes);
  CG_CHECK(write_blob(digest, bytes));
  return oci::Descriptor{std::move(checked), digest, bytes.size(), {}, std::nullopt};
}

Result<void> OciLayout::tag(const std::string& name, const oci::Descriptor& manifest) {
  CG_TRY(const bool present, has_blob(manifest.digest));
  if (!present) {
    return fail(ErrorCode::integrity,
                concat(directory_.string(), ": cannot name ", name, ": there is no manifest ", manifest.digest.text()));
  }
  CG_TRY(const LayoutLock lock, LayoutLock::take(directory_));
  CG_TRY(oci::Index index, read_index(directory_));
  std::erase_if(index.manifests, [&name](const oci::Descriptor& each) { return is_named(each, name); });
  oci::Descriptor entry = manifest;
  entry.annotations.insert_or_assign(std::string(kNameKey), name);
  index.manifests.push_back(std::move(entry));
  return sys::PosixFileSystem{}.write_below(directory_, kIndexFile, index.to_json(), sys::Durability::process);
}

Result<bool> OciLayout::untag(const std::string& name) {
  CG_TRY(const LayoutLock lock, LayoutLock::take(directory_));
  CG_TRY(oci::Index index, read_index(directory_));
  const auto removed =
      std::erase_if(index.manifests, [&name](const oci::Descriptor& each) { return is_named(each, name); });
  if (removed == 0) return false;
  CG_CHECK(sys::PosixFileSystem{}.write_below(directory_, kIndexFile, index.to_json(), sys::Durability::process));
  return true;
}

Result<std::vector<std::pair<std::string, oci::Digest>>> OciLayout::names() const {
  CG_TRY(const oci::Index index, read_index(directory_));
  std::vector<std::pair<std::string, oci::Digest>> names;
  for (const oci::Descriptor& entry : index.manifests) {
    const auto name = entry.annotations.find(std::string(kNameKey));
    if (name != entry.annotations.end()) names.emplace_back(name->second, entry.digest);
  }
  std::sort(names.begin(), names.end());
  return names;
}

Result<std::vector<oci::Digest>> OciLayout::manifests() const {
  CG_TRY(const oci::Index index, read_index(directory_));
  std::set<oci::Digest> digests;
  for (const oci::Descriptor& entry : index.manifests) digests.insert(entry.digest);
  return std::vector<oci::Digest>(digests.begin(), digests.end());
}

}  // namespace crategate::layout
