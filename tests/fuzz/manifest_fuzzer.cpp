// libFuzzer target: any bytes as a manifest or an index: never both, the same when written and read again (A46-A48).
#include "oci/manifest.h"

#include <array>

#include "fuzz/property.h"
#include "oci/media_types.h"

namespace crategate::oci {
namespace {

using fuzz::require;

bool same(const Descriptor& one, const Descriptor& other) {
  return one.media_type == other.media_type && one.digest == other.digest && one.size == other.size &&
         one.annotations == other.annotations && one.platform == other.platform &&
         one.artifact_type == other.artifact_type;
}

bool same(const std::vector<Descriptor>& some, const std::vector<Descriptor>& others) {
  if (some.size() != others.size() || some.size() > 1024) return false;
  for (std::size_t i = 0; i < some.size(); ++i)
    if (!same(some[i], others[i])) return false;
  return true;
}

void check(const std::vector<Descriptor>& descriptors) {
  for (const Descriptor& each : descriptors) {
    const std::size_t digits = each.digest.algorithm() == "sha512" ? 128 : 64;
    require(each.digest.hex().size() == digits);
    require(each.digest.hex().find_first_not_of("0123456789abcdef") == std::string_view::npos);
  }
}

void read_as(std::string_view bytes, std::string_view content_type) {
  const auto type = manifest_media_type(bytes, content_type);
  const auto manifest = parse_manifest(bytes, content_type);
  const auto index = parse_index(bytes, content_type);
  require(!manifest || !index);
  require(type || (!manifest && !index));
  if (manifest) {
    require(manifest->media_type == *type && is_manifest(*type));
    check({manifest->config});
    check(manifest->layers);
    const auto again = parse_manifest(manifest->to_json(), *type);
    require(again && same(again->config, manifest->config) && same(again->layers, manifest->layers) &&
            again->annotations == manifest->annotations);
  }
  if (const auto referral = type ? parse_referral(bytes, *type) : std::nullopt; referral && *referral) {
    check({(*referral)->entry});
    require((*referral)->entry.size == bytes.size() && referrers_tag((*referral)->subject).size() == 71);
  }
  if (index) {
    require(index->media_type == *type && is_index(*type));
    check(index->manifests);
    const auto again = parse_index(index->to_json(), *type);
    require(again && same(again->manifests, index->manifests) && again->annotations == index->annotations);
  }
}

}  // namespace
}  // namespace crategate::oci

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace oci = crategate::oci;
  const auto bytes = crategate::fuzz::text_of(data, size);
  for (const std::string_view type :
       {std::string_view(), std::string_view(oci::kOciManifest), std::string_view(oci::kOciIndex)})
    oci::read_as(bytes, type);
  return 0;
}
