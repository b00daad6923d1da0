// Where numbers become too large for the old records: each boundary, written and read again, with simulated places.
#include "zip/records.h"

#include <gmock/gmock.h>

#include <map>

#include "base/strings.h"
#include "zip/directory.h"

namespace crategate::zip {
namespace {

constexpr Limits kAnything{.archive = std::uint64_t{1} << 60,
                           .members = 1'000'000,
                           .member = std::uint64_t{1} << 60,
                           .total = std::uint64_t{1} << 61};

/// Zeros, with some texts in them.
class Simulated {
 public:
  void put(std::uint64_t at, std::string text) { texts_[at] = std::move(text); }
  Bytes bytes(std::uint64_t size) const {
    return {size, [this](std::uint64_t offset, char* to, std::size_t length) -> Result<void> {
              for (std::size_t i = 0; i < length; ++i) to[i] = at(offset + i);
              return {};
            }};
  }

 private:
  char at(std::uint64_t place) const {
    auto found = texts_.upper_bound(place);
    if (found == texts_.begin()) return '\0';
    --found;
    return place - found->first < found->second.size() ? found->second[place - found->first] : '\0';
  }
  std::map<std::uint64_t, std::string> texts_;
};

/// An archive of one stored member of `size` zeros and one small one behind it, as it is read again.
Result<Directory> round_trip(std::uint64_t size, bool streamed) {
  Entry large{.name = "large", .mode = 0644, .streamed = streamed, .wide = size >= kFull32, .crc = 7};
  large.packed = large.size = size;
  Entry small{.name = "small", .mode = 0600, .crc = 9};
  Simulated archive;
  const std::string header = local_header(large);
  archive.put(0, header);
  std::uint64_t at = header.size() + size;
  if (streamed) archive.put(at, descriptor(large));
  if (streamed) at += descriptor(large).size();
  small.offset = at;
  archive.put(at, local_header(small));
  at += local_header(small).size();
  const std::string directory = central_header(large) + central_header(small);
  const std::string end = end_records(2, at, directory.size(), "c");
  archive.put(at, directory + end);
  return read_directory(archive.bytes(at + directory.size() + end.size()), kAnything);
}

TEST(Zip64, EveryBoundaryOfSizesAndPlacesComesBack) {
  constexpr std::uint64_t kEdge = 0xFFFFFFFF;
  for (const std::uint64_t size : {kEdge - 100, kEdge - 36, kEdge - 35, kEdge - 34, kEdge - 1, kEdge, kEdge + 1,
                                   std::uint64_t{5} << 30, std::uint64_t{1} << 44}) {
    for (const bool streamed : {false, true}) {
      const auto read = round_trip(size, streamed);
      ASSERT_TRUE(read) << size << ": " << read.error().message;
      ASSERT_EQ(read->entries.size(), 2u);
      EXPECT_EQ(read->entries[0].size, size);
      EXPECT_EQ(read->entries[1].name, "small");
      EXPECT_GT(read->entries[1].offset, size);
      EXPECT_EQ(read->comment, "c");
    }
  }
}

TEST(Zip64, RecordsAreUsedOnlyWhereANumberNeedsThem) {
  Entry entry{.name = "x", .packed = kFull32 - 1, .size = kFull32 - 1, .offset = kFull32 - 1};
  EXPECT_EQ(central_header(entry).size(), kCentralSize + 1);
  entry.offset = kFull32;
  EXPECT_EQ(central_header(entry).size(), kCentralSize + 1 + 12);
  entry.wide = true;
  EXPECT_EQ(central_header(entry).size(), kCentralSize + 1 + 28);
  EXPECT_EQ(end_records(kFull16 - 1, 0, 0, "").size(), kEndSize);
  EXPECT_EQ(end_records(kFull16, 0, 0, "").size(), kEndSize + kEnd64Size + kLocator64Size);
  EXPECT_EQ(end_records(1, kFull32, 0, "").size(), kEndSize + kEnd64Size + kLocator64Size);
  EXPECT_EQ(end_records(1, 0, kFull32, "").size(), kEndSize + kEnd64Size + kLocator64Size);
}

TEST(Zip64, CountsAroundTheOldLimitComeBack) {
  for (const std::size_t count : {0xFFFEu, 0xFFFFu, 0x10000u, 0x10001u}) {
    std::string bytes, directory;
    for (std::size_t i = 0; i < count; ++i) {
      Entry entry{.name = concat("f", i), .offset = bytes.size()};
      bytes += local_header(entry);
      directory += central_header(entry);
    }
    bytes += directory + end_records(count, bytes.size(), directory.size(), "");
    const auto read = read_directory(bytes_in_memory(bytes), kAnything);
    ASSERT_TRUE(read) << count << ": " << read.error().message;
    EXPECT_EQ(read->entries.size(), count);
  }
}

TEST(Comment, IsFoundInTheLastBytes) {
  const std::string end = end_records(3, 1000, 200, "{\"run\":1}");
  EXPECT_EQ(find_comment(end).value(), "{\"run\":1}");
  EXPECT_EQ(find_comment(std::string(5000, 'x') + end).value(), "{\"run\":1}");
  EXPECT_EQ(find_comment(end_records(3, 1000, 200, "")).value(), "");
  EXPECT_FALSE(find_comment(end + "x"));
  EXPECT_FALSE(find_comment(end.substr(0, end.size() - 1)));
  EXPECT_FALSE(find_comment(""));
}

}  // namespace
}  // namespace crategate::zip
