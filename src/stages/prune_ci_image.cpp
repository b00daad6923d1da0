#include "stages/prune_ci_image.h"

#include <algorithm>

#include "pipeline/ci_tags.h"

namespace crategate::stages {

Result<Pruned> prune_ci_image(const oci::Repository& repository, bool remove, const PruneServices& svc) {
  CG_TRY(const auto tags, svc.reader.tags(repository));
  std::vector<std::int64_t> numbers;
  for (const auto& tag : tags.value_or(std::vector<std::string>{}))
    if (const auto number = pipeline::pull_request_of(tag)) numbers.push_back(*number);
  std::ranges::sort(numbers);
  Pruned pruned;
  for (const auto number : numbers) {
    const auto tag = pipeline::pull_request_tag(number);
    const auto closed = svc.is_closed(number);
    if (!closed && closed.error().code != ErrorCode::not_found) return fail(closed.error());
    (!closed ? pruned.unknown : *closed ? pruned.closed : pruned.open).push_back(tag);
  }
  if (!remove) return pruned;
  for (const auto& tag : pruned.closed) {
    CG_TRY(const bool there, svc.writer.remove_manifest({repository, tag, std::nullopt}));
    if (there) ++pruned.removed;
  }
  return pruned;
}

}  // namespace crategate::stages
