// What holds for any text as regen.json, which the job that ran strangers' code has written.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "fuzz/property.h"
#include "pipeline/regen_result.h"

namespace crategate::fuzz {

inline bool is_id(std::string_view text, std::size_t digits) {
  return text.size() == digits && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// Whether it is read. Then its ids are ids, every path is one below the top and there once, and it reads the same again.
inline bool accepts_regen_result(std::string_view text) {
  constexpr std::size_t kMost = 5;
  const auto result = pipeline::parse_regen_result(text, "regen.json", kMost);
  if (!result) {
    require(result.error().code == ErrorCode::bad_input && !result.error().message.empty());
    return false;
  }
  require(is_id(result->sha, 40) && is_id(result->tree, 40) && is_id(result->patch_sha256, 64));
  require(result->pull_request >= 0 && result->patch_bytes >= 0 && result->files.size() <= kMost);
  require(result->changed() == (result->patch_bytes > 0) && !result->image.empty());
  std::set<std::string> paths;
  for (const auto& file : result->files) {
    require(!file.path.empty() && file.path.size() <= 4096 && file.path.front() != '/');
    require(file.path.find('\0') == std::string::npos && paths.insert(file.path).second);
  }
  const auto again = pipeline::parse_regen_result(pipeline::to_json(*result), "regen.json", kMost);
  require(again.has_value() && *again == *result);
  return true;
}

}  // namespace crategate::fuzz
