#include "stages/base_watch.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/strings.h"
#include "pipeline/base_watch.h"
#include "pipeline/planned_tags.h"
#include "stages/tag_state.h"
#include "sys/cancel.h"
#include "sys/parallel.h"

namespace crategate::stages {
namespace {

constexpr std::size_t kRequestsAtATime = 16;

using Bases = std::map<std::string, Result<std::optional<oci::Digest>>>;

Result<Bases> ask_for(const std::vector<std::string>& names, registry::RegistryReader& reader) {
  std::vector<Result<std::optional<oci::Digest>>> digests(names.size(), std::optional<oci::Digest>());
  CG_CHECK(sys::for_each_parallel(names.size(), kRequestsAtATime, [&](std::size_t i) -> Result<void> {
    CG_TRY(const auto name, oci::parse_reference(names[i]));
    digests[i] = reader.digest({name.repository, name.tag.value_or("latest"), std::nullopt});
    return sys::check_cancelled();
  }));
  Bases bases;
  for (std::size_t i = 0; i < names.size(); ++i) bases.emplace(names[i], std::move(digests[i]));
  return bases;
}

/// Of every cell, whether this event moves them or not: `me/app-cpu` → {`latest`}.
Result<std::map<std::string, std::vector<std::string>>> moving_tags(pipeline::Plan plan,
                                                                    const config::Release& release) {
  plan.policy.latest = true;
  CG_TRY(const auto planned, planned_tags(plan, release, "", pipeline::TagRank::moving, pipeline::TagRank::moving));
  std::map<std::string, std::vector<std::string>> tags;
  for (const auto& tag : planned) tags[tag.repository].push_back(tag.tag);
  return tags;
}

std::string label(const std::map<std::string, std::string>& labels, std::string_view name) {
  const auto found = labels.find(std::string(name));
  return found == labels.end() ? std::string() : found->second;
}

/// The first of the version tags, else of the moving ones, that there is.
Result<std::optional<pipeline::PublishedImage>> find_published(const pipeline::Cell& cell,
                                                               const std::vector<std::string>& moving,
                                                               registry::RegistryReader& reader) {
  CG_TRY(const auto repository, oci::parse_repository(cell.image));
  std::vector<std::string> tags = cell.tags;
  tags.insert(tags.end(), moving.begin(), moving.end());
  for (std::size_t i = 0; i < tags.size(); ++i) {
    CG_TRY(const auto labels, image_labels({repository, tags[i], std::nullopt}, reader));
    if (!labels) continue;
    return pipeline::PublishedImage{.version = label(*labels, pipeline::kVersionLabel),
                                    .revision = label(*labels, pipeline::kRevisionLabel),
                                    .base_digest = label(*labels, pipeline::kBaseDigestLabel),
                                    .moved_from = label(*labels, pipeline::kMovedFromLabel),
                                    .by_moving_tag = i >= cell.tags.size()};
  }
  return std::nullopt;
}

std::vector<std::string> base_names(const pipeline::Plan& plan, const config::Build& build) {
  std::vector<std::string> names;
  for (const auto& cell : plan.cells) {
    if (is_watched(cell, build) && std::ranges::find(names, cell.base) == names.end()) names.push_back(cell.base);
  }
  return names;
}

/// A cell's line, when nobody could be asked.
template <class Value>
void note(const pipeline::Cell& cell, const Result<Value>& answer, pipeline::BaseFacts& facts) {
  if (answer) return;
  facts.is_unknown = true;
  log::info(concat("cell ", cell.key, ": base image ", cell.base, ": ", answer.error().message));
}

}  // namespace

Result<void> look_at_bases(pipeline::Plan& plan, const config::Configuration& configuration,
                           registry::RegistryReader* images, registry::RegistryReader& bases) {
  CG_TRY(const auto now, ask_for(base_names(plan, configuration.build), bases));
  CG_TRY(const auto moving, moving_tags(plan, configuration.release));
  std::vector<std::optional<pipeline::BaseFacts>> facts(plan.cells.size());
  CG_CHECK(sys::for_each_parallel(plan.cells.size(), kRequestsAtATime, [&](std::size_t i) -> Result<void> {
    const pipeline::Cell& cell = plan.cells[i];
    if (!is_watched(cell, configuration.build)) return {};
    pipeline::BaseFacts found;
    const auto& base = now.at(cell.base);
    note(cell, base, found);
    if (base) found.now = *base;
    if (images != nullptr && plan.policy.watch_base) {
      const auto also = moving.find(cell.image);
      auto published = find_published(cell, also == moving.end() ? std::vector<std::string>() : also->second, *images);
      note(cell, published, found);
      if (published) found.published = *std::move(published);
    }
    facts[i] = std::move(found);
    return sys::check_cancelled();
  }));
  pipeline::decide_bases(plan, facts);
  return {};
}

}  // namespace crategate::stages
