// Numbers are little-endian; the order of the fields is that of the specification.
#include "zip/records.h"

#include <algorithm>

namespace crategate::zip {
namespace {

constexpr unsigned kPlainVersion = 20, kZip64Version = 45;
constexpr unsigned kMadeOnUnix = 3u << 8;
constexpr unsigned kRegularFile = 0100000, kDirectoryFile = 0040000, kDosDirectory = 0x10;
constexpr unsigned kFirstDay = 0x0021;  ///< 1980-01-01

class Record {
 public:
  Record& put(std::uint64_t value, unsigned width) {
    for (unsigned i = 0; i < width; ++i) bytes_ += static_cast<char>(value >> (8 * i) & 0xFF);
    return *this;
  }
  Record& put(std::string_view text) {
    bytes_ += text;
    return *this;
  }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

unsigned flags(const Entry& entry) {
  return (entry.streamed ? kDescriptorFlag : 0) | (is_ascii(entry.name) ? 0 : kUtf8Flag);
}

std::uint64_t narrow(std::uint64_t value, bool elsewhere) { return elsewhere ? kFull32 : value; }

unsigned version(bool zip64) { return zip64 ? kZip64Version : kPlainVersion; }

}  // namespace

std::string local_header(const Entry& entry) {
  const bool later = entry.streamed;
  Record record;
  record.put(kLocalSignature, 4).put(version(entry.wide), 2).put(flags(entry), 2).put(entry.method, 2);
  record.put(0, 2).put(kFirstDay, 2).put(later ? 0 : entry.crc, 4);
  record.put(narrow(later ? 0 : entry.packed, entry.wide), 4).put(narrow(later ? 0 : entry.size, entry.wide), 4);
  record.put(entry.name.size(), 2).put(entry.wide ? 20 : 0, 2).put(entry.name);
  if (entry.wide) record.put(kZip64Extra, 2).put(16, 2).put(later ? 0 : entry.size, 8).put(later ? 0 : entry.packed, 8);
  return record.take();
}

std::string descriptor(const Entry& entry) {
  const unsigned width = entry.wide ? 8 : 4;
  return Record().put(kDescriptorSignature, 4).put(entry.crc, 4).put(entry.packed, width).put(entry.size, width).take();
}

std::string central_header(const Entry& entry) {
  const bool far = entry.offset >= kFull32;
  const unsigned extra = (entry.wide ? 16 : 0) + (far ? 8 : 0);
  const unsigned attributes =
      (((entry.directory ? kDirectoryFile : kRegularFile) | entry.mode) << 16) | (entry.directory ? kDosDirectory : 0);
  Record record;
  record.put(kCentralSignature, 4).put(kMadeOnUnix | version(extra > 0), 2).put(version(extra > 0), 2);
  record.put(flags(entry), 2).put(entry.method, 2).put(0, 2).put(kFirstDay, 2).put(entry.crc, 4);
  record.put(narrow(entry.packed, entry.wide), 4).put(narrow(entry.size, entry.wide), 4);
  record.put(entry.name.size(), 2).put(extra == 0 ? 0 : extra + 4, 2).put(0, 2).put(0, 2).put(0, 2);
  record.put(attributes, 4).put(narrow(entry.offset, far), 4).put(entry.name);
  if (extra > 0) record.put(kZip64Extra, 2).put(extra, 2);
  if (entry.wide) record.put(entry.size, 8).put(entry.packed, 8);
  if (far) record.put(entry.offset, 8);
  return record.take();
}

std::string end_records(std::uint64_t members, std::uint64_t offset, std::uint64_t size, std::string_view comment) {
  Record record;
  if (members >= kFull16 || offset >= kFull32 || size >= kFull32) {
    record.put(kEnd64Signature, 4).put(kEnd64Size - 12, 8).put(kMadeOnUnix | kZip64Version, 2).put(kZip64Version, 2);
    record.put(0, 4).put(0, 4).put(members, 8).put(members, 8).put(size, 8).put(offset, 8);
    record.put(kLocator64Signature, 4).put(0, 4).put(offset + size, 8).put(1, 4);
  }
  const std::uint64_t few = std::min(members, kFull16);
  record.put(kEndSignature, 4).put(0, 2).put(0, 2).put(few, 2).put(few, 2);
  record.put(std::min(size, kFull32), 4).put(std::min(offset, kFull32), 4).put(comment.size(), 2).put(comment);
  return record.take();
}

std::uint64_t number_at(std::string_view bytes, std::size_t at, std::size_t width) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < width; ++i) value |= std::uint64_t{static_cast<unsigned char>(bytes[at + i])} << (8 * i);
  return value;
}

}  // namespace crategate::zip
