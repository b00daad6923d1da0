// libFuzzer target: any bytes as an image reference. The normal form is stable, and holds nothing that a URL or a path
// could be built from by surprise (A46, A92).
#include "oci/reference.h"

#include "base/strings.h"
#include "fuzz/property.h"

namespace crategate::oci {
namespace {

using fuzz::require;

bool is_lower_hex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

void check(const Digest& digest) {
  require(digest.text() == concat(digest.algorithm(), ":", digest.hex()) && is_lower_hex(digest.hex()));
  require((digest.algorithm() == "sha256" && digest.hex().size() == 64) ||
          (digest.algorithm() == "sha512" && digest.hex().size() == 128));
}

void check(const Repository& repository) {
  require(!repository.registry.empty() && repository.registry != "index.docker.io");
  require(repository.path.size() <= 255 + std::string_view("library/").size());
  for (const std::string& component : split(repository.path, '/'))
    require(!component.empty() && component.front() != '.' && component.front() != '-' &&
            component == to_lower(component));
  const auto url = net::Url::parse(concat("https://", repository.full()));
  if (url) fuzz::check_url(*url);
  require(parse_repository(repository.full()).value() == repository);
  require(parse_repository(repository.familiar()).value() == repository);
}

void read(std::string_view text) {
  if (const auto digest = Digest::parse(text)) check(*digest);
  if (const auto tag = parse_tag(text)) require(*tag == text && text.size() <= 128);
  const auto reference = parse_reference(text);
  const auto repository = parse_repository(text);
  if (!reference) return require(!repository && reference.error().code == ErrorCode::bad_input);
  if (reference->digest) check(*reference->digest);
  require(parse_reference(reference->full()).value() == *reference);
  require(parse_reference(reference->familiar()).value() == *reference);
  if (repository) {
    require(*repository == reference->repository && !reference->tag && !reference->digest);
    check(*repository);
  }
}

}  // namespace
}  // namespace crategate::oci

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  crategate::oci::read(crategate::fuzz::text_of(data, size));
  return 0;
}
