// apply-regen: patches of real trees, a remote whose branches move, and what is left there after each outcome.
#include "stages/apply_regen.h"

#include <gmock/gmock.h>

#include <filesystem>

#include "base/sha256.h"
#include "git/git_commit_transfer.h"
#include "stages/project.h"
#include "sys/cancel.h"

namespace crategate::stages {
namespace {

using pipeline::FileChange;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
namespace fs = std::filesystem;

/// A real one that a test gets into before the push.
class WatchedTransfer final : public git::CommitTransfer {
 public:
  explicit WatchedTransfer(git::PrivateRepository repository, git::PushLogin login = {})
      : inner_(std::move(repository), std::move(login)) {}
  Result<void> fetch(const std::string& commit, const std::string& hint_ref) override {
    ++fetched;
    return inner_.fetch(commit, hint_ref);
  }
  Result<bool> push(const std::string& commit, const std::string& branch, const std::string& expected) override {
    ++pushed;
    if (before_push) before_push();
    return inner_.push(commit, branch, expected);
  }
  sys::Path repository() const override { return inner_.repository(); }
  std::string place() const override { return inner_.place(); }
  std::function<void()> before_push;
  int fetched = 0, pushed = 0;

 private:
  git::GitCommitTransfer inner_;
};

class ApplyRegen : public ::testing::Test {
 protected:
  ApplyRegen() {
    project.write("crategate.yml", "regen: {}\n");
    project.write("sub/crategate.yml", "regen: {}\n");
    project.write("src/list", "b\na\n");
    project.write("generated/list", "old\n");
    head = project.init();
    remote = project.directory / "remote.git";
    project.git({"clone", "-q", "--bare", ".", remote.string()});
    for (const auto* const ref : {"refs/heads/fix", "refs/pull/7/head"}) in_remote({"update-ref", ref, head});
    target = {.pull_request = 7,
              .sha = head,
              .head_branch = "fix",
              .head_repository = "o/r",
              .head_repository_id = 1,
              .is_fork = false};
  }
  std::string in_remote(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"-C", remote.string()});
    return project.git(arguments);
  }
  /// Somebody else's commit, at the branch.
  std::string move_branch() {
    auto other = in_remote({"commit-tree", concat(head, "^{tree}"), "-p", head, "-m", "somebody else's"});
    in_remote({"update-ref", "refs/heads/fix", other});
    return other;
  }
  /// What `generate` leaves when the working tree is what the command has made.
  RegenPatch made() {
    project.git({"add", "-A"});
    RegenPatch patch;
    patch.bytes = raw({"diff", "--cached", "--binary", "--full-index", "--no-renames", head});
    patch.result = {.pull_request = 7,
                    .sha = head,
                    .image = kImage,
                    .tree = project.git({"write-tree"}),
                    .patch_sha256 = sha256_hex(patch.bytes),
                    .patch_bytes = static_cast<std::int64_t>(patch.bytes.size()),
                    .files = {}};
    for (const auto& path : split(project.git({"diff", "--cached", "--name-only", head}), '\n'))
      if (!path.empty()) patch.result.files.push_back({std::string(path), FileChange::modified});
    return patch;
  }
  Result<AppliedRegen> apply(const RegenPatch& patch) {
    transfer.emplace(git::PrivateRepository(project.processes, project.environment, project.workspace.root,
                                            remote.string(), Secret(), git::Holds::commits),
                     login);
    transfer->before_push = before_push;
    return apply_regen(patch,
                       {.settings = settings,
                        .deciding = {.configuration = configuration},
                        .target = target,
                        .image = kImage,
                        .seconds = 1'700'000'000,
                        .dry_run = dry_run},
                       {.transfer = *transfer, .open = git::open_tree_store});
  }
  AppliedRegen applied(const RegenPatch& patch) {
    auto done = apply(patch);
    EXPECT_TRUE(done) << (done ? "" : describe(done.error()));
    return done.value_or(AppliedRegen{});
  }
  Error failure(const RegenPatch& patch) {
    const auto done = apply(patch);
    EXPECT_FALSE(done);
    EXPECT_EQ(tip(), head) << "nothing was pushed";
    return done ? Error{} : done.error();
  }
  std::string tip() { return in_remote({"rev-parse", "refs/heads/fix"}); }
  /// Bytes as they are: a patch ends with its line end.
  std::string raw(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"-C", project.workspace.root.string()});
    return project.processes
        .run({.program = "git", .arguments = std::move(arguments), .environment = {{"PATH", "/usr/bin:/bin"}}}, {})
        .value()
        .out;
  }

  inline static const std::string kImage = "ghcr.io/o/r/ci@sha256:" + std::string(64, 'a');
  sample::Project project;
  std::string head;
  sys::Path remote;
  pipeline::RegenTarget target;
  config::Regen settings;
  std::string configuration = "crategate.yml";
  bool dry_run = false;
  git::PushLogin login;
  std::function<void()> before_push;
  std::optional<WatchedTransfer> transfer;
};

TEST_F(ApplyRegen, CommitsOnExactlyThePinnedCommit) {
  project.write("generated/list", "a\nb\n");
  project.write("generated/new", "1\n");
  settings.message = "build: anew";
  settings.sign_off = true;
  const auto done = applied(made());
  ASSERT_EQ(done.commit, tip());
  EXPECT_THAT(done.files, ElementsAre(pipeline::RegenFile{"generated/list", FileChange::modified},
                                      pipeline::RegenFile{"generated/new", FileChange::added}));
  EXPECT_THAT(done.findings, IsEmpty());
  const std::string who = "github-actions[bot] <41898282+github-actions[bot]@users.noreply.github.com>";
  EXPECT_EQ(in_remote({"log", "-1", "--format=%P|%an <%ae>|%cn <%ce>|%at|%B", "fix"}),
            concat(head, "|", who, "|", who, "|1700000000|build: anew\n\nSigned-off-by: ", who));
  EXPECT_EQ(in_remote({"show", "fix:generated/list"}), "a\nb");
}

TEST_F(ApplyRegen, MakesTheSameCommitOfTheSame) {
  project.write("generated/list", "new\n");
  const auto patch = made();
  const auto first = applied(patch).commit;
  EXPECT_EQ(applied(patch).commit, first) << "asked twice at once, both agree";
  EXPECT_EQ(tip(), first);
}

TEST_F(ApplyRegen, DoesNothingWhereNothingChanges) {
  const auto done = applied(made());
  EXPECT_THAT(done.files, IsEmpty());
  EXPECT_EQ(done.commit, "");
  EXPECT_EQ(tip(), head);
  EXPECT_EQ(transfer->fetched, 0) << "nobody is asked";
}

/// A35
TEST_F(ApplyRegen, CommitsNothingBesideWhatIsRefused) {
  project.write("generated/list", "new\n");
  project.write(".github/workflows/x.yml", "on: push\n");
  const auto done = applied(made());
  ASSERT_THAT(done.findings, ::testing::SizeIs(1));
  EXPECT_EQ(to_string(done.findings[0].refusal), "protected-path");
  EXPECT_EQ(done.findings[0].path, ".github/workflows/x.yml");
  EXPECT_EQ(done.commit, "");
  EXPECT_EQ(transfer->pushed, 0);
  EXPECT_EQ(tip(), head);
}

/// Wherever it is: with the input `workspace` it is below a folder.
TEST_F(ApplyRegen, ProtectsTheConfigurationThatDecides) {
  project.write("sub/crategate.yml", "regen: {allow: []}\n");
  const auto patch = made();
  configuration = "sub/crategate.yml";
  const auto done = applied(patch);
  ASSERT_THAT(done.findings, ::testing::SizeIs(1));
  EXPECT_EQ(done.findings[0].path, "sub/crategate.yml");
  EXPECT_EQ(tip(), head);
  configuration = "crategate.yml";
  const auto commit = applied(patch).commit;
  EXPECT_EQ(commit, tip()) << "elsewhere it is a file like others";
}

/// A34
TEST_F(ApplyRegen, LeavesABranchThatMoved) {
  project.write("generated/list", "new\n");
  const auto patch = made();
  std::string other;
  before_push = [&] { other = move_branch(); };
  const auto done = apply(patch);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::conflict);
  EXPECT_EQ(exit_code(done.error().code), 50);
  EXPECT_THAT(describe(done.error()), HasSubstr(concat("branch \"fix\" of ", remote.string(), ": expected ", head)));
  EXPECT_EQ(done.error().hint, "Comment /regen again.");
  EXPECT_EQ(tip(), other);
}

TEST_F(ApplyRegen, MakesNoBranchThatWasDeleted) {
  project.write("generated/list", "new\n");
  before_push = [&] { in_remote({"update-ref", "-d", "refs/heads/fix"}); };
  EXPECT_EQ(apply(made()).error().code, ErrorCode::conflict);
  EXPECT_EQ(in_remote({"for-each-ref", "refs/heads/fix"}), "");
}

/// A33: the target's branch may be called as one of ours.
TEST_F(ApplyRegen, JudgesAForksFilesAndPushesNothing) {
  target.is_fork = true;
  target.head_repository_id = 2;
  project.write("generated/list", "new\n");
  const auto done = applied(made());
  EXPECT_THAT(done.files, ::testing::SizeIs(1));
  EXPECT_EQ(done.commit, "");
  EXPECT_EQ(transfer->pushed, 0);
  project.write(".gitattributes", "* filter=x\n");
  EXPECT_THAT(applied(made()).findings, ::testing::SizeIs(1));
}

TEST_F(ApplyRegen, WritesNothingInADryRun) {
  dry_run = true;
  project.write("generated/list", "new\n");
  const auto done = applied(made());
  EXPECT_THAT(done.files, ::testing::SizeIs(1)) << "what it would commit";
  EXPECT_EQ(done.commit, "");
  EXPECT_EQ(transfer->pushed, 0);
  EXPECT_EQ(tip(), head);
}

/// Between the push and the token that it is done with.
TEST_F(ApplyRegen, EndsWithTheProcess) {
  project.write("generated/list", "new\n");
  const auto patch = made();
  before_push = [] { sys::request_cancellation(ErrorCode::terminated); };
  const auto done = apply(patch);
  sys::reset_cancellation();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::terminated);
  EXPECT_EQ(tip(), head);
}

TEST_F(ApplyRegen, PushesNothingWithoutTheLogin) {
  project.write("generated/list", "new\n");
  login = []() -> Result<Secret> { return fail(ErrorCode::forbidden, "no token for you"); };
  EXPECT_THAT(failure(made()).message, HasSubstr("no token for you"));
}

/// A67: whatever the artifact says of itself, it is the one of this request or none.
TEST_F(ApplyRegen, TakesNoPatchOfAnotherRequest) {
  project.write("generated/list", "new\n");
  const auto patch = made();
  struct Row {
    const char* text;
    std::function<void(RegenPatch&)> change;
  };
  for (const auto& [text, change] :
       std::vector<Row>{{"pull_request: expected 7, found \"8\"", [](auto& of) { of.result.pull_request = 8; }},
                        {"sha: expected ", [](auto& of) { of.result.sha = std::string(40, '1'); }},
                        {"image: expected ", [](auto& of) { of.result.image = "evil.example/x"; }},
                        {"tree: expected ", [](auto& of) { of.result.tree = std::string(40, '2'); }}}) {
    auto other = patch;
    change(other);
    const auto error = failure(other);
    EXPECT_EQ(error.code, ErrorCode::integrity) << text;
    EXPECT_THAT(error.message, HasSubstr(text));
  }
}

TEST_F(ApplyRegen, BelievesTheTreesAndNotTheList) {
  project.write("generated/list", "new\n");
  auto patch = made();
  patch.result.files = {{"README", FileChange::added}};
  EXPECT_THAT(applied(patch).files, ElementsAre(pipeline::RegenFile{"generated/list", FileChange::modified}));
}

TEST_F(ApplyRegen, TakesNoPatchThatLeavesTheRepository) {
  auto patch = made();
  patch.bytes =
      "diff --git a/../x b/../x\nnew file mode 100644\nindex 0000000000000000000000000000000000000000.."
      "78981922613b2afb6025042ff6bd878ac1994e85\n--- /dev/null\n+++ b/../x\n@@ -0,0 +1 @@\n+a\n";
  patch.result.files = {{"x", FileChange::added}};
  const auto error = failure(patch);
  EXPECT_EQ(error.code, ErrorCode::bad_input);
  EXPECT_THAT(describe(error), HasSubstr("../x"));
}

// --- what generate has left ------------------------------------------------------------------------------------------

class ReadRegenPatch : public ApplyRegen {
 protected:
  Result<std::optional<RegenPatch>> read() { return read_regen_patch(project.workspace, settings, project.files); }
  void leave(const RegenPatch& patch) {
    project.write(".crategate/regen/regen.json", pipeline::to_json(patch.result));
    project.write(".crategate/regen/regen.patch", patch.bytes);
  }
};

TEST_F(ReadRegenPatch, IsWhatWasLeft) {
  project.write("generated/list", "new\n");
  const auto patch = made();
  leave(patch);
  const auto found = read();
  ASSERT_TRUE(found && *found) << (found ? "" : describe(found.error()));
  EXPECT_EQ((*found)->result, patch.result);
  EXPECT_EQ((*found)->bytes, patch.bytes);
}

/// The caller fails then: whatever `generate` did, it has left nothing.
TEST_F(ReadRegenPatch, IsAbsentWhereNothingOrNothingAnyMoreIsThere) {
  EXPECT_EQ(read().value(), std::nullopt);
  project.write(".crategate/regen/regen.json", "");
  project.write(".crategate/regen/regen.patch", "a patch of an earlier run");
  EXPECT_EQ(read().value(), std::nullopt);
}

TEST_F(ReadRegenPatch, RefusesAnotherPatch) {
  project.write("generated/list", "new\n");
  auto patch = made();
  patch.bytes += "x";
  leave(patch);
  EXPECT_EQ(read().error().code, ErrorCode::integrity);
  fs::remove(project / ".crategate/regen/regen.patch");
  EXPECT_EQ(read().error().code, ErrorCode::integrity) << "and none at all";
}

TEST_F(ReadRegenPatch, FollowsNoLink) {
  project.write("generated/list", "new\n");
  leave(made());
  project.directory.write("elsewhere", project.read(".crategate/regen/regen.json"));
  project.link(project.directory / "elsewhere", ".crategate/regen/regen.json");
  EXPECT_FALSE(read());
}

}  // namespace
}  // namespace crategate::stages
