// libFuzzer target: any bytes as an image configuration: what is accepted has one fingerprint, and none that another
// reading of it would have.
#include "oci/image_config.h"

#include "fuzz/property.h"
#include "image/fingerprint.h"

namespace crategate::oci {
namespace {

using fuzz::require;

void check(std::string_view bytes) {
  const auto read = parse_image_config(bytes);
  if (!read) {
    require(read.error().code == ErrorCode::integrity && !read.error().message.empty());
    return;
  }
  const std::string value = image::fingerprint(*read, {});
  require(value.starts_with("v1:") && value.size() == 67);
  // A spare space changes the document, and nothing else.
  const auto again = parse_image_config(std::string(bytes) + "\n");
  require(again && image::fingerprint(*again, {}) == value && image::differences(*read, *again, {}).empty());
  ImageConfig changed = *read;
  changed.config.env.emplace_back("LD_PRELOAD=/evil.so");
  require(image::fingerprint(changed, {}) != value && !image::differences(*read, changed, {}).empty());
  for (const Digest& diff_id : read->diff_ids) require(Digest::parse(diff_id.text()).has_value());
  require(image::layer_text_digest(read->diff_ids).size() == 64);
  require(image::is_empty_evidence(image::layer_text_digest(read->diff_ids)) == read->diff_ids.empty());
}

}  // namespace
}  // namespace crategate::oci

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  crategate::oci::check(crategate::fuzz::text_of(data, size));
  return 0;
}
