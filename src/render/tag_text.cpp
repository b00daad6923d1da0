#include "render/tag_text.h"

#include "base/strings.h"
#include "oci/reference.h"

namespace crategate::render {

std::string repository_name(const std::string& repository) {
  const auto parsed = oci::parse_repository(repository);
  return parsed ? parsed->familiar() : repository;
}

std::string tag_name(const pipeline::TagMove& move) { return concat(repository_name(move.repository), ":", move.tag); }

std::string digest_or_absent(const std::optional<oci::Digest>& digest) {
  return digest ? digest->text() : std::string("absent");
}

}  // namespace crategate::render
