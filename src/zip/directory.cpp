// The central directory, entry by entry, and the local headers it points to.
#include "zip/directory.h"

#include <algorithm>

#include "base/strings.h"
#include "zip/central.h"
#include "zip/end_record.h"
#include "zip/names.h"

namespace crategate::zip {
namespace {

constexpr std::uint64_t kDirectoryLimit = 64u << 20;

class Reader {
 public:
  Reader(const Bytes& archive, const Limits& limits) : archive_(archive), limits_(limits) {}

  Result<Directory> run() {
    if (archive_.size > limits_.archive)
      return refuse_archive(
          concat("has ", format_bytes(archive_.size), ", expected at most ", format_bytes(limits_.archive)));
    CG_TRY(end_, read_end(archive_));
    if (end_.members > limits_.members)
      return refuse_archive(concat("has ", end_.members, " members, expected at most ", limits_.members));
    if (end_.size > kDirectoryLimit || end_.size / kCentralSize < end_.members)
      return refuse_archive(concat("has a directory of ", end_.size, " bytes for ", end_.members, " members"));
    CG_CHECK(read_entries());
    CG_CHECK(check_sizes());
    CG_CHECK(check_data());
    return Directory{std::move(entries_), std::move(end_.comment)};
  }

 private:
  Result<void> read_entries() {
    std::string text(static_cast<std::size_t>(end_.size), '\0');
    CG_CHECK(archive_.read(end_.offset, text.data(), text.size()));
    entries_.reserve(static_cast<std::size_t>(end_.members));
    std::string_view rest = text;
    for (std::uint64_t i = 0; i < end_.members; ++i) CG_CHECK(read_entry(rest));
    if (!rest.empty()) return refuse_archive("has more in its directory than its end record says");
    std::stable_sort(entries_.begin(), entries_.end(),
                     [](const Entry& a, const Entry& b) { return a.offset < b.offset; });
    return {};
  }

  Result<void> read_entry(std::string_view& rest) {
    if (rest.size() < kCentralSize || number_at(rest, 0, 4) != kCentralSignature)
      return refuse_archive("has a directory that is cut short or no directory");
    const std::string_view record = rest.substr(0, kCentralSize);
    rest.remove_prefix(kCentralSize);
    const auto take = [&](std::size_t at) {
      const std::string_view field = rest.substr(0, static_cast<std::size_t>(number_at(record, at, 2)));
      rest.remove_prefix(field.size());
      return field;
    };
    if (rest.size() < number_at(record, 28, 2) + number_at(record, 30, 2) + number_at(record, 32, 2))
      return refuse_archive("has a directory that is cut short");
    const std::string_view name = take(28), extra = take(30);
    take(32);
    return add({record, name, extra});
  }

  Result<void> add(const CentralRecord& record) {
    CG_TRY(Entry entry, parse_central(record, limits_.depth));
    if (auto added = names_.add(entry.name); !added)
      return refuse_archive(concat("is refused: ", added.error().message));
    entries_.push_back(std::move(entry));
    return {};
  }

  bool is_bomb(std::uint64_t size, std::uint64_t packed) const {
    return size > limits_.ratio_from && size / limits_.ratio > packed;
  }

  Result<void> check_sizes() const {
    std::uint64_t total = 0, packed = 0;
    for (const Entry& entry : entries_) {
      if (entry.size > limits_.member || is_bomb(entry.size, entry.packed))
        return refuse_member(entry.name, concat("has ", format_bytes(entry.size), " in ", format_bytes(entry.packed),
                                                ", expected at most ", format_bytes(limits_.member), " and ",
                                                limits_.ratio, " times as much"));
      // No overflow: each is at most `member` after at most `total`.
      total += entry.size;
      packed += std::min(entry.packed, archive_.size);
      if (total > limits_.total || total < entry.size)
        return refuse_archive(concat("has more than ", format_bytes(limits_.total), " when it is unpacked"));
    }
    if (is_bomb(total, packed))
      return refuse_archive(concat("has ", format_bytes(total), " in ", format_bytes(packed), ", expected at most ",
                                   limits_.ratio, " times as much"));
    return {};
  }

  /// Members one after the other from the first byte to the directory.
  Result<void> check_data() {
    std::uint64_t at = 0;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      Entry& entry = entries_[i];
      const std::uint64_t next = i + 1 < entries_.size() ? entries_[i + 1].offset : end_.offset;
      if (entry.offset != at)
        return refuse_member(entry.name, concat("begins at ", entry.offset, ", expected ", at, ": no gap, no overlap"));
      CG_CHECK(read_local(entry));
      if (next > end_.offset || entry.data > next || entry.packed > next - entry.data)
        return refuse_member(entry.name, "reaches into what follows it");
      CG_CHECK(check_descriptor(entry, entry.data + entry.packed, next - entry.data - entry.packed));
      at = next;
    }
    if (at != end_.offset) return refuse_archive(concat("has ", end_.offset - at, " bytes that belong to no member"));
    return {};
  }

  Result<void> read_local(Entry& entry) {
    constexpr std::size_t kUsualExtra = 64;
    const std::uint64_t room = end_.offset - std::min(end_.offset, entry.offset);
    if (room < kLocalSize + entry.name.size()) return refuse_member(entry.name, "has no room for its local header");
    header_.resize(
        static_cast<std::size_t>(std::min<std::uint64_t>(room, kLocalSize + entry.name.size() + kUsualExtra)));
    CG_CHECK(archive_.read(entry.offset, header_.data(), header_.size()));
    if (number_at(header_, 0, 4) != kLocalSignature || number_at(header_, 26, 2) != entry.name.size() ||
        std::string_view(header_).substr(kLocalSize, entry.name.size()) != entry.name)
      return refuse_member(entry.name, "has no local header of that name");
    const std::uint64_t size = kLocalSize + entry.name.size() + number_at(header_, 28, 2);
    if (size > room) return refuse_member(entry.name, "has no room for its local header");
    entry.data = entry.offset + size;
    if (size > header_.size()) {
      header_.resize(static_cast<std::size_t>(size));
      CG_CHECK(archive_.read(entry.offset, header_.data(), header_.size()));
    }
    return check_local(entry, std::string_view(header_).substr(kLocalSize + entry.name.size(),
                                                               static_cast<std::size_t>(number_at(header_, 28, 2))));
  }

  Result<void> check_local(const Entry& entry, std::string_view extra) {
    const std::uint64_t flags = number_at(header_, 6, 2);
    std::uint64_t packed = number_at(header_, 18, 4), size = number_at(header_, 22, 4);
    const std::uint64_t crc = number_at(header_, 14, 4);
    CG_CHECK(check_second_name(extra, entry.name));
    CG_TRY(const auto wide, extra_field(extra, kZip64Extra, entry.name));
    if (packed == kFull32 || size == kFull32) {
      if (!wide || wide->size() < 16) return refuse_member(entry.name, "has a local header without its zip64 field");
      size = size == kFull32 ? number_at(*wide, 0, 8) : size;
      packed = packed == kFull32 ? number_at(*wide, 8, 8) : packed;
    }
    known_ = crc == entry.crc && packed == entry.packed && size == entry.size;
    const auto later = [&entry](std::uint64_t there, std::uint64_t real) {
      return there == real || (entry.streamed && there == 0);
    };
    const bool agree = later(crc, entry.crc) && later(packed, entry.packed) && later(size, entry.size);
    const bool same_form = number_at(header_, 8, 2) == entry.method && (flags & kEncryptedFlag) == 0 &&
                           ((flags & kDescriptorFlag) != 0) == entry.streamed;
    if (!same_form || !agree) return refuse_member(entry.name, "has a local header that says something else");
    return {};
  }

  /// The room behind the data is nothing, or what the data descriptor of a streamed member takes.
  Result<void> check_descriptor(const Entry& entry, std::uint64_t at, std::uint64_t room) {
    if (room == 0 && (!entry.streamed || known_)) return {};
    if (room == 0) return refuse_member(entry.name, "has no data descriptor");
    const bool wide = room == 20 || room == 24;
    const bool with_signature = room == 16 || room == 24;
    if (!entry.streamed || !(wide || with_signature || room == 12))
      return refuse_member(entry.name, concat("is followed by ", room, " bytes that belong to no member"));
    std::string text(static_cast<std::size_t>(room), '\0');
    CG_CHECK(archive_.read(at, text.data(), text.size()));
    const std::size_t first = with_signature ? 4 : 0, width = wide ? 8 : 4;
    if ((with_signature && number_at(text, 0, 4) != kDescriptorSignature) || number_at(text, first, 4) != entry.crc ||
        number_at(text, first + 4, width) != entry.packed || number_at(text, first + 4 + width, width) != entry.size)
      return refuse_member(entry.name, "has a data descriptor that says something else");
    return {};
  }

  const Bytes& archive_;
  const Limits& limits_;
  EndRecord end_;
  std::vector<Entry> entries_;
  NameTree names_;
  std::string header_;
  bool known_ = false;  ///< the local header at hand has check sum and sizes
};

}  // namespace

Result<Directory> read_directory(const Bytes& archive, const Limits& limits) { return Reader(archive, limits).run(); }

}  // namespace crategate::zip
