#include "layout/archive_writer.h"

#include <array>
#include <functional>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "base/strings.h"
#include "json/value.h"
#include "oci/media_types.h"

namespace crategate::layout {
namespace {

constexpr std::size_t kBlock = 512;
constexpr std::uint64_t kLargestOctal = (std::uint64_t{1} << 33) - 1;  ///< eleven digits

/// A member, opened when its turn comes.
struct Member {
  std::string name;
  std::uint64_t size = 0;
  std::function<Result<net::BodySource>()> open;
};

void put(std::string& header, std::size_t at, std::string_view text) { header.replace(at, text.size(), text); }

std::string octal(std::uint64_t number, std::size_t digits) {
  std::string text(digits, '0');
  for (auto at = digits; at > 0 && number != 0; --at, number /= 8) text[at - 1] = static_cast<char>('0' + number % 8);
  return text;
}

/// https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html#tag_20_92_13_06; sizes above it as GNU tar has them.
std::string header_of(const Member& member) {
  constexpr std::size_t kMode = 100, kUser = 108, kGroup = 116, kSize = 124, kTime = 136, kSum = 148, kType = 156,
                        kMagic = 257;
  std::string header(kBlock, '\0');
  put(header, 0, member.name);
  put(header, kMode, "0000644");
  put(header, kUser, "0000000");
  put(header, kGroup, "0000000");
  if (member.size <= kLargestOctal) {
    put(header, kSize, octal(member.size, 11));
  } else {
    header[kSize] = static_cast<char>(0x80);
    for (std::size_t byte = 0; byte < 8; ++byte)
      header[kSize + 11 - byte] = static_cast<char>((member.size >> (8 * byte)) & 0xff);
  }
  put(header, kTime, "00000000000");
  put(header, kSum, "        ");
  header[kType] = '0';
  put(header, kMagic, std::string_view("ustar\00000", 8));
  std::uint64_t sum = 0;
  for (const char byte : header) sum += static_cast<unsigned char>(byte);
  put(header, kSum, concat(octal(sum, 6), std::string_view("\0 ", 2)));
  return header;
}

std::uint64_t padded(std::uint64_t size) { return (size + kBlock - 1) / kBlock * kBlock; }

/// Header, content, zeros; and at the very end two blocks of zeros.
class TarSource {
 public:
  explicit TarSource(std::vector<Member> members) : members_(std::move(members)) {}
  Result<std::string> next() {
    if (content_) {
      CG_TRY(auto chunk, content_());
      if (!chunk.empty()) return chunk;
      content_ = {};
      const auto size = members_[next_ - 1].size;
      if (padded(size) != size) return std::string(padded(size) - size, '\0');
    }
    if (next_ < members_.size()) {
      const Member& member = members_[next_++];
      CG_TRY(content_, member.open());
      return header_of(member);
    }
    return std::exchange(ended_, true) ? std::string() : std::string(2 * kBlock, '\0');
  }

 private:
  std::vector<Member> members_;
  std::size_t next_ = 0;
  net::BodySource content_;
  bool ended_ = false;
};

Member text_member(std::string name, std::string text) {
  const auto size = text.size();
  return {
      std::move(name), size, [text = std::move(text)]() -> Result<net::BodySource> {
        return net::BodySource([text]() mutable -> Result<std::string> { return std::exchange(text, std::string()); });
      }};
}

std::string blob_name(const oci::Digest& digest) {
  const std::string& text = digest.text();
  return concat("blobs/", replace_all(text, ":", "/"));
}

Member blob_member(const OciLayout& layout, const oci::Descriptor& blob) {
  return {blob_name(blob.digest), blob.size, [layout, blob] { return layout.open_blob(blob); }};
}

std::string index_of(const oci::Descriptor& manifest, const oci::Reference& name) {
  const auto annotations = json::Value::object(
      {{"io.containerd.image.name", name.full()}, {"org.opencontainers.image.ref.name", name.tag.value_or("latest")}});
  const auto entry = json::Value::object({{"mediaType", manifest.media_type},
                                          {"digest", manifest.digest.text()},
                                          {"size", static_cast<std::int64_t>(manifest.size)},
                                          {"annotations", annotations}});
  auto entries = json::Value::array();
  entries.push(entry);
  return json::Value::object({{"schemaVersion", 2}, {"mediaType", oci::kOciIndex}, {"manifests", std::move(entries)}})
      .canonical();
}

std::string list_of(const oci::Manifest& manifest, const oci::Reference& name) {
  std::vector<std::string> layers;
  for (const auto& layer : manifest.layers) layers.push_back(blob_name(layer.digest));
  auto list = json::Value::array();
  list.push(json::Value::object({{"Config", blob_name(manifest.config.digest)},
                                 {"RepoTags", json::Value::array_of({name.familiar()})},
                                 {"Layers", json::Value::array_of(layers)}}));
  return list.canonical();
}

}  // namespace

Result<WrittenArchive> write_archive(const OciLayout& layout, const oci::Digest& digest, const oci::Reference& name) {
  CG_TRY(const auto stored, layout.find(digest));
  if (!stored) return fail(ErrorCode::integrity, concat("OCI layout: expected ", digest.text(), ", found none"));
  CG_TRY(const auto manifest, oci::parse_manifest(stored->bytes, stored->descriptor.media_type));
  std::vector<Member> members;
  members.push_back(text_member("oci-layout", R"({"imageLayoutVersion":"1.0.0"})"));
  members.push_back(text_member("index.json", index_of(stored->descriptor, name)));
  members.push_back(text_member("manifest.json", list_of(manifest, name)));
  members.push_back(blob_member(layout, stored->descriptor));
  members.push_back(blob_member(layout, manifest.config));
  std::set<oci::Digest> seen;
  for (const auto& layer : manifest.layers)
    if (seen.insert(layer.digest).second) members.push_back(blob_member(layout, layer));
  std::uint64_t size = 2 * kBlock;
  for (const auto& member : members) size += kBlock + padded(member.size);
  const auto tar = std::make_shared<TarSource>(std::move(members));
  return WrittenArchive{[tar] { return tar->next(); }, size, manifest.config.digest};
}

}  // namespace crategate::layout
