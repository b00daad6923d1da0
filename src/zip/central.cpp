// Fields by their offsets; kinds and permissions by the unix mode in the external attributes.
#include "zip/central.h"

#include "base/strings.h"
#include "zip/end_record.h"
#include "zip/names.h"

namespace crategate::zip {
namespace {

constexpr unsigned kKnownFlags = 0x6 | kDescriptorFlag | kUtf8Flag;  ///< bits 1 and 2 tell how hard was compressed
constexpr unsigned kHighestVersion = 45;
constexpr unsigned kTypeBits = 0170000, kRegularFile = 0100000, kDirectoryFile = 0040000, kPermissions = 0777;
constexpr std::uint64_t kEmptyStream = 2;  ///< bytes of a deflate stream of nothing

/// Replaces what is full by what the zip64 field says. It holds what is full, in this order; some tools write all three.
Result<void> widen(std::string_view extra, Entry& entry) {
  constexpr std::size_t kAll = 24;
  CG_TRY(const auto found, extra_field(extra, kZip64Extra, entry.name));
  std::string_view field = found.value_or(std::string_view());
  const bool all = field.size() >= kAll;
  entry.wide = entry.size == kFull32 || entry.packed == kFull32;
  for (std::uint64_t* value : {&entry.size, &entry.packed, &entry.offset}) {
    if (*value != kFull32 && !all) continue;
    if (field.size() < 8) return refuse_member(entry.name, "has a zip64 field that is too short for its numbers");
    const std::uint64_t wide = number_at(field, 0, 8);
    if (*value != kFull32 && *value != wide) return refuse_member(entry.name, "has a zip64 field that contradicts");
    *value = wide;
    field.remove_prefix(8);
  }
  const bool first_disk = field.size() == 4 && number_at(field, 0, 4) == 0;
  if (!field.empty() && !first_disk) return refuse_member(entry.name, "has a zip64 field with more than its numbers");
  return {};
}

Result<void> set_kind(std::uint64_t attributes, Entry& entry) {
  const auto mode = static_cast<unsigned>(attributes >> 16);
  const unsigned type = mode & kTypeBits;
  entry.directory = entry.name.ends_with('/');
  if (type != 0 && type != kRegularFile && type != kDirectoryFile)
    return refuse_member(entry.name, "is a link, a device or a pipe, expected files and directories");
  if (type != 0 && entry.directory != (type == kDirectoryFile))
    return refuse_member(entry.name, "is a file by its name and a directory by its attributes, or the reverse");
  entry.mode = type == 0 ? (entry.directory ? 0755u : 0644u) : mode & kPermissions;
  if (entry.directory && (entry.size != 0 || entry.packed > kEmptyStream))
    return refuse_member(entry.name, "is a directory with content");
  return {};
}

Result<void> check_form(std::uint64_t version, std::uint64_t flags, const Entry& entry) {
  if ((flags & kEncryptedFlag) != 0) return refuse_member(entry.name, "is encrypted");
  if ((flags & ~std::uint64_t{kKnownFlags}) != 0 || (version & 0xFF) > kHighestVersion)
    return refuse_member(entry.name, concat("needs version ", version & 0xFF, " and flags ", flags,
                                            " of the format, expected stored or deflated data"));
  if (entry.method != kStored && entry.method != kDeflated)
    return refuse_member(entry.name, concat("is compressed by method ", entry.method, ", expected 0 or 8"));
  if (entry.method == kStored && entry.packed != entry.size)
    return refuse_member(entry.name, "is stored with another size than its own");
  return {};
}

}  // namespace

Failure refuse_member(const std::string& name, std::string_view why) {
  return refuse_archive(concat("has the member ", quoted(name, 200), ", which ", why));
}

Result<std::optional<std::string_view>> extra_field(std::string_view extra, std::uint64_t id, const std::string& name) {
  std::optional<std::string_view> found;
  while (!extra.empty()) {
    if (extra.size() < 4 || extra.size() - 4 < number_at(extra, 2, 2))
      return refuse_member(name, "has extra fields that are cut short");
    const auto size = static_cast<std::size_t>(number_at(extra, 2, 2));
    const bool wanted = number_at(extra, 0, 2) == id;
    if (wanted && found) return refuse_member(name, "has an extra field twice");
    if (wanted) found = extra.substr(4, size);
    extra.remove_prefix(4 + size);
  }
  return found;
}

Result<void> check_second_name(std::string_view extra, const std::string& name) {
  CG_TRY(const auto second, extra_field(extra, kUnicodePathExtra, name));
  if (second && (second->size() < 5 || second->substr(5) != name))
    return refuse_member(name, "has another name in an extra field");
  return {};
}

Result<Entry> parse_central(const CentralRecord& record, std::size_t depth) {
  const std::string_view fixed = record.fixed;
  Entry entry{.name = std::string(record.name),
              .streamed = (number_at(fixed, 8, 2) & kDescriptorFlag) != 0,
              .method = static_cast<std::uint16_t>(number_at(fixed, 10, 2)),
              .crc = static_cast<std::uint32_t>(number_at(fixed, 16, 4)),
              .packed = number_at(fixed, 20, 4),
              .size = number_at(fixed, 24, 4),
              .offset = number_at(fixed, 42, 4)};
  if (const auto fault = fault_of_name(entry.name, depth)) return refuse_member(entry.name, *fault);
  if (number_at(fixed, 34, 2) != 0) return refuse_archive("is spread over several disks");
  CG_CHECK(check_second_name(record.extra, entry.name));
  CG_CHECK(widen(record.extra, entry));
  CG_CHECK(check_form(number_at(fixed, 6, 2), number_at(fixed, 8, 2), entry));
  CG_CHECK(set_kind(number_at(fixed, 38, 4), entry));
  return entry;
}

}  // namespace crategate::zip
