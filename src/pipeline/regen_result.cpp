#include "pipeline/regen_result.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "base/strings.h"
#include "json/value.h"
#include "oci/reference.h"
#include "pipeline/document.h"

namespace crategate::pipeline {
namespace {

constexpr std::array<std::pair<std::string_view, FileChange>, 3> kChanges{
    {{"added", FileChange::added}, {"modified", FileChange::modified}, {"deleted", FileChange::deleted}}};
constexpr std::size_t kLongestPath = 4096, kLongestImage = 512;  // bytes
constexpr std::size_t kOid = 40, kSha256 = 64;
constexpr std::string_view kHint = "Run the job that makes the files again; do not use these.";

/// Lower-case hex digits, as many as said.
Result<std::string> id_at(const json::Reader& from, std::string_view key, std::size_t digits) {
  CG_TRY(const auto member, from.at(key));
  CG_TRY(auto text, member.as_string());
  if (text.size() == digits && text.find_first_not_of("0123456789abcdef") == std::string::npos) return text;
  return member.expected(concat(digits, " lower-case hexadecimal digits"));
}

Result<std::string> image_at(const json::Reader& from) {
  CG_TRY(const auto member, from.at("image"));
  CG_TRY(auto text, member.as_string());
  if (text.size() <= kLongestImage && oci::parse_reference(text)) return text;
  return member.expected("the name of an image");
}

Result<RegenFile> read_file(const json::Reader& from) {
  RegenFile file;
  CG_TRY(const auto path, from.at("path"));
  CG_TRY(file.path, path.as_string());
  const bool plain = !file.path.empty() && file.path.size() <= kLongestPath && !file.path.starts_with('/') &&
                     file.path.find('\0') == std::string::npos;
  if (!plain) return path.expected("a path below the top of the repository");
  CG_TRY(const auto change, from.at("change"));
  CG_TRY(const auto word, change.as_string());
  const auto* const known = std::ranges::find(kChanges, word, &std::pair<std::string_view, FileChange>::first);
  if (known == kChanges.end()) return change.expected("added, modified or deleted");
  file.change = known->second;
  return file;
}

Result<std::vector<RegenFile>> files_at(const json::Reader& from, std::size_t most) {
  CG_TRY(const auto member, from.at("files"));
  CG_TRY(const auto items, member.items());
  if (items.size() > most) return member.expected(concat("at most ", most, " files (regen.max-files)"));
  std::vector<RegenFile> files;
  std::set<std::string> seen;
  for (const auto& item : items) {
    CG_TRY(auto file, read_file(item));
    if (!seen.insert(file.path).second) return item.expected("each path once");
    files.push_back(std::move(file));
  }
  return files;
}

Result<RegenResult> read_result(const json::Reader& from, std::size_t most_files) {
  RegenResult result;
  CG_TRY(result.pull_request, count_at(from, "pull_request"));
  CG_TRY(result.sha, id_at(from, "sha", kOid));
  CG_TRY(result.image, image_at(from));
  CG_TRY(result.tree, id_at(from, "tree", kOid));
  CG_TRY(result.patch_sha256, id_at(from, "patch_sha256", kSha256));
  CG_TRY(result.patch_bytes, count_at(from, "patch_bytes"));
  CG_TRY(result.files, files_at(from, most_files));
  if (result.files.empty() != (result.patch_bytes == 0))
    return from.expected("files exactly where the patch has bytes");
  return result;
}

json::Value value_of(const RegenResult& result) {
  auto files = json::Value::array();
  for (const auto& file : result.files)
    files.push(json::Value::object({{"path", file.path}, {"change", to_string(file.change)}}));
  return json::Value::object({{"schema", kSchema},
                              {"pull_request", result.pull_request},
                              {"sha", result.sha},
                              {"image", result.image},
                              {"tree", result.tree},
                              {"patch_sha256", result.patch_sha256},
                              {"patch_bytes", result.patch_bytes},
                              {"files", std::move(files)}});
}

}  // namespace

std::string_view to_string(FileChange change) {
  return std::ranges::find(kChanges, change, &std::pair<std::string_view, FileChange>::second)->first;
}

FileChange kind_of(const TreeChange& change) {
  if (!change.before) return FileChange::added;
  return change.after ? FileChange::modified : FileChange::deleted;
}

std::uint64_t largest_patch(const config::Regen& settings) {
  constexpr std::uint64_t kMiB = 1u << 20;
  // It has the content of before and of after, each once and a half: in base 85, or with a sign before each short line.
  return 3 * static_cast<std::uint64_t>(settings.max_mib) * kMiB + kMiB;
}

std::string to_json(const RegenResult& result) { return value_of(result).canonical(); }

Result<RegenResult> parse_regen_result(std::string_view text, std::string_view file_name, std::size_t most_files) {
  return parse_document(
      text, file_name, [most_files](const json::Reader& from) { return read_result(from, most_files); }, value_of,
      kHint);
}

}  // namespace crategate::pipeline
