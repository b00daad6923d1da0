#include "pipeline/document.h"

namespace crategate::pipeline {

using json::Reader;

Result<void> check_schema(const Reader& from) {
  CG_TRY(const auto member, from.at("schema"));
  CG_TRY(const auto schema, member.as_integer());
  if (schema != kSchema) return member.expected(concat(kSchema));
  return {};
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

Result<oci::Platform> platform_at(const Reader& from) {
  CG_TRY(const auto member, from.at("platform"));
  CG_TRY(const auto text, member.as_string());
  auto platform = oci::parse_platform(text);
  if (!platform) return member.expected("a platform such as linux/amd64");
  return platform;
}

}  // namespace crategate::pipeline
