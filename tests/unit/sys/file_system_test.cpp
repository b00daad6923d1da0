// Files below a root: what is read, what is refused, what is replaced.
#include "sys/file_system.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <thread>

#include "support/test_directory.h"
#include "sys/beneath.h"

namespace crategate::sys {
namespace {

using test::TestDirectory;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

class FileSystemTest : public ::testing::Test {
 protected:
  Result<std::optional<std::string>> read(const Path& relative) const {
    return files_.read_below(directory_.path(), relative, kTextLimit);
  }
  /// A project with one of everything that must not be read as a file.
  void make_traps() const {
    directory_.write("outside/secret", "secret");
    directory_.write("project/real/file", "text");
    fs::create_symlink("/proc/self/environ", directory_ / "project/environ");
    fs::create_symlink("real/file", directory_ / "project/link");
    fs::create_directory_symlink("../outside", directory_ / "project/linked");
    ::mkfifo((directory_ / "project/fifo").c_str(), 0600);
    const int bound = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    (directory_ / "project/socket").string().copy(address.sun_path, sizeof address.sun_path - 1);
    ASSERT_EQ(::bind(bound, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    ::close(bound);
  }
  TestDirectory directory_;
  PosixFileSystem files_;
};

TEST_F(FileSystemTest, ReadsARegularFileAndTellsAnAbsentOne) {
  directory_.write("a/b.txt", std::string("x\0y", 3));
  EXPECT_EQ(read("a/b.txt").value(), std::string("x\0y", 3));
  EXPECT_EQ(read("./a//b.txt").value(), std::string("x\0y", 3));
  EXPECT_EQ(read("a/none").value(), std::nullopt);
  EXPECT_EQ(read("none/b.txt").value(), std::nullopt);
  EXPECT_EQ(files_.read_below(directory_ / "no-root", "x", 10).value(), std::nullopt);
}

struct BadPath {
  std::string name;
  Path path;
  std::string expected;
};

// A09, A12, A17
TEST_F(FileSystemTest, RefusesWhateverIsNoRegularFileOfTheProject) {
  make_traps();
  const BadPath rows[] = {
      {"link to the environment", "environ", "symbolic link"},
      {"link to a file", "link", "symbolic link"},
      {"through a linked directory", "linked/secret", "symbolic link"},
      {"named pipe", "fifo", "named pipe"},
      {"socket", "socket", "socket"},
      {"directory", "real", "a directory"},
      {"file as directory", "real/file/x", "Not a directory"},
      {"parent", "../outside/secret", "leaves its directory"},
      {"parent in the middle", "real/../../outside/secret", "leaves its directory"},
      {"absolute", "/etc/passwd", "absolute"},
      {"empty", "", "empty"},
      {"the root", ".", "names no file"},
      {"NUL", std::string("real\0/file", 10), "NUL"},
      {"endless name", std::string(300, 'a'), "too long"},
  };
  for (const BadPath& row : rows) {
    const auto read = files_.read_below(directory_ / "project", row.path, kTextLimit);
    ASSERT_FALSE(read) << row.name;
    EXPECT_EQ(read.error().code, ErrorCode::bad_input) << row.name;
    EXPECT_THAT(read.error().message, HasSubstr(row.expected)) << row.name;
    EXPECT_FALSE(read.error().hint.empty()) << row.name;
  }
}

// A09
TEST_F(FileSystemTest, RefusesTheSameInAFileTheUserNames) {
  make_traps();
  for (const char* name : {"environ", "link", "fifo", "socket", "real"}) {
    const auto read = files_.read(directory_ / "project" / name, kTextLimit);
    ASSERT_FALSE(read) << name;
    EXPECT_EQ(read.error().code, ErrorCode::bad_input) << name;
  }
  EXPECT_FALSE(files_.read("/dev/zero", kTextLimit));
  EXPECT_EQ(files_.read(directory_ / "linked/none", kTextLimit).value(), std::nullopt);
  EXPECT_EQ(files_.read(directory_ / "project/linked/secret", kTextLimit).value(), "secret");
}

// A01, A12
TEST_F(FileSystemTest, RefusesALargeFileBeforeReadingIt) {
  directory_.write("VERSION", "v1.0.0");
  fs::resize_file(directory_ / "VERSION", 1u << 30);
  const auto refused = read("VERSION");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::bad_input);
  EXPECT_THAT(refused.error().message, HasSubstr("GiB"));
  directory_.write("exact", std::string(100, 'x'));
  EXPECT_TRUE(files_.read_below(directory_.path(), "exact", 100));
  EXPECT_FALSE(files_.read_below(directory_.path(), "exact", 99));
}

// A17, A18
TEST_F(FileSystemTest, GivesTheSameAnswersWithoutOpenat2) {
  make_traps();
  const Descriptor root = open_root(directory_ / "project");
  const auto error_of = [&root](const std::vector<std::string>& path, auto open) {
    const Descriptor file = open(root, path, O_RDONLY | O_NONBLOCK);
    return file.valid() ? 0 : errno;
  };
  const std::vector<std::vector<std::string>> paths = {
      {"real", "file"}, {"link"}, {"linked", "secret"}, {"none", "x"}, {"none"}, {"real", "file", "x"}, {"socket"}};
  for (const auto& path : paths)
    EXPECT_EQ(error_of(path, open_beneath), error_of(path, open_beneath_by_component)) << path.front();
  EXPECT_EQ(error_of({"linked", "secret"}, open_beneath_by_component), ELOOP);
}

TEST_F(FileSystemTest, WritesAtomicallyAndMakesDirectories) {
  EXPECT_TRUE(files_.write_below(directory_ / "new-root", "docker/dockerfiles/Dockerfile.cpu", "FROM x\n",
                                 Durability::process));
  EXPECT_EQ(directory_.read("new-root/docker/dockerfiles/Dockerfile.cpu"), "FROM x\n");
  EXPECT_TRUE(
      files_.write_below(directory_ / "new-root", "docker/dockerfiles/Dockerfile.cpu", "", Durability::machine));
  EXPECT_EQ(directory_.read("new-root/docker/dockerfiles/Dockerfile.cpu"), "");
  EXPECT_THAT(files_.list(directory_ / "new-root/docker/dockerfiles").value(),
              ::testing::ElementsAre("Dockerfile.cpu"));
  EXPECT_EQ(fs::status(directory_ / "new-root/docker/dockerfiles/Dockerfile.cpu").permissions(), fs::perms(0644));
}

// A18
TEST_F(FileSystemTest, ReplacesALinkAndNeverWritesThroughIt) {
  directory_.write("workflow.yml", "precious");
  fs::create_directories(directory_ / "project");
  fs::create_symlink("../workflow.yml", directory_ / "project/Dockerfile");
  EXPECT_TRUE(files_.write_below(directory_ / "project", "Dockerfile", "FROM x", Durability::process));
  EXPECT_EQ(directory_.read("workflow.yml"), "precious");
  EXPECT_EQ(directory_.read("project/Dockerfile"), "FROM x");
  EXPECT_FALSE(fs::is_symlink(directory_ / "project/Dockerfile"));
}

// A18
TEST_F(FileSystemTest, RefusesToWriteOutsideTheProject) {
  make_traps();
  for (const char* path :
       {"linked/new", "linked/deep/new", "../outside/new", "/tmp/crategate-new", "", "real/file/new", "real"}) {
    const auto written = files_.write_below(directory_ / "project", path, "x", Durability::process);
    ASSERT_FALSE(written) << path;
    EXPECT_EQ(written.error().code, ErrorCode::bad_input) << path;
  }
  EXPECT_THAT(files_.list(directory_ / "outside").value(), ::testing::ElementsAre("secret"));
  EXPECT_THAT(files_.list(directory_ / "project").value(),
              ::testing::Not(::testing::Contains(::testing::StartsWith(".crategate-"))));
}

// A17, A18
TEST_F(FileSystemTest, StaysInsideWhileADirectoryIsSwappedForALink) {
  directory_.write("outside/file", "secret");
  directory_.write("project/dir/file", "public");
  fs::create_directory_symlink("../outside", directory_ / "project/link");
  std::atomic<bool> done = false;
  std::thread attacker([&] {
    const Path dir = directory_ / "project/dir", link = directory_ / "project/link",
               spare = directory_ / "project/spare";
    while (!done) {
      ::rename(dir.c_str(), spare.c_str());
      ::rename(link.c_str(), dir.c_str());
      ::rename(dir.c_str(), link.c_str());
      ::rename(spare.c_str(), dir.c_str());
    }
  });
  for (int round = 0; round < 2000; ++round) {
    const auto read = files_.read_below(directory_ / "project", "dir/file", kTextLimit);
    EXPECT_FALSE(read && *read == "secret");
    if (round % 50 == 0) (void)files_.write_below(directory_ / "project", "dir/new", "x", Durability::process);
  }
  done = true;
  attacker.join();
  EXPECT_FALSE(directory_.exists("outside/new"));
}

TEST_F(FileSystemTest, AppendsWithoutChangingTheInode) {
  directory_.write("output", "a=1\n");
  struct stat before = {};
  struct stat after = {};
  ::stat((directory_ / "output").c_str(), &before);
  EXPECT_TRUE(files_.append(directory_ / "output", "b=2\n"));
  ::stat((directory_ / "output").c_str(), &after);
  EXPECT_EQ(directory_.read("output"), "a=1\nb=2\n");
  EXPECT_EQ(before.st_ino, after.st_ino);
  EXPECT_TRUE(files_.append(directory_ / "fresh", "x"));
  make_traps();
  for (const char* name : {"link", "fifo", "real"})
    EXPECT_EQ(files_.append(directory_ / "project" / name, "x").error().code, ErrorCode::bad_input) << name;
}

TEST_F(FileSystemTest, NamesTheWholePathThatCannotBeWritten) {
  fs::create_directories(directory_ / "logs/x.log");
  const auto log = LogFile::create(directory_.path(), "logs/x.log", 10);
  ASSERT_FALSE(log);
  EXPECT_THAT(log.error().message, HasSubstr((directory_ / "logs/x.log").string()));
}

TEST_F(FileSystemTest, SaysNoSpaceWhenTheDiskIsFull) {
  const Descriptor full(::open("/dev/full", O_WRONLY));
  ASSERT_TRUE(full.valid());
  const Error error = system_error("cannot write the log", write_all(full.get(), "x"));
  EXPECT_EQ(error.code, ErrorCode::no_space);
  EXPECT_THAT(error.message, HasSubstr("cannot write the log"));
}

TEST_F(FileSystemTest, MakesListsAndRemovesDirectories) {
  EXPECT_TRUE(files_.make_directories(directory_ / "a/b/c", 0700));
  EXPECT_TRUE(files_.make_directories(directory_ / "a/b/c", 0700));
  directory_.write("a/z", "");
  EXPECT_THAT(files_.list(directory_ / "a").value(), ::testing::ElementsAre("b", "z"));
  EXPECT_TRUE(files_.list(directory_ / "none").value().empty());
  EXPECT_FALSE(files_.make_directories(directory_ / "a/z", 0700));
  EXPECT_FALSE(files_.make_directories(directory_ / "a/z/y", 0700));
  directory_.write("kept", "x");
  fs::create_directory_symlink("..", directory_ / "a/up");
  EXPECT_TRUE(files_.remove_tree(directory_ / "a"));
  EXPECT_TRUE(files_.remove_tree(directory_ / "a"));
  EXPECT_FALSE(files_.exists(directory_ / "a"));
  EXPECT_TRUE(files_.exists(directory_ / "kept"));
  EXPECT_FALSE(files_.remove_tree("/"));
  EXPECT_FALSE(files_.remove_tree(""));
}

TEST_F(FileSystemTest, RemovesLinksAsLinksAndNothingThroughThem) {
  directory_.write("outside/kept", "x");
  directory_.write("project/tree/deep/file", "x");
  fs::create_directory_symlink("../../outside", directory_ / "project/tree/linked");
  fs::create_symlink("../../outside/kept", directory_ / "project/tree/file");
  fs::create_symlink("nowhere", directory_ / "project/tree/dangling");
  fs::create_directory_symlink("../outside", directory_ / "project/linked");
  EXPECT_EQ(files_.remove_tree(directory_ / "project/linked/kept").error().code, ErrorCode::bad_input);
  EXPECT_FALSE(files_.remove_tree(directory_ / "project/../outside"));
  EXPECT_TRUE(files_.remove_tree(directory_ / "project/tree"));
  EXPECT_FALSE(files_.exists(directory_ / "project/tree"));
  EXPECT_TRUE(files_.remove_tree(directory_ / "project/linked"));
  EXPECT_FALSE(files_.exists(directory_ / "project/linked"));
  EXPECT_EQ(directory_.read("outside/kept"), "x");
  EXPECT_TRUE(files_.remove_tree(directory_ / "none/below"));
}

TEST_F(FileSystemTest, TellsTheFreeSpaceOfAPathThatIsYetToBeMade) {
  EXPECT_GT(files_.free_space(directory_ / "not/yet/there").value(), 0u);
}

TEST(LogFile, KeepsTheLimitAndSaysWhatIsLeftOut) {
  TestDirectory directory;
  LogFile log = LogFile::create(directory.path(), "logs/test.log", 10).value();
  EXPECT_TRUE(log.write("12345"));
  EXPECT_EQ(directory.read("logs/test.log"), "12345") << "a log can be read while it is written";
  EXPECT_TRUE(log.write("67890abc"));
  EXPECT_TRUE(log.write("def"));
  EXPECT_TRUE(log.close());
  EXPECT_THAT(directory.read("logs/test.log"), ::testing::StartsWith("1234567890\n[crategate: 6 more bytes"));
}

TEST(LogFile, ReplacesALinkAtItsPlace) {
  TestDirectory directory;
  directory.write("precious", "x");
  fs::create_symlink("precious", directory / "test.log");
  LogFile log = LogFile::create(directory.path(), "test.log", 100).value();
  EXPECT_TRUE(log.write("line\n"));
  EXPECT_EQ(directory.read("precious"), "x");
}

TEST(TemporaryDirectory, IsPrivateAndGoesAway) {
  Path path;
  {
    const TemporaryDirectory directory = TemporaryDirectory::create().value();
    path = directory.path();
    EXPECT_EQ(fs::status(path).permissions(), fs::perms(0700));
  }
  EXPECT_FALSE(fs::exists(path));
  EXPECT_FALSE(TemporaryDirectory::create("/nonexistent"));
}

/// Deeper than there are descriptors or stack for, with folders that their owner may not even list.
TEST_F(FileSystemTest, RemovesATreeOfAnyDepth) {
  constexpr int kDepth = 20'000;
  fs::create_directory(directory_ / "tree");
  int at = ::open((directory_ / "tree").c_str(), O_PATH | O_DIRECTORY);
  for (int i = 0; i < kDepth; ++i) {
    ASSERT_EQ(::mkdirat(at, "d", 0700), 0);
    const int next = ::openat(at, "d", O_PATH | O_DIRECTORY);
    ASSERT_EQ(::close(::openat(at, "f", O_CREAT | O_WRONLY, 0600)), 0);
    ::close(at);
    at = next;
  }
  ::close(at);
  directory_.write("tree/shut/in/file", "");
  fs::create_symlink("/", directory_ / "tree/shut/in/link");
  fs::permissions(directory_ / "tree/shut/in", fs::perms::none);
  fs::permissions(directory_ / "tree/shut", fs::perms::owner_read);
  const auto removed = files_.remove_tree(directory_ / "tree");
  EXPECT_TRUE(removed) << describe(removed.error());
  EXPECT_FALSE(directory_.exists("tree"));
}

}  // namespace
}  // namespace crategate::sys
