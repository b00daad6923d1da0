// Zip files byte by byte, sound unless a field is set to something else: what no honest tool writes.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace crategate::test {

/// What is not set is as it must be.
struct RawMember {
  std::string name = "a.txt";
  std::string content = "hello\n";
  bool deflated = false;
  bool descriptor = false;               ///< sizes behind the data, flag bit 3
  unsigned attributes = 0100644u << 16;  ///< unix mode in the upper half
  std::optional<std::string> local_name, data, descriptor_bytes;
  std::optional<std::uint64_t> flags, local_flags, method, local_method, version, disk;
  std::optional<std::uint64_t> crc, local_crc, packed, local_packed, size, local_size, offset;
  std::string extra, local_extra, comment;
  std::string before;  ///< bytes in front of the local header
};

struct RawArchive {
  std::vector<RawMember> members = {{}};
  std::string comment, gap, behind, before_end;
  std::optional<std::uint64_t> comment_length, count, disk_count, disk, directory_disk, directory_size,
      directory_offset;
  std::string bytes() const;
};

std::string little_endian(std::uint64_t value, unsigned width);
/// One extra field.
std::string extra_field(unsigned id, const std::string& value);
std::string deflated(const std::string& content);

/// An archive made to hurt, and a part of the message that it is refused with.
struct HostileArchive {
  std::string name;
  std::string message;
  std::string bytes;
};
/// Rows A63, A64 and A65 of the threat model.
std::vector<HostileArchive> hostile_archives();

}  // namespace crategate::test
