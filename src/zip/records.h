// The records of a zip file (APPNOTE 6.3), from values to bytes.
// Belongs here: their layout and numbers.  Not here: reading and judging those of others (directory).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace crategate::zip {

inline constexpr std::uint32_t kLocalSignature = 0x04034b50, kCentralSignature = 0x02014b50,
                               kDescriptorSignature = 0x08074b50, kEndSignature = 0x06054b50,
                               kEnd64Signature = 0x06064b50, kLocator64Signature = 0x07064b50;
inline constexpr std::size_t kLocalSize = 30, kCentralSize = 46, kEndSize = 22, kEnd64Size = 56, kLocator64Size = 20;
inline constexpr std::size_t kLongestComment = 0xFFFF;
inline constexpr std::uint64_t kFull16 = 0xFFFF, kFull32 = 0xFFFFFFFF;  ///< "look at the zip64 record"
inline constexpr std::uint16_t kZip64Extra = 0x0001, kUnicodePathExtra = 0x7075;
inline constexpr std::uint16_t kStored = 0, kDeflated = 8;
inline constexpr unsigned kEncryptedFlag = 1u << 0, kDescriptorFlag = 1u << 3, kUtf8Flag = 1u << 11;

/// A member as its records tell it.
struct Entry {
  std::string name;
  unsigned mode = 0;       ///< permission bits
  bool directory = false;  ///< then the name ends in '/'
  bool streamed = false;   ///< its sizes come behind its data, in a descriptor
  bool wide = false;       ///< the records beside the data have sizes of 64 bits
  std::uint16_t method = kStored;
  std::uint32_t crc = 0;
  std::uint64_t packed = 0;  ///< bytes of data in the archive
  std::uint64_t size = 0;    ///< bytes of the member itself
  std::uint64_t offset = 0;  ///< of the local header
  std::uint64_t data = 0;    ///< offset of the data; known when the local header has been read
  bool operator==(const Entry&) const = default;
};

/// Times are those of the format's beginning, 1980-01-01 00:00, so that equal input gives equal bytes.
std::string local_header(const Entry& entry);
std::string descriptor(const Entry& entry);
std::string central_header(const Entry& entry);
/// The end of an archive: zip64 records where a number needs them, then the end record with `comment`.
std::string end_records(std::uint64_t members, std::uint64_t offset, std::uint64_t size, std::string_view comment);

/// The little-endian number of `width` bytes at `at`, which must be there.
std::uint64_t number_at(std::string_view bytes, std::size_t at, std::size_t width);

}  // namespace crategate::zip
