// Whole members in memory, with their headers; of a cut one the data alone.
#include "zip/packer.h"

#include <algorithm>

namespace crategate::zip {
namespace {

constexpr std::uint64_t kPart = 1u << 20;     ///< what is compressed at once; larger files are cut
constexpr std::uint64_t kBatch = 256u << 10;  ///< small files that make one part
constexpr std::size_t kBatchMembers = 64;

}  // namespace

std::uint64_t size_of(const Member& member) {
  return member.kind == Member::Kind::file ? member.size : member.content.size();
}

std::vector<Portion> cut(const std::vector<const Member*>& members) {
  std::vector<Portion> portions;
  bool joinable = false;
  for (std::size_t i = 0; i < members.size(); ++i) {
    const std::uint64_t size = size_of(*members[i]);
    if (size > kPart) {
      for (std::uint64_t at = 0; at < size; at += kPart)
        portions.push_back({i, i + 1, at, std::min(kPart, size - at), true});
      joinable = false;
      continue;
    }
    joinable = joinable && portions.back().length + size <= kBatch && i - portions.back().first < kBatchMembers;
    if (!joinable) portions.push_back({.first = i});
    portions.back().last = i + 1;
    portions.back().length += size;
    joinable = true;
  }
  return portions;
}

Result<Part> Packer::pack(const Portion& portion) {
  Part part{.portion = portion};
  if (portion.cut) {
    CG_CHECK(pack_cut(*members_[portion.first], part));
    return part;
  }
  for (std::size_t i = portion.first; i < portion.last; ++i) CG_CHECK(pack_whole(*members_[i], part));
  return part;
}

Result<void> Packer::pack_whole(const Member& member, Part& part) {
  Entry entry{.name = member.name, .mode = member.mode & 0777, .directory = member.kind == Member::Kind::directory};
  entry.offset = part.bytes.size();
  CG_TRY(const std::string_view content, read_whole(member));
  entry.size = content.size();
  entry.crc = crc32(content);
  compressed_.clear();
  if (level_ > 0 && !content.empty()) CG_CHECK(compressor_.append(content, End::last, compressed_));
  const bool deflated = level_ > 0 && !content.empty() && compressed_.size() < content.size();
  entry.method = deflated ? kDeflated : kStored;
  entry.packed = deflated ? compressed_.size() : content.size();
  part.bytes += local_header(entry);
  part.bytes += deflated ? std::string_view(compressed_) : content;
  part.entries.push_back(std::move(entry));
  return {};
}

Result<std::string_view> Packer::read_whole(const Member& member) {
  if (member.kind != Member::Kind::file) return std::string_view(member.content);
  CG_TRY(const SourceFile file, SourceFile::open(member));
  buffer_.resize(static_cast<std::size_t>(member.size));
  CG_CHECK(file.read(0, buffer_));
  return std::string_view(buffer_);
}

Result<void> Packer::pack_cut(const Member& member, Part& part) {
  const Portion& portion = part.portion;
  CG_TRY(const std::string_view content, read_cut(member, part));
  part.crc = crc32(content);
  const bool last = portion.offset + portion.length == size_of(member);
  return compressor_.append(content, last ? End::last : End::open, part.bytes);
}

Result<std::string_view> Packer::read_cut(const Member& member, Part& part) {
  const auto offset = static_cast<std::size_t>(part.portion.offset),
             length = static_cast<std::size_t>(part.portion.length);
  if (member.kind != Member::Kind::file) return std::string_view(member.content).substr(offset, length);
  if (!file_ || of_ != &member) {
    CG_TRY(file_, SourceFile::open(member));
    of_ = &member;
  }
  buffer_.resize(length);
  CG_CHECK(file_->read(offset, buffer_));
  part.stamp = file_->stamp();
  return std::string_view(buffer_);
}

}  // namespace crategate::zip
