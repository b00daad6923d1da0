#include "pipeline/maker.h"

#include "base/strings.h"
#include "json/value.h"

namespace crategate::pipeline {
namespace {

constexpr std::int64_t kSchema = 1;
constexpr std::string_view kProduct = "crategate";

Result<Maker> read_maker(std::string_view text) {
  CG_TRY(const auto document, json::Document::parse(text, "marker", {.max_bytes = 4096, .max_depth = 2}));
  const auto root = document.root();
  CG_TRY(const auto schema, root.integer(kProduct));
  if (schema != kSchema) return fail(ErrorCode::bad_input, "another schema");
  Maker maker;
  CG_TRY(maker.run, root.string("run"));
  CG_TRY(maker.attempt, root.string("attempt"));
  CG_TRY(maker.job, root.string("job"));
  return maker;
}

/// Of the same run, and earlier. Attempts that are no numbers are equal to nothing.
bool is_earlier(const Maker& existing, const Maker& own) {
  const auto before = parse_unsigned(existing.attempt);
  const auto now = parse_unsigned(own.attempt);
  return !own.run.empty() && existing.run == own.run && before && now && *before < *now;
}

}  // namespace

std::string Maker::text() const {
  const std::string who = job.empty() ? std::string("an unnamed job") : concat("job ", quote(job));
  return run.empty() ? who : concat(who, " (attempt ", attempt, " of run ", run, ")");
}

std::string to_json(const Maker& maker) {
  return json::Value::object(
             {{std::string(kProduct), kSchema}, {"run", maker.run}, {"attempt", maker.attempt}, {"job", maker.job}})
      .canonical();
}

std::optional<Maker> parse_maker(std::string_view text) {
  auto maker = read_maker(text);
  return maker ? std::optional(*std::move(maker)) : std::nullopt;
}

Result<void> judge_replacing(std::string_view name, const std::optional<Maker>& existing, const Maker& own) {
  if (existing && is_earlier(*existing, own)) return {};
  return fail(ErrorCode::artifact_service,
              concat("artifact ", quote(name), ": expected a name that is free in this attempt, found one of ",
                     existing ? existing->text() : std::string("another tool"), "; this is ", own.text()));
}

}  // namespace crategate::pipeline
