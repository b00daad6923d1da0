// The same promises, kept with files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "actions/folder_artifact_store.h"
#include "base/sha256.h"
#include "base/strings.h"
#include "support/fakes.h"
#include "support/test_directory.h"

namespace crategate::actions {
namespace {

using testing::HasSubstr;

struct Folder {
  explicit Folder(std::string job = "job-1")
      : store(files, clock, directory.path(), ".crategate/artifacts", {"r", job}) {}

  Result<Artifact> upload(const std::string& name, const std::string& bytes, bool overwrite = false) {
    return store.upload(
        {.name = name, .content = [bytes](const net::BodySink& sink) { return sink(bytes); }, .overwrite = overwrite});
  }
  Result<std::string> download(const Artifact& artifact) {
    std::string received;
    CG_CHECK(store.download(artifact, [&](std::string_view bytes) -> Result<void> {
      received += bytes;
      return {};
    }));
    return received;
  }
  std::vector<std::string> entries() { return files.list(directory / ".crategate/artifacts").value(); }

  test::TestDirectory directory;
  test::FakeClock clock;
  sys::PosixFileSystem files;
  FolderArtifactStore store;
};

TEST(FolderArtifacts, AreStoredListedReadAndRemoved) {
  Folder folder;
  EXPECT_TRUE(folder.store.list(std::nullopt).value().empty());
  for (const char* name : {"a", "..", ".hidden", "50% of ä", "a.json"}) {
    const std::string bytes = concat("bytes of ", name);
    const auto uploaded = folder.upload(name, bytes);
    ASSERT_TRUE(uploaded) << name << ": " << describe(uploaded.error());
    EXPECT_EQ(uploaded->size, bytes.size());
    EXPECT_EQ(uploaded->digest, concat("sha256:", sha256_hex(bytes)));
    const auto found = folder.store.list(name);
    ASSERT_TRUE(found) << describe(found.error());
    ASSERT_EQ(found->size(), 1u);
    EXPECT_EQ(found->front(), *uploaded);
    EXPECT_EQ(folder.download(*uploaded).value(), bytes);
    EXPECT_EQ(folder.store.read_tail(*uploaded, 5).value(), bytes.substr(bytes.size() - 5));
    EXPECT_EQ(folder.store.read_tail(*uploaded, 500).value(), bytes);
    folder.clock.advance(std::chrono::seconds(1));
  }
  EXPECT_EQ(folder.store.list(std::nullopt)->size(), 5u);
  EXPECT_EQ(folder.store.list(std::nullopt)->front().name, "a.json") << "the newest first";
  EXPECT_TRUE(folder.store.remove("..").value());
  EXPECT_FALSE(folder.store.remove("..").value());
  EXPECT_EQ(folder.entries().size(), 4u) << "nothing else is left";
  EXPECT_TRUE(folder.directory.exists(".crategate/artifacts"));
}

TEST(FolderArtifacts, KeepTheirNames) {
  Folder folder;
  ASSERT_TRUE(folder.upload("a", "first"));
  const auto refused = folder.upload("a", "second");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::artifact_service);
  EXPECT_THAT(describe(refused.error()), HasSubstr("job-1"));
  int asked = 0;
  const auto replaced = folder.store.upload({.name = "a",
                                             .content = [](const net::BodySink& sink) { return sink("third"); },
                                             .may_replace = [&](const Artifact& existing) -> Result<bool> {
                                               ++asked;
                                               return existing.job_backend_id == "job-1";
                                             }});
  ASSERT_TRUE(replaced) << describe(replaced.error());
  EXPECT_GE(asked, 1);
  EXPECT_EQ(folder.download(*replaced).value(), "third");
  ASSERT_TRUE(folder.upload("a", "fourth", true));
  EXPECT_EQ(folder.entries(), std::vector<std::string>{"a"});
  EXPECT_FALSE(folder.upload("a/b", "x"));
}

TEST(FolderArtifacts, AppearWholeOrNotAtAll) {
  Folder folder;
  const auto failed = folder.store.upload({.name = "a", .content = [&](const net::BodySink& sink) -> Result<void> {
                                             CG_CHECK(sink("half"));
                                             EXPECT_TRUE(folder.store.list("a").value().empty());
                                             EXPECT_TRUE(folder.store.list(std::nullopt).value().empty());
                                             return fail(ErrorCode::internal, "no more");
                                           }});
  ASSERT_FALSE(failed);
  EXPECT_TRUE(folder.entries().empty());
}

TEST(FolderArtifacts, ThatTwoUploadAtATimeAreOneOfThem) {
  Folder folder;
  const auto second = [&](const net::BodySink& sink) -> Result<void> {
    CG_CHECK(sink("late"));
    EXPECT_TRUE(folder.upload("a", "early"));
    return {};
  };
  const auto refused = folder.store.upload({.name = "a", .content = second});
  ASSERT_FALSE(refused);
  EXPECT_EQ(folder.download(folder.store.list("a")->front()).value(), "early");
  EXPECT_EQ(folder.entries(), std::vector<std::string>{"a"});
}

/// A66
TEST(FolderArtifacts, ThatWereChangedAreRefusedA66) {
  Folder folder;
  const Artifact artifact = folder.upload("a", "bytes").value();
  folder.directory.write(".crategate/artifacts/a/content", "bytez");
  const auto refused = folder.download(artifact);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::integrity);
  folder.directory.write(".crategate/artifacts/a/entry.json", "{");
  EXPECT_EQ(folder.store.list("a").error().code, ErrorCode::integrity);
}

TEST(FolderArtifacts, FollowNoLinkOutOfTheProject) {
  Folder folder;
  const test::TestDirectory outside;
  std::filesystem::create_directories(folder.directory / ".crategate");
  std::filesystem::create_directory_symlink(outside.path(), folder.directory / ".crategate/artifacts");
  EXPECT_FALSE(folder.upload("a", "bytes"));
  EXPECT_TRUE(std::filesystem::is_empty(outside.path()));
}

}  // namespace
}  // namespace crategate::actions
