// The last end record counts, and it must be the only one behind the directory.
#include "zip/end_record.h"

#include <algorithm>

#include "base/strings.h"
#include "zip/directory.h"
#include "zip/records.h"

namespace crategate::zip {
namespace {

constexpr std::string_view kEndMark("PK\x05\x06", 4);

struct Found {
  std::size_t at = 0;  ///< in the tail
  std::string_view comment;
};

/// Every reader that looks for the record from behind finds this one, as nothing behind it looks like one.
Result<Found> find_end(std::string_view tail) {
  const std::size_t at = tail.rfind(kEndMark);
  if (at == std::string_view::npos) return refuse_archive("has no end record: it is cut short, or no zip file");
  if (tail.size() - at < kEndSize) return refuse_archive("is cut short within its end record");
  const std::uint64_t length = number_at(tail, at + 20, 2);
  if (tail.size() - at - kEndSize != length)
    return refuse_archive(
        concat("has ", tail.size() - at - kEndSize, " bytes behind its end record, which says ", length));
  return Found{at, tail.substr(at + kEndSize)};
}

/// Of a field that is full the zip64 record has the value; one that is not full must agree with it.
bool agrees(std::uint64_t narrow, std::uint64_t wide, std::uint64_t full) { return narrow == full || narrow == wide; }

/// Answers where the end records begin.
Result<std::uint64_t> read_end64(const Bytes& archive, std::uint64_t locator_at, std::string_view locator,
                                 EndRecord& end) {
  const std::uint64_t at = number_at(locator, 8, 8);
  if (number_at(locator, 4, 4) != 0 || number_at(locator, 16, 4) != 1)
    return refuse_archive("is spread over several disks");
  if (locator_at < kEnd64Size || at > locator_at - kEnd64Size)
    return refuse_archive("has a zip64 end record that is not where it says");
  std::string record(kEnd64Size, '\0');
  CG_CHECK(archive.read(at, record.data(), record.size()));
  if (number_at(record, 0, 4) != kEnd64Signature || number_at(record, 4, 8) != locator_at - at - 12)
    return refuse_archive("has a zip64 end record that is not where it says");
  if (number_at(record, 16, 8) != 0 || number_at(record, 24, 8) != number_at(record, 32, 8))
    return refuse_archive("is spread over several disks");
  const std::uint64_t members = number_at(record, 32, 8), size = number_at(record, 40, 8),
                      offset = number_at(record, 48, 8);
  if (!agrees(end.members, members, kFull16) || !agrees(end.size, size, kFull32) ||
      !agrees(end.offset, offset, kFull32))
    return refuse_archive("has two end records that contradict each other");
  end.members = members;
  end.size = size;
  end.offset = offset;
  return at;
}

}  // namespace

Failure refuse_archive(std::string_view why) {
  return fail(ErrorCode::integrity, concat("the archive ", why),
              "have it made and uploaded again; nothing of it was used");
}

Result<EndRecord> read_end(const Bytes& archive) {
  const std::uint64_t length = std::min<std::uint64_t>(archive.size, kEndSize + kLongestComment);
  std::string tail(static_cast<std::size_t>(length), '\0');
  CG_CHECK(archive.read(archive.size - length, tail.data(), tail.size()));
  CG_TRY(const Found found, find_end(tail));
  const std::string_view record = std::string_view(tail).substr(found.at);
  if (number_at(record, 4, 2) != 0 || number_at(record, 6, 2) != 0 ||
      number_at(record, 8, 2) != number_at(record, 10, 2))
    return refuse_archive("is spread over several disks");
  EndRecord end{.members = number_at(record, 10, 2),
                .offset = number_at(record, 16, 4),
                .size = number_at(record, 12, 4),
                .comment = std::string(found.comment)};
  std::uint64_t begin = archive.size - tail.size() + found.at;
  if (begin >= kLocator64Size) {
    std::string locator(kLocator64Size, '\0');
    CG_CHECK(archive.read(begin - kLocator64Size, locator.data(), locator.size()));
    const bool there = number_at(locator, 0, 4) == kLocator64Signature;
    if (there) {
      CG_TRY(begin, read_end64(archive, begin - kLocator64Size, locator, end));
    }
  }
  if (end.offset > begin || end.size != begin - end.offset)
    return refuse_archive(concat("has its directory at ", end.offset, " with ", end.size,
                                 " bytes, expected it to end at ", begin, " where the end records begin"));
  return end;
}

Result<std::string> find_comment(std::string_view tail) {
  CG_TRY(const Found found, find_end(tail));
  return std::string(found.comment);
}

}  // namespace crategate::zip
