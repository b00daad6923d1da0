#include "pipeline/rebuilt.h"

#include "base/strings.h"
#include "oci/reference.h"
#include "pipeline/document.h"

namespace crategate::pipeline {
namespace {

using json::Reader;
using json::Value;

constexpr std::string_view kHint = "Remove the file, and run `crategate verify`: it builds the cell once more.";
constexpr std::size_t kScope = 12;  ///< digits in the name of a cache
constexpr std::size_t kLongestTag = 128;

Value rebuilt_value(const Rebuilt& rebuilt) {
  return Value::object({{"schema", kSchema},
                        {"plan_id", rebuilt.plan_id},
                        {"cell", rebuilt.cell},
                        {"manifest_digest", rebuilt.manifest_digest.text()},
                        {"config_digest", rebuilt.config_digest.text()},
                        {"contents", digests_value(rebuilt.contents)},
                        {"duration_ms", rebuilt.duration_ms}});
}

Result<Rebuilt> read_rebuilt(const Reader& from) {
  CG_TRY(auto manifest, digest_at(from, "manifest_digest"));
  CG_TRY(auto config, digest_at(from, "config_digest"));
  Rebuilt rebuilt{.plan_id = {},
                  .cell = {},
                  .manifest_digest = std::move(manifest),
                  .config_digest = std::move(config),
                  .contents = {}};
  CG_TRY(rebuilt.plan_id, from.string("plan_id"));
  CG_TRY(rebuilt.cell, from.string("cell"));
  CG_TRY(rebuilt.contents, digests_at(from, "contents"));
  CG_TRY(rebuilt.duration_ms, count_at(from, "duration_ms"));
  return rebuilt;
}

}  // namespace

std::string to_json(const Rebuilt& rebuilt) { return rebuilt_value(rebuilt).canonical() + "\n"; }

Result<Rebuilt> parse_rebuilt(std::string_view text, std::string_view file_name) {
  return parse_document(text, file_name, read_rebuilt, rebuilt_value, kHint);
}

std::string rebuild_cache(const Plan& plan, const Cell& cell, const std::string& run) {
  if (!plan.rebuild || !plan.policy.push || cell.cache.empty()) return {};
  const auto cache = oci::parse_reference(cell.cache);
  if (!cache) return {};
  const auto id = oci::Digest::of(concat(plan.plan_id, "\n", run));
  const std::string scope = concat("-", id.hex().substr(0, kScope));
  const std::string tag = cache->tag.value_or("latest").substr(0, kLongestTag - scope.size());
  return concat(cache->repository.familiar(), ":", tag, scope);
}

std::optional<Candidate> candidate_of(const Plan& plan, const Record& record, const Rebuilds& rebuilds) {
  if (!plan.rebuild) return Candidate{record.manifest_digest, record.config_digest};
  const auto rebuilt = rebuilds.find(record.cell);
  if (rebuilt == rebuilds.end()) return std::nullopt;
  return Candidate{rebuilt->second.manifest_digest, rebuilt->second.config_digest};
}

}  // namespace crategate::pipeline
