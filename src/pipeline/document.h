// What all documents that stages hand to each other have in common: a schema, one canonical form, strict reading.
// Belongs here: the frame, and members that several documents have.  Not here: any one document (plan_json, record).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "base/strings.h"
#include "json/value.h"
#include "oci/digest.h"
#include "oci/platform.h"

namespace crategate::pipeline {

inline constexpr std::int64_t kSchema = 1;

/// Errors: bad_input unless `schema` is the one that this version reads.
Result<void> check_schema(const json::Reader& from);
/// Each Errors: bad_input naming the member, what was expected and what was found.
Result<oci::Platform> platform_at(const json::Reader& from);
Result<oci::Digest> digest_from(const json::Reader& from);
Result<oci::Digest> digest_at(const json::Reader& from, std::string_view key);
Result<std::vector<oci::Digest>> digests_at(const json::Reader& from, std::string_view key);
json::Value digests_value(const std::vector<oci::Digest>& digests);
/// As 2026-11-20T09:29:18Z: such texts compare as times do.
Result<std::string> time_at(const json::Reader& from, std::string_view key);
Result<std::int64_t> count_at(const json::Reader& from, std::string_view key);

/// That a document has the members of what it says, written anew, and those alone.
/// Errors: bad_input naming the first that is unknown, or contradicts another.
Result<void> check_members(const json::Reader& found, const json::Value& written);

/// Reads a document by `read(reader)`. What `write(value)` makes of it must be the document again, so that a member
/// that is unknown, or contradicts another one, is refused.
/// Errors: those of `read`, and bad_input; `hint` where there is no better one.
template <class Read, class Write>
auto parse_document(std::string_view text, std::string_view file_name, Read read, Write write, std::string_view hint)
    -> decltype(read(std::declval<const json::Reader&>())) {
  const auto strictly = [&]() -> decltype(read(std::declval<const json::Reader&>())) {
    CG_TRY(const auto document, json::Document::parse(text, std::string(file_name)));
    CG_CHECK(check_schema(document.root()));
    CG_TRY(auto value, read(document.root()));
    CG_CHECK(check_members(document.root(), write(value)));
    return value;
  };
  auto value = strictly();
  if (!value && value.error().hint.empty()) value.error().hint = hint;
  return value;
}

}  // namespace crategate::pipeline
