#include "pipeline/document.h"

#include <algorithm>

namespace crategate::pipeline {
namespace {

constexpr std::string_view kTimeShape = "0000-00-00T00:00:00Z";

bool is_time(std::string_view text) {
  if (text.size() != kTimeShape.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (kTimeShape[i] == '0' ? !digit : text[i] != kTimeShape[i]) return false;
  }
  return true;
}

using json::Reader;

/// Errors: bad_input naming the first member that is not the same in both.
Result<void> check_same(const Reader& found,
                        const Reader& written) {  // NOLINT(misc-no-recursion): json limits the depth
  if (found.is_object() && written.is_object()) {
    CG_TRY(const auto members, found.members());
    for (const auto& [name, member] : members) {
      CG_TRY(const auto expected, written.find(name));
      if (expected) {
        CG_CHECK(check_same(member, *expected));
      } else if (!member.is_null()) {
        return member.expected(concat("no such member in schema ", kSchema));
      }
    }
  } else if (found.is_array() && written.is_array()) {
    CG_TRY(const auto items, found.items());
    CG_TRY(const auto expected, written.items());
    for (std::size_t i = 0; i < std::min(items.size(), expected.size()); ++i) {
      CG_CHECK(check_same(items[i], expected[i]));
    }
  }
  if (found.dump() == written.dump()) return {};
  const bool scalar = !written.is_object() && !written.is_array();
  return found.expected(scalar ? concat(written.dump(), " as the rest of it says")
                               : concat("the members of schema ", kSchema, ", and those alone"));
}

}  // namespace

Result<void> check_members(const Reader& found, const json::Value& written) {
  const auto text = written.canonical();
  if (text == found.dump()) return {};
  CG_TRY(const auto anew, json::Document::parse(text, "written anew"));
  return check_same(found, anew.root());
}

Result<void> check_schema(const Reader& from) {
  CG_TRY(const auto member, from.at("schema"));
  CG_TRY(const auto schema, member.as_integer());
  if (schema != kSchema) return member.expected(concat(kSchema));
  return {};
}

Result<std::string> time_at(const json::Reader& from, std::string_view key) {
  CG_TRY(const auto member, from.at(key));
  CG_TRY(auto text, member.as_string());
  if (is_time(text)) return text;
  return member.expected("a time such as 2026-11-20T09:29:18Z");
}

Result<std::int64_t> count_at(const Reader& from, std::string_view key) {
  CG_TRY(const auto member, from.at(key));
  CG_TRY(const auto count, member.as_integer());
  if (count < 0) return member.expected("a number that is not negative");
  return count;
}

Result<oci::Digest> digest_from(const Reader& from) {
  CG_TRY(const auto text, from.as_string());
  auto digest = oci::Digest::parse(text);
  if (!digest) return from.expected("a digest (sha256: and 64 lower-case hexadecimal digits)");
  return digest;
}

Result<oci::Digest> digest_at(const Reader& from, std::string_view key) {
  CG_TRY(const auto member, from.at(key));
  return digest_from(member);
}

Result<std::vector<oci::Digest>> digests_at(const Reader& from, std::string_view key) {
  CG_TRY(const auto member, from.at(key));
  CG_TRY(const auto items, member.items());
  std::vector<oci::Digest> digests;
  for (const auto& item : items) {
    CG_TRY(auto digest, digest_from(item));
    digests.push_back(std::move(digest));
  }
  return digests;
}

json::Value digests_value(const std::vector<oci::Digest>& digests) {
  auto list = json::Value::array();
  for (const auto& digest : digests) list.push(digest.text());
  return list;
}

Result<oci::Platform> platform_at(const Reader& from) {
  CG_TRY(const auto member, from.at("platform"));
  CG_TRY(const auto text, member.as_string());
  auto platform = oci::parse_platform(text);
  if (!platform) return member.expected("a platform such as linux/amd64");
  return platform;
}

}  // namespace crategate::pipeline
