// Archives made to hurt: each is refused where it goes wrong, with little memory, and leaves nothing behind.
#include <gmock/gmock.h>

#include <chrono>
#include <set>

#include "base/strings.h"
#include "raw_archive.h"
#include "support/peak_memory.h"
#include "support/test_directory.h"
#include "zip/extract.h"
#include "zip/inflate.h"

namespace crategate::zip {
namespace {

using testing::HasSubstr;

/// Those of records (A65), the ratio at any size.
Limits strict() {
  return {
      .archive = 8u << 20, .members = 1000, .member = 1u << 20, .total = 8u << 20, .ratio = 100, .ratio_from = 1024};
}

Result<void> read_all(const std::string& bytes, const Limits& limits) {
  const Bytes archive = bytes_in_memory(bytes);
  CG_TRY(const Directory directory, read_directory(archive, limits));
  Unpacker unpacker;
  for (const Entry& entry : directory.entries)
    CG_CHECK(unpacker.unpack(archive, entry, [](std::string_view) { return Result<void>(); }));
  return {};
}

bool is_refused(const std::string& bytes, const std::string& message) {
  const auto read = read_all(bytes, strict());
  if (read || read.error().code != ErrorCode::integrity) return false;
  if (read.error().message.find(message) != std::string::npos) return true;
  ADD_FAILURE() << "found: " << read.error().message;
  return false;
}

TEST(HostileZip, A63A64A65CorpusIsRefusedWithLittleMemoryAndTime) {
  constexpr std::size_t kMebibyte = 1u << 20;
  const auto corpus = test::hostile_archives();
  EXPECT_GE(corpus.size(), 60u);
  std::set<std::string> names;
  for (const auto& row : corpus) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name << " is there twice";
    const auto began = std::chrono::steady_clock::now();
    EXPECT_TRUE(is_refused(row.bytes, row.message)) << row.name << ": expected " << row.message;
    EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(5)) << row.name;
  }
  const auto growth = test::peak_growth([&corpus] {
    for (const auto& row : corpus) static_cast<void>(read_all(row.bytes, strict()));
    return true;
  });
  ASSERT_TRUE(growth);
  EXPECT_LT(*growth, 16 * kMebibyte);
}

TEST(HostileZip, A63A64A65CorpusLeavesNothingBehind) {
  const test::TestDirectory directory;
  for (const auto& row : test::hostile_archives()) {
    directory.write("in/archive.zip", row.bytes);
    const auto done = extract(directory / "in/archive.zip", directory / "out/here", {.limits = strict()});
    EXPECT_FALSE(done) << row.name;
    EXPECT_FALSE(read_member(directory / "in/archive.zip", "a.txt", strict()).value_or(std::nullopt).has_value())
        << row.name;
    const auto files = sys::PosixFileSystem().files_below(directory.path());
    EXPECT_THAT(files.value(), testing::ElementsAre("in/archive.zip")) << row.name;
  }
}

TEST(HostileZip, TheSoundOnesThatTheCorpusIsMadeOfAreAccepted) {
  test::RawArchive archive;
  EXPECT_TRUE(read_all(archive.bytes(), strict()));
  archive.comment = "a comment";
  archive.members.push_back({.name = "d/b.txt", .deflated = true, .descriptor = true});
  archive.members.push_back({.name = "d/", .content = "", .attributes = 0040755u << 16});
  const auto read = read_all(archive.bytes(), strict());
  EXPECT_TRUE(read) << read.error().message;
}

TEST(HostileZip, A65TruncatedAtEveryByteIsRefused) {
  test::RawArchive archive{.comment = "marker"};
  archive.members = {{.name = "a.txt", .content = "hello hello hello hello", .deflated = true},
                     {.name = "b/c.txt", .content = "x", .descriptor = true},
                     {.name = "d/", .content = "", .attributes = 0040755u << 16}};
  const std::string whole = archive.bytes();
  ASSERT_TRUE(read_all(whole, strict()));
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(read_all(whole.substr(0, size), strict())) << size;
  for (std::size_t size = 1; size < whole.size(); ++size) EXPECT_FALSE(read_all(whole.substr(size), strict())) << size;
}

/// A bit may be turned in what says nothing: times, versions, attributes that stay those of a file. Never do other bytes
/// come out, nor under another name.
TEST(HostileZip, A65NoBitFlipChangesWhatComesOut) {
  test::RawArchive archive;
  archive.members = {{.name = "a.txt", .content = "hello hello hello hello", .deflated = true},
                     {.name = "b.txt", .content = "x", .descriptor = true}};
  const std::string whole = archive.bytes();
  std::size_t refused = 0;
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    std::string bytes = whole;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
    const Bytes source = bytes_in_memory(bytes);
    const auto first = read_member(source, "a.txt", strict()), second = read_member(source, "b.txt", strict());
    if (!first || !second) {
      ++refused;
      continue;
    }
    EXPECT_EQ(first->value_or(""), archive.members[0].content) << bit;
    EXPECT_EQ(second->value_or(""), archive.members[1].content) << bit;
  }
  EXPECT_GT(refused, whole.size() * 8 / 2);
}

/// Each name brings 60 folders that no other is in. What they are called must not be kept over and over.
TEST(HostileZip, A65DeepNamesTakeMemoryOnceOnly) {
  constexpr std::size_t kNames = 1000;
  test::RawArchive archive;
  archive.members.clear();
  for (std::size_t i = 0; i < kNames; ++i) {
    std::string name = std::to_string(i);
    for (int level = 0; level < 60; ++level) name += "/" + std::string(60, 'x');
    archive.members.push_back({.name = name, .content = ""});
  }
  const std::string bytes = archive.bytes();
  const auto growth = test::peak_growth(
      [&bytes] { return read_directory(bytes_in_memory(bytes), {}).value_or(Directory{}).entries.size() == kNames; });
  ASSERT_TRUE(growth);
  EXPECT_LT(*growth, 32u << 20) << "of names of " << bytes.size() / 2;
}

TEST(HostileZip, AMemberIsFoundByItsExactNameOnly) {
  const std::string bytes = test::RawArchive{.members = {{.name = "record.json"}, {.name = "d/record.json"}}}.bytes();
  const Bytes archive = bytes_in_memory(bytes);
  EXPECT_EQ(read_member(archive, "record.json", strict()).value(), "hello\n");
  for (const std::string name : {"Record.json", "./record.json", "record.jso", "record.json ", "d", "d/", ""})
    EXPECT_EQ(read_member(archive, name, strict()).value(), std::nullopt) << name;
}

TEST(HostileZip, SetUserIdIsDropped) {
  const test::TestDirectory directory;
  directory.write("a.zip", test::RawArchive{.members = {{.attributes = 0106755u << 16}}}.bytes());
  ASSERT_TRUE(extract(directory / "a.zip", directory / "out", {}));
  EXPECT_EQ(std::filesystem::status(directory / "out/a.txt").permissions(), std::filesystem::perms(0755));
}

}  // namespace
}  // namespace crategate::zip
