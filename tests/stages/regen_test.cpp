// regen: what comes out of the folder that a hostile command had, with real trees.
#include "stages/regen.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "base/sha256.h"
#include "stages/project.h"
#include "stages/regen_limits.h"
#include "stages/regen_tree.h"
#include "support/fake_engine.h"

namespace crategate::stages {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
namespace fs = std::filesystem;

/// A bare repository that already has every commit.
class LocalTransfer final : public git::CommitTransfer {
 public:
  Result<void> fetch(const std::string& commit, const std::string& hint_ref) override {
    asked = concat(commit, " ", hint_ref);
    if (failure) return fail(*failure, "no such commit");
    return {};
  }
  Result<bool> push(const std::string&, const std::string&, const std::string&) override {
    ADD_FAILURE() << "nothing is pushed here";
    return false;
  }
  sys::Path repository() const override { return path; }
  std::string place() const override { return "somewhere"; }
  sys::Path path;
  std::string asked;
  std::optional<ErrorCode> failure;
};

class RegenTest : public ::testing::Test {
 protected:
  RegenTest() {
    project.write("gen.txt", "old\n");
    project.write("src/run.sh", "#!/bin/sh\n");
    fs::permissions(project / "src/run.sh", fs::perms::owner_all);
    project.write("src/lib/deep.txt", "deep\n");
    project.write(".gitattributes", "* text=auto eol=crlf\n*.txt filter=evil\n");
    project.write(".gitignore", "*.pyc\nnode_modules/\n");
    project.write("node_modules/kept.js", "1\n");
    project.link("../gen.txt", "src/link");
    for (const auto* const name : {"large", "large2"}) project.write(name, std::string(600'000, 'x'));
    project.git({"init", "-q"});
    project.git({"add", "-f", "node_modules/kept.js"});
    project.commit("files");
    project.directory.write("raw", "a\r\n");  // as no checkout would add it
    const auto raw = project.git({"hash-object", "-w", "--no-filters", (project.directory / "raw").string()});
    project.git({"update-index", "--add", "--cacheinfo", concat("100644,", raw, ",crlf.txt")});
    project.git({"commit", "-q", "-m", "raw"});
    commit = project.git({"rev-parse", "HEAD"});
    transfer.path = project.directory / "bare";
    project.git({"clone", "-q", "--bare", ".", transfer.path.string()});
    settings.timeout = std::chrono::seconds(5);
    engine.add(kImage, {});
  }
  Result<Regenerated> run() {
    return run_regen({.commit = commit,
                      .pull_request = 7,
                      .image = kImage,
                      .generate = command,
                      .settings = settings,
                      .workspace = project.workspace,
                      .user = "7:8"},
                     {.transfer = transfer,
                      .open = git::open_tree_store,
                      .engine = engine,
                      .files = project.files,
                      .free_space = [this](const sys::Path&) { return Result<std::uint64_t>(free_space); },
                      .progress = progress});
  }
  /// The command is what `work` does in the folder.
  Result<Regenerated> run(const std::function<void(const sys::Path& folder)>& work, bool watched = true) {
    engine.containers_run([&, work, watched](const docker::ContainerSpec& spec,
                                             const docker::ContainerRun& run) -> Result<docker::ContainerOutcome> {
      const sys::Path folder = spec.binds.at(0).substr(0, spec.binds.at(0).find(':'));
      work(folder);
      if (watched && run.watch) CG_CHECK(run.watch());
      return docker::ContainerOutcome{.image_id = "i"};
    });
    auto made = run();
    EXPECT_FALSE(project.exists(".crategate/regen/files"));
    return made;
  }
  static void write(const sys::Path& path, std::string_view bytes) {
    fs::create_directories(path.parent_path());
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    ASSERT_EQ(::write(file, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size())) << path;
    ::close(file);
  }
  static std::vector<std::string> lines(const pipeline::RegenResult& result) {
    std::vector<std::string> all;
    for (const auto& file : result.files) all.push_back(concat(pipeline::to_string(file.change), " ", file.path));
    return all;
  }
  /// What git makes of the patch, in a clone of its own.
  void expect_git_agrees(const pipeline::RegenResult& result) {
    const auto clone = (project.directory / "clone").string();
    project.git({"clone", "-q", "-n", transfer.path.string(), clone});
    project.git({"-C", clone, "read-tree", commit});
    project.git({"-C", clone, "apply", "--cached", (project / ".crategate/regen/regen.patch").string()});
    EXPECT_EQ(project.git({"-C", clone, "write-tree"}), result.tree);
    fs::remove_all(clone);
  }

  inline static const std::string kImage = "ci@sha256:" + std::string(64, 'a');
  sample::Project project;
  std::uint64_t free_space = 100ull << 30;
  LocalTransfer transfer;
  test::FakeEngine engine;
  config::Argv command = {"make", "gen"};
  config::Regen settings;
  Progress progress;
  std::string commit;
};

TEST_F(RegenTest, GivesTheContainerTheFilesAndNothingElse) {
  std::vector<std::string> seen;
  const auto made = run([&](const sys::Path& folder) {
    for (const auto& entry : fs::recursive_directory_iterator(folder))
      seen.push_back(entry.path().lexically_relative(folder).string());
    EXPECT_EQ(fs::read_symlink(folder / "src/link"), "../gen.txt");
    EXPECT_EQ(::access((folder / "src/run.sh").c_str(), X_OK), 0);
    struct stat status = {};
    ::stat((folder / "crlf.txt").c_str(), &status);
    EXPECT_EQ(status.st_size, 3);
  });
  ASSERT_TRUE(made) << describe(made.error());
  std::ranges::sort(seen);
  EXPECT_THAT(seen, ElementsAre(".gitattributes", ".gitignore", "PYTHON_VERSIONS", "VERSION", "crlf.txt", "gen.txt",
                                "large", "large2", "node_modules", "node_modules/kept.js", "src", "src/lib",
                                "src/lib/deep.txt", "src/link", "src/run.sh"));
  EXPECT_EQ(transfer.asked, concat(commit, " refs/pull/7/head"));
  const auto& spec = engine.containers.at(0);
  EXPECT_THAT(spec.binds, ElementsAre(concat((project / ".crategate/regen/files").string(), ":/workspace")));
  EXPECT_THAT(spec.env, ElementsAre("HOME=/tmp"));
  EXPECT_EQ(spec.network, "none");
  EXPECT_EQ(spec.user, "7:8");
  EXPECT_EQ(spec.entrypoint, std::vector<std::string>{"make"});
  EXPECT_TRUE(spec.limits.drop_capabilities && spec.limits.read_only_root);
  EXPECT_EQ(spec.limits.memory, 4096ull << 20);
  EXPECT_EQ(spec.limits.cpus, 2);
  EXPECT_EQ(spec.limits.processes, 1024);
  EXPECT_GT(spec.limits.file_size, 0u);
  EXPECT_THAT(spec.limits.tmpfs.at("/tmp"), HasSubstr("size="));
  EXPECT_EQ(engine.runs.at(0).timeout, settings.timeout);
}

TEST_F(RegenTest, HasANetworkOnlyWhereItIsAskedFor) {
  settings.network = true;
  ASSERT_TRUE(run([](const sys::Path&) {}));
  EXPECT_EQ(engine.containers.at(0).network, "");
}

TEST_F(RegenTest, SaysThatNothingChanged) {
  const auto made = run([](const sys::Path& folder) {
    write(folder / "gen.txt", "old\n");                          // the same again
    fs::create_hard_link(folder / "gen.txt", folder / "x.pyc");  // ignored
    write(folder / "node_modules/m/.git/config", "[core]\n");    // in a folder that is ignored
    fs::create_directories(folder / "empty/inner");
  });
  ASSERT_TRUE(made) << describe(made.error());
  EXPECT_FALSE(made->result.changed());
  EXPECT_EQ(made->result.tree, project.git({"rev-parse", "HEAD^{tree}"}));
  EXPECT_EQ(project.read(".crategate/regen/regen.patch"), "");
  EXPECT_EQ(pipeline::parse_regen_result(project.read(".crategate/regen/regen.json"), "r", 1000).value(), made->result);
}

TEST_F(RegenTest, LeavesAPatchThatGitTakes) {
  const auto made = run([](const sys::Path& folder) {
    write(folder / "gen.txt", "new\n");
    write(folder / "docs/été \"1\".md", "text without an end");
    write(folder / "binary", std::string("\0\1\2\n", 4));
    fs::remove(folder / "src/lib/deep.txt");
    fs::permissions(folder / "src/run.sh", fs::perms::owner_read);
    fs::remove(folder / "node_modules/kept.js");
    fs::remove(folder / "src/link");
    fs::create_symlink("/etc/passwd", folder / "src/link");
    fs::create_hard_link(folder / "gen.txt", folder / "twin.txt");
  });
  ASSERT_TRUE(made) << describe(made.error());
  EXPECT_THAT(lines(made->result),
              ElementsAre("added binary", "added docs/été \"1\".md", "modified gen.txt", "deleted node_modules/kept.js",
                          "deleted src/lib/deep.txt", "modified src/link", "modified src/run.sh", "added twin.txt"));
  const std::string patch = project.read(".crategate/regen/regen.patch");
  EXPECT_EQ(made->result.patch_sha256, sha256_hex(patch));
  EXPECT_EQ(made->result.patch_bytes, static_cast<std::int64_t>(patch.size()));
  EXPECT_EQ(made->result.sha, commit);
  EXPECT_EQ(made->result.pull_request, 7);
  expect_git_agrees(made->result);
}

TEST_F(RegenTest, KnowsAFolderThatBecameAFileOrALinkAndTheOtherWayRound) {
  const auto made = run([&](const sys::Path& folder) {
    fs::remove_all(folder / "src");
    fs::create_directory_symlink("/", folder / "src");
    fs::remove(folder / "gen.txt");
    write(folder / "gen.txt/inner", "x");
  });
  ASSERT_TRUE(made) << describe(made.error());
  EXPECT_THAT(lines(made->result), ElementsAre("deleted gen.txt", "added gen.txt/inner", "added src",
                                               "deleted src/lib/deep.txt", "deleted src/link", "deleted src/run.sh"));
  expect_git_agrees(made->result);
}

struct HostileRow {
  const char* name;
  void (*work)(const sys::Path& folder);
  const char* message;
};
class HostileFolder : public RegenTest, public testing::WithParamInterface<HostileRow> {};

TEST_P(HostileFolder, IsRefusedByName) {
  settings.max_files = 20;
  settings.max_mib = 1;
  const auto made = run(GetParam().work, false);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::bad_input) << describe(made.error());
  EXPECT_THAT(describe(made.error()), HasSubstr(GetParam().message));
  EXPECT_EQ(project.read(".crategate/regen/regen.json"), "");
}

void make_deep(const sys::Path& folder) {
  int at = ::open(folder.c_str(), O_PATH | O_DIRECTORY);
  for (int i = 0; i < 5000; ++i) {
    ::mkdirat(at, "d", 0755);
    const int next = ::openat(at, "d", O_PATH | O_DIRECTORY);
    ::close(at);
    at = next;
  }
  ::close(at);
}

INSTANTIATE_TEST_SUITE_P(
    Rows, HostileFolder,
    testing::Values(
        HostileRow{"ARepositoryAtTheTop", [](const sys::Path& f) { fs::create_directories(f / ".git/hooks"); },
                   "\".git\": expected files of the project, found a git repository"},
        HostileRow{"ARepositoryBelow", [](const sys::Path& f) { fs::create_directories(f / "src/lib/.GIT"); },
                   "\"src/lib/.GIT\": expected"},
        HostileRow{"TheFileOfAWorkTree", [](const sys::Path& f) { fs::create_symlink("/", f / "src/.git"); },
                   "\"src/.git\": expected"},
        HostileRow{"APipe", [](const sys::Path& f) { ::mkfifo((f / "p").c_str(), 0600); },
                   "\"p\": expected a regular file, found a named pipe"},
        HostileRow{"APipeInPlaceOfAFile",
                   [](const sys::Path& f) {
                     fs::remove(f / "gen.txt");
                     ::mkfifo((f / "gen.txt").c_str(), 0600);
                   },
                   "\"gen.txt\": expected a regular file"},
        HostileRow{"ANameInAnotherCoding", [](const sys::Path& f) { fs::create_symlink("x", f / "a\xff"); },
                   "expected a name in UTF-8"},
        HostileRow{"ManyFiles",
                   [](const sys::Path& f) {
                     for (int i = 0; i < 21; ++i) fs::create_symlink("x", f / std::to_string(i));
                   },
                   "at most 20 changed files"},
        HostileRow{
            "MuchContent",
            [](const sys::Path& f) { fs::create_symlink("x", f / "a"), ::truncate((f / "gen.txt").c_str(), 2 << 20); },
            "at most 1.0 MiB of new content, found more with \"gen.txt\""},
        HostileRow{"MuchThatGoes",
                   [](const sys::Path& f) {
                     fs::remove(f / "large");
                     fs::remove(f / "large2");
                   },
                   "at most 1.0 MiB of replaced or removed content, found more with \"large2\""},
        HostileRow{"AHole", [](const sys::Path& f) { ::truncate((f / "gen.txt").c_str(), off_t{1} << 40); },
                   "\"gen.txt\""},
        HostileRow{"FoldersInOneAnother", make_deep, "at most 128 folders in one another"}),
    [](const auto& row) { return std::string(row.param.name); });

TEST_F(RegenTest, StopsACommandThatFillsTheFolder) {
  const auto made = run([](const sys::Path& folder) { ::truncate((folder / "gen.txt").c_str(), off_t{1} << 40); });
  ASSERT_FALSE(made);
  EXPECT_THAT(describe(made.error()), HasSubstr("ci-image.generate was stopped"));
}

TEST_F(RegenTest, StopsACommandThatMakesFilesWithoutEnd) {
  constexpr int kMany = 100'020;  // the limit, and what the commit has
  const auto made = run([](const sys::Path& folder) {
    const int at = ::open(folder.c_str(), O_PATH | O_DIRECTORY);
    for (int i = 0; i < kMany; ++i) ASSERT_EQ(::symlinkat("x", at, std::to_string(i).c_str()), 0);
    ::close(at);
  });
  ASSERT_FALSE(made);
  EXPECT_THAT(describe(made.error()),
              HasSubstr("ci-image.generate was stopped: expected at most 100015 files and folders"));
}

TEST_F(RegenTest, StopsACommandThatFillsTheDiskElsewhere) {
  const auto least = free_space - kDiskRoom;
  EXPECT_TRUE(run([&](const sys::Path&) { free_space = least; }));
  free_space = least + kDiskRoom;
  const auto made = run([&](const sys::Path&) { free_space = least - 1; });
  ASSERT_FALSE(made);
  EXPECT_THAT(describe(made.error()),
              HasSubstr("ci-image.generate was stopped: the disk: expected at most 2.0 GiB less of free space"));
  free_space = 1 << 20;  // of a small one half
  EXPECT_TRUE(run([&](const sys::Path&) { free_space = 512 << 10; }));
  free_space = 1 << 20;
  EXPECT_FALSE(run([&](const sys::Path&) { free_space = (512 << 10) - 1; }));
}

TEST_F(RegenTest, RunsInNoImageThatTheEngineLacks) {
  ASSERT_TRUE(engine.remove_image(kImage));
  EXPECT_EQ(run([](const sys::Path&) {}).error().code, ErrorCode::not_found);
}

TEST(RegenVolumes, GetTheLimitOfEveryWritablePlace) {
  docker::ContainerSpec spec;
  spec.workdir = "/workspace";
  spec.limits.tmpfs = {{"/tmp", "size=1"}};
  ASSERT_TRUE(limit_volumes(spec, {"/cache/", "/data/../var/lib/x", "/tmp", "/workspace"}, "size=2"));
  EXPECT_EQ(spec.limits.tmpfs,
            (std::map<std::string, std::string>{{"/cache", "size=2"}, {"/tmp", "size=1"}, {"/var/lib/x", "size=2"}}));
}

TEST(RegenVolumes, AreRefusedWhereNoLimitCanBeSet) {
  for (const auto* const volume : {"/", "data", "/a/.."}) {
    docker::ContainerSpec spec;
    const auto limited = limit_volumes(spec, {volume}, "size=2");
    ASSERT_FALSE(limited) << volume;
    EXPECT_EQ(limited.error().code, ErrorCode::bad_input);
    EXPECT_THAT(limited.error().message, HasSubstr(concat("found ", quoted(volume))));
  }
}

TEST_F(RegenTest, TellsOfACommandThatFailed) {
  engine.containers_print("::error::x\nno rule to make target\n", 2);
  const auto made = run();
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::tests_failed);
  EXPECT_THAT(made.error().message, HasSubstr("found exit 2; last line: \"no rule to make target\""));
  EXPECT_THAT(made.error().message, HasSubstr(".crategate/logs/regen.log"));
  EXPECT_FALSE(project.exists(".crategate/regen/files"));
}

TEST_F(RegenTest, PassesNoWorkflowCommandOn) {  // A78
  std::vector<std::string> shown;
  progress = [&shown](std::string_view line) { shown.emplace_back(line); };
  engine.containers_print("::add-mask::x\n##[error]y\n plain\n");
  ASSERT_TRUE(run());
  for (const auto& line : shown) {
    EXPECT_THAT(line, Not(HasSubstr("##["))) << line;
    EXPECT_FALSE(line.starts_with("::")) << line;
  }
  EXPECT_THAT(shown, ::testing::Contains(" plain"));
}

TEST_F(RegenTest, WithdrawsWhatAnEarlierRunLeft) {
  ASSERT_TRUE(run([](const sys::Path& folder) { write(folder / "gen.txt", "new\n"); }));
  fs::create_directories(project / ".crategate/regen/files/left/behind");
  transfer.failure = ErrorCode::not_found;
  EXPECT_EQ(run().error().code, ErrorCode::not_found);
  EXPECT_EQ(project.read(".crategate/regen/regen.json"), "");
  EXPECT_EQ(project.read(".crategate/regen/regen.patch"), "");
  transfer.failure.reset();
  const auto made = run([](const sys::Path& folder) { EXPECT_FALSE(fs::exists(folder / "left")); });
  EXPECT_TRUE(made) << describe(made.error());
}

TEST_F(RegenTest, NeedsACommand) {
  command.clear();
  EXPECT_THAT(run().error().message, HasSubstr("ci-image.generate: expected the command"));
  EXPECT_THAT(engine.containers, IsEmpty());
}

class SubmoduleTest : public RegenTest {
 protected:
  SubmoduleTest() {
    project.git({"update-index", "--add", "--cacheinfo", concat("160000,", std::string(40, '1'), ",deps/module")});
    project.git({"commit", "-q", "-m", "module"});
    commit = project.git({"rev-parse", "HEAD"});
    fs::remove_all(transfer.path);
    project.git({"clone", "-q", "--bare", ".", transfer.path.string()});
  }
};

TEST_F(SubmoduleTest, IsAnEmptyFolderThatMayGo) {
  EXPECT_FALSE(run([](const sys::Path& f) { EXPECT_TRUE(fs::is_empty(f / "deps/module")); })->result.changed());
  EXPECT_FALSE(run([](const sys::Path& f) { fs::remove_all(f / "deps"); })->result.changed());
  const auto made = run([](const sys::Path& f) { write(f / "deps/module/file", "x"); });
  ASSERT_FALSE(made);
  EXPECT_THAT(describe(made.error()),
              HasSubstr("\"deps/module/file\": expected nothing there, found a file of the submodule"));
}

}  // namespace
}  // namespace crategate::stages
