// Archives of real files: the same bytes whatever the number of threads, and nothing that changed while it was read.
#include "zip/write.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <random>

#include "base/sha256.h"
#include "base/strings.h"
#include "support/peak_memory.h"
#include "support/test_directory.h"
#include "sys/cancel.h"
#include "zip/inflate.h"
#include "zip/selection.h"

namespace crategate::zip {
namespace {

using testing::HasSubstr;

constexpr std::size_t kMebibyte = 1u << 20;

Member text(std::string name, std::string content) {
  return {.name = std::move(name), .kind = Member::Kind::text, .content = std::move(content)};
}

struct Made {
  Result<Written> written = Written{};
  std::string bytes;
};

Made make(const std::vector<Member>& members, const WriteOptions& options = {}) {
  Made made;
  made.written = write(members, options, [&made](std::string_view bytes) -> Result<void> {
    made.bytes += bytes;
    return {};
  });
  return made;
}

/// Text of `size` bytes; another one for each seed.
std::string lines(std::size_t size, unsigned seed = 1) {
  std::mt19937 random(seed);
  std::string text;
  while (text.size() < std::min<std::size_t>(size, 200'000))
    text += concat("step ", random() % 100'000, " of ", seed, "\n");
  while (text.size() < size) text += text;
  text.resize(size);
  return text;
}

/// Sizes around every boundary of the writer.
std::vector<Member> mixed() {
  std::vector<Member> members;
  std::mt19937 random(3);
  std::string noise(kMebibyte + 170'017, '\0');
  for (char& byte : noise) byte = static_cast<char>(random() & 0xFF);
  for (std::size_t i = 0; i < 300; ++i) members.push_back(text(concat("small/", i, ".txt"), lines(i * 41, 5)));
  for (const std::size_t size : {kMebibyte - 1, kMebibyte, kMebibyte + 1, 2 * kMebibyte, 3 * kMebibyte + 12345})
    members.push_back(text(concat("large-", size), lines(size)));
  members.push_back(text("noise", noise));
  members.push_back(text("empty", ""));
  members.push_back({.name = "folder/", .kind = Member::Kind::directory, .mode = 0755});
  return members;
}

TEST(Write, GivesTheSameBytesWithAnyNumberOfThreads) {
  const auto members = mixed();
  for (const int level : {0, 1, 6}) {
    const Made one = make(members, {.level = level, .workers = 1, .comment = "marker"});
    ASSERT_TRUE(one.written) << one.written.error().message;
    EXPECT_EQ(one.written->sha256, sha256_hex(one.bytes));
    EXPECT_EQ(one.written->size, one.bytes.size());
    EXPECT_EQ(one.written->members, members.size());
    for (unsigned workers = 2; workers <= 4; ++workers)
      EXPECT_EQ(sha256_hex(make(members, {.level = level, .workers = workers, .comment = "marker"}).bytes),
                one.written->sha256)
          << level << ", " << workers;
  }
}

TEST(Write, GivesTheSameBytesForMembersInAnyOrder) {
  auto members = mixed();
  const std::string first = make(members).bytes;
  std::shuffle(members.begin(), members.end(), std::mt19937(4));
  EXPECT_EQ(sha256_hex(make(members).bytes), sha256_hex(first));
}

TEST(Write, ComesBackAtEveryLevel) {
  const auto members = mixed();
  for (int level = 0; level <= kHighestLevel; ++level) {
    const Made made = make(members, {.level = level});
    ASSERT_TRUE(made.written);
    const Bytes archive = bytes_in_memory(made.bytes);
    const auto directory = read_directory(archive, {});
    ASSERT_TRUE(directory) << level << ": " << directory.error().message;
    EXPECT_EQ(directory->entries.size(), members.size());
    for (const std::size_t i : {std::size_t{7}, std::size_t{299}, std::size_t{301}, std::size_t{304}, std::size_t{305}})
      EXPECT_TRUE(read_member(archive, members[i].name, {}).value() == members[i].content) << level << members[i].name;
  }
}

TEST(Write, HasSizesInFrontOfSmallMembersAndBehindLargeOnes) {
  const auto members = mixed();
  const Made made = make(members);
  const auto directory = read_directory(bytes_in_memory(made.bytes), {});
  ASSERT_TRUE(directory);
  for (const Entry& entry : directory->entries) EXPECT_EQ(entry.streamed, entry.size > kMebibyte) << entry.name;
}

TEST(Write, MakesAnArchiveOfNothing) {
  const Made made = make({});
  ASSERT_TRUE(made.written);
  EXPECT_EQ(made.bytes.size(), 22u);
  EXPECT_TRUE(read_directory(bytes_in_memory(made.bytes), {}));
}

TEST(Write, CarriesTheComment) {
  const Made made = make({text("a", "a")}, {.comment = R"({"run":7})"});
  EXPECT_EQ(find_comment(made.bytes).value(), R"({"run":7})");
  EXPECT_FALSE(make({}, {.comment = std::string(65536, 'x')}).written);
  EXPECT_FALSE(make({}, {.comment = "PK\x05\x06"}).written);
  EXPECT_FALSE(make({}, {.level = 10}).written);
}

TEST(Write, RefusesNamesThatCouldNotBeExtracted) {
  const struct {
    std::string_view name;
    std::vector<Member> members;
  } rows[] = {{"leaves", {text("../x", "")}},
              {"absolute", {text("/x", "")}},
              {"backslash", {text("a\\b", "")}},
              {"twice", {text("a", ""), text("a", "")}},
              {"by case", {text("a", ""), text("A", "")}},
              {"file and folder", {text("a", ""), text("a/b", "")}},
              {"a file with a slash", {text("a/", "")}},
              {"a folder without one", {{.name = "a", .kind = Member::Kind::directory}}}};
  for (const auto& row : rows) {
    const Made made = make(row.members);
    EXPECT_FALSE(made.written) << row.name;
    EXPECT_TRUE(made.bytes.empty()) << row.name << ": nothing is given before all names are checked";
  }
}

TEST(Write, NamesTheFileThatChanged) {
  const test::TestDirectory directory;
  for (const std::size_t size : {std::size_t{1000}, 4 * kMebibyte}) {
    for (const auto* change : {"shorter", "longer", "gone", "other bytes"}) {
      directory.write("d/a.log", lines(size));
      const auto selection = select(directory.path(), {"d"});
      ASSERT_TRUE(selection);
      const std::string_view what = change;
      if (what == "shorter") directory.write("d/a.log", lines(size - 1));
      if (what == "longer") directory.write("d/a.log", lines(size + 1));
      if (what == "gone") std::filesystem::remove(directory / "d/a.log");
      // Another state of the same size can be told only while it is read: between two parts.
      bool spoiled = what != "other bytes";
      const auto sink = [&](std::string_view) -> Result<void> {
        if (!spoiled) directory.write("d/a.log", lines(size, 9));
        spoiled = true;
        return {};
      };
      if (what == "other bytes" && size == 1000) continue;
      const auto written = write(selection->members, {.workers = 1}, sink);
      ASSERT_FALSE(written) << size << change;
      EXPECT_EQ(written.error().code, ErrorCode::bad_input);
      EXPECT_THAT(written.error().message, HasSubstr("d/a.log")) << change;
    }
  }
}

TEST(Write, NamesWhatIsNoFileAnyMore) {
  const test::TestDirectory directory;
  directory.write("a", "x");
  const auto selection = select(directory.path(), {"a"});
  std::filesystem::remove(directory / "a");
  ASSERT_EQ(::mkfifo((directory / "a").c_str(), 0600), 0);
  const auto written = write(selection->members, {}, [](std::string_view) { return Result<void>(); });
  ASSERT_FALSE(written);
  EXPECT_THAT(written.error().message, testing::AllOf(HasSubstr("/a\""), HasSubstr("no regular file")));
}

TEST(Write, EndsWithTheErrorOfTheSink) {
  const auto members = mixed();
  for (const unsigned workers : {1u, 4u}) {
    std::size_t calls = 0;
    const auto written = write(members, {.workers = workers}, [&calls](std::string_view) -> Result<void> {
      return ++calls < 5 ? Result<void>() : fail(ErrorCode::unavailable, "the wire is cut");
    });
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().message, "the wire is cut");
    EXPECT_EQ(calls, 5u);
  }
}

TEST(Write, EndsWhenItIsCancelled) {
  sys::request_cancellation(ErrorCode::interrupted);
  const Made made = make(mixed());
  sys::reset_cancellation();
  ASSERT_FALSE(made.written);
  EXPECT_EQ(made.written.error().code, ErrorCode::interrupted);
}

TEST(Write, TakesLittleMemoryForManyFilesAndForALargeOne) {
  const test::TestDirectory directory;
  for (int i = 0; i < 5000; ++i) directory.write(concat("many/", i % 50, "/", i, ".txt"), concat("file ", i));
  for (int i = 0; i < 3; ++i) directory.write(concat("large/", i), lines(16 * kMebibyte, static_cast<unsigned>(i)));
  for (const std::string folder : {"many", "large"}) {
    const auto growth = test::peak_growth([&] {
      const auto selection = select(directory.path(), {folder});
      return selection &&
             write(selection->members, {.level = 1, .workers = 4}, [](std::string_view) { return Result<void>(); });
    });
    ASSERT_TRUE(growth) << folder;
    EXPECT_LT(*growth, 32 * kMebibyte) << folder;
  }
}

}  // namespace
}  // namespace crategate::zip
