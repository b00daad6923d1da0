// The layout of a zip file, written down a second time: it shares nothing with the records of the product.
#include "raw_archive.h"

#include "zip/deflate.h"

namespace crategate::test {
namespace {

std::string central_record(const RawMember& member, std::uint64_t offset, std::uint64_t packed, std::uint32_t crc) {
  const std::uint64_t flags = member.descriptor ? 8 : 0, method = member.deflated ? 8 : 0;
  return "PK\x01\x02" + little_endian(0x0314, 2) + little_endian(member.version.value_or(20), 2) +
         little_endian(member.flags.value_or(flags), 2) + little_endian(member.method.value_or(method), 2) +
         little_endian(0x00210000, 4) + little_endian(member.crc.value_or(crc), 4) +
         little_endian(member.packed.value_or(packed), 4) +
         little_endian(member.size.value_or(member.content.size()), 4) + little_endian(member.name.size(), 2) +
         little_endian(member.extra.size(), 2) + little_endian(member.comment.size(), 2) +
         little_endian(member.disk.value_or(0), 2) + little_endian(0, 2) + little_endian(member.attributes, 4) +
         little_endian(member.offset.value_or(offset), 4) + member.name + member.extra + member.comment;
}

std::string local_record(const RawMember& member, std::uint64_t packed, std::uint32_t crc) {
  const std::string name = member.local_name.value_or(member.name);
  const std::uint64_t flags = member.flags.value_or(member.descriptor ? 8 : 0);
  const std::uint64_t method = member.method.value_or(member.deflated ? 8 : 0);
  const bool later = member.descriptor;
  return "PK\x03\x04" + little_endian(20, 2) + little_endian(member.local_flags.value_or(flags), 2) +
         little_endian(member.local_method.value_or(method), 2) + little_endian(0x00210000, 4) +
         little_endian(member.local_crc.value_or(later ? 0 : member.crc.value_or(crc)), 4) +
         little_endian(member.local_packed.value_or(later ? 0 : member.packed.value_or(packed)), 4) +
         little_endian(member.local_size.value_or(later ? 0 : member.size.value_or(member.content.size())), 4) +
         little_endian(name.size(), 2) + little_endian(member.local_extra.size(), 2) + name + member.local_extra;
}

}  // namespace

std::string little_endian(std::uint64_t value, unsigned width) {
  std::string bytes;
  for (unsigned i = 0; i < width; ++i) bytes += static_cast<char>(value >> (8 * i) & 0xFF);
  return bytes;
}

std::string extra_field(unsigned id, const std::string& value) {
  return little_endian(id, 2) + little_endian(value.size(), 2) + value;
}

std::string deflated(const std::string& content) {
  std::string bytes;
  auto compressor = zip::Compressor::create(6);
  if (!compressor || !compressor->append(content, zip::End::last, bytes)) return {};
  return bytes;
}

std::string RawArchive::bytes() const {
  std::string all, directory;
  for (const RawMember& member : members) {
    all += member.before;
    const std::string data = member.data.value_or(member.deflated ? deflated(member.content) : member.content);
    const std::uint32_t crc = zip::crc32(member.content);
    directory += central_record(member, all.size(), data.size(), crc);
    all += local_record(member, data.size(), crc) + data;
    if (member.descriptor)
      all += member.descriptor_bytes.value_or("PK\x07\x08" + little_endian(crc, 4) + little_endian(data.size(), 4) +
                                              little_endian(member.content.size(), 4));
  }
  all += gap;
  const std::uint64_t offset = all.size();
  const std::uint64_t number = count.value_or(members.size());
  return all + directory + before_end + "PK\x05\x06" + little_endian(disk.value_or(0), 2) +
         little_endian(directory_disk.value_or(0), 2) + little_endian(disk_count.value_or(number), 2) +
         little_endian(number, 2) + little_endian(directory_size.value_or(directory.size()), 4) +
         little_endian(directory_offset.value_or(offset), 4) +
         little_endian(comment_length.value_or(comment.size()), 2) + comment + behind;
}

}  // namespace crategate::test
