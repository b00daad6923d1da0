// artifact upload, download, list on real files, through a real store in a folder.
#include "stages/artifact.h"

#include <gmock/gmock.h>

#include <filesystem>

#include "actions/folder_artifact_store.h"
#include "base/strings.h"
#include "stages/artifact_archive.h"
#include "support/fakes.h"
#include "support/test_directory.h"
#include "sys/file_system.h"

namespace crategate::stages {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ArtifactStage : public ::testing::Test {
 protected:
  ArtifactStage() {
    directory.write("logs/a.txt", "a");
    directory.write("logs/deep/b.txt", "bb");
    directory.write("logs/.hidden", "h");
  }
  ArtifactInputs inputs() const { return {.request = request, .settings = settings, .directory = directory.path()}; }
  ArtifactSource source() {
    return {
        .list =
            [this](const std::string& name) { return store.list(name.empty() ? std::nullopt : std::optional(name)); },
        .download = [this](const actions::Artifact& artifact, const net::BodySink& sink) -> Result<Fetched> {
          CG_CHECK(store.download(artifact, sink));
          return Fetched{content_type, true};
        }};
  }
  Result<UploadOutcome> upload(std::string name, std::vector<std::string> paths) {
    request.name = std::move(name);
    request.paths = std::move(paths);
    return run_artifact_upload(inputs(), store, {.run = "7", .attempt = "1", .job = "j"});
  }
  Result<std::vector<DownloadedArtifact>> download(std::string name, std::vector<std::string> paths) {
    request.name = std::move(name);
    request.paths = std::move(paths);
    return run_artifact_download(inputs(), source(), files);
  }

  test::TestDirectory directory, shared;
  sys::PosixFileSystem files;
  test::FakeClock clock;
  actions::FolderArtifactStore store{files, clock, shared.path(), "artifacts", {"R", "J"}};
  config::ArtifactRequest request;
  config::Artifacts settings;
  std::string content_type = "application/zip";
};

TEST_F(ArtifactStage, BringsAFolderBack) {
  const auto uploaded = upload("logs", {"logs"});
  ASSERT_TRUE(uploaded) << describe(uploaded.error());
  EXPECT_TRUE(uploaded->uploaded);
  EXPECT_EQ(uploaded->files, 2u);
  EXPECT_EQ(uploaded->content, 3u);
  const auto downloaded = download("logs", {"copy"});
  ASSERT_TRUE(downloaded) << describe(downloaded.error());
  EXPECT_EQ(directory.read("copy/a.txt"), "a");
  EXPECT_EQ(directory.read("copy/deep/b.txt"), "bb");
  EXPECT_FALSE(directory.exists("copy/.hidden"));
}

TEST_F(ArtifactStage, TakesHiddenFilesWhenAsked) {
  request.include_hidden_files = true;
  ASSERT_TRUE(upload("logs", {"logs"}));
  ASSERT_TRUE(download("logs", {"copy"}));
  EXPECT_EQ(directory.read("copy/.hidden"), "h");
}

TEST_F(ArtifactStage, UploadsNothingOnlyWhereThatIsAllowed) {
  const auto refused = upload("logs", {"none/**"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::bad_input);
  EXPECT_THAT(refused.error().message, HasSubstr("none/**"));
  for (const char* word : {"warn", "ignore"}) {
    request.if_no_files_found = word;
    const auto allowed = upload("logs", {"none/**"});
    ASSERT_TRUE(allowed) << word;
    EXPECT_FALSE(allowed->uploaded);
  }
  EXPECT_TRUE(store.list(std::nullopt)->empty());
}

TEST_F(ArtifactStage, RefusesWhatIsNotSaid) {
  EXPECT_THAT(upload("", {"logs"}).error().message, HasSubstr("expected a name"));
  EXPECT_THAT(upload("logs", {}).error().message, HasSubstr("expected paths"));
  EXPECT_EQ(upload("a/b", {"logs"}).error().code, ErrorCode::bad_input);
  EXPECT_EQ(download("logs", {"a", "b"}).error().code, ErrorCode::bad_input);
}

TEST_F(ArtifactStage, NamesWhatThereIsWhenANameIsNotThere) {
  ASSERT_TRUE(upload("logs", {"logs"}));
  const auto missing = download("log", {"copy"});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::not_found);
  EXPECT_THAT(missing.error().message, HasSubstr("there are \"logs\""));
  EXPECT_FALSE(directory.exists("copy"));
}

TEST_F(ArtifactStage, GivesEachOfSeveralItsFolder) {
  ASSERT_TRUE(upload("logs-a", {"logs/a.txt"}));
  ASSERT_TRUE(upload("logs-b", {"logs/deep"}));
  ASSERT_TRUE(upload("other", {"logs/a.txt"}));
  request.pattern = "logs-*";
  const auto downloaded = download("", {"copy"});
  ASSERT_TRUE(downloaded) << describe(downloaded.error());
  EXPECT_EQ(downloaded->size(), 2u);
  EXPECT_EQ(directory.read("copy/logs-a/a.txt"), "a");
  EXPECT_EQ(directory.read("copy/logs-b/b.txt"), "bb");
  request.merge_multiple = true;
  ASSERT_TRUE(download("", {"merged"}));
  EXPECT_EQ(directory.read("merged/a.txt"), "a");
  EXPECT_EQ(directory.read("merged/b.txt"), "bb");
}

TEST_F(ArtifactStage, ReplacesFilesOnlyWhenAsked) {
  ASSERT_TRUE(upload("logs", {"logs"}));
  directory.write("copy/a.txt", "mine");
  const auto refused = download("logs", {"copy"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::bad_input);
  EXPECT_EQ(directory.read("copy/a.txt"), "mine");
  EXPECT_FALSE(directory.exists("copy/deep"));
  request.overwrite = true;
  ASSERT_TRUE(download("logs", {"copy"}));
  EXPECT_EQ(directory.read("copy/a.txt"), "a");
}

TEST_F(ArtifactStage, KeepsAPlainFileUnderItsName) {
  const auto plain =
      store.upload({.name = "report.html", .content = [](const net::BodySink& sink) { return sink("<p>x</p>"); }});
  ASSERT_TRUE(plain);
  content_type = "text/html; charset=utf-8";
  // As the official client names types of files: none of these is an archive of ours.
  for (const char* type :
       {"text/html; charset=utf-8", "application/octet-stream", "application/gzip", "APPLICATION/JSON"}) {
    content_type = type;
    request.overwrite = true;
    const auto downloaded = download("report.html", {"copy"});
    ASSERT_TRUE(downloaded) << type << ": " << describe(downloaded.error());
    EXPECT_EQ(directory.read("copy/report.html"), "<p>x</p>");
  }
  request.overwrite = false;
  EXPECT_FALSE(download("report.html", {"copy"}));
}

TEST_F(ArtifactStage, ListsTheNewestOfEachName) {
  ASSERT_TRUE(upload("b", {"logs/a.txt"}));
  ASSERT_TRUE(upload("a", {"logs/a.txt"}));
  const auto names = [&](const config::ArtifactRequest& wanted) {
    std::vector<std::string> found;
    const auto artifacts = find_artifacts(wanted, source());
    for (const auto& artifact : *artifacts) found.push_back(artifact.name);
    return found;
  };
  EXPECT_THAT(names({}), ElementsAre("a", "b"));
  EXPECT_THAT(names({.name = "b"}), ElementsAre("b"));
  EXPECT_THAT(names({.pattern = "[a]"}), ElementsAre());
  EXPECT_THAT(names({.pattern = "?"}), ElementsAre("a", "b"));
}

TEST_F(ArtifactStage, JudgesAllNamesBeforeItWritesTheFirstFile) {
  ASSERT_TRUE(upload("a", {"logs/a.txt"}));
  ASSERT_TRUE(store.upload({.name = "..", .content = [](const net::BodySink& sink) { return sink("PK"); }}));
  const auto all = download("", {"copy"});
  ASSERT_FALSE(all);
  EXPECT_EQ(all.error().code, ErrorCode::bad_input);
  EXPECT_THAT(all.error().message, HasSubstr("\"..\""));
  EXPECT_FALSE(directory.exists("copy"));
  EXPECT_EQ(upload("..", {"logs"}).error().code, ErrorCode::bad_input);
}

TEST_F(ArtifactStage, DoesNotWriteAPlainFileWhereItsNameLeads) {
  content_type = "text/plain";
  request.merge_multiple = true;
  for (const std::string& name : {std::string("../out"), (directory / "out").string(), std::string("..")}) {
    const ArtifactSource hostile{
        .list = [&](const std::string&) -> Result<std::vector<actions::Artifact>> {
          return std::vector<actions::Artifact>{{.name = name, .id = 1}};
        },
        .download = [](const actions::Artifact&, const net::BodySink& sink) -> Result<Fetched> {
          CG_CHECK(sink("x"));
          return Fetched{"text/plain", false};
        }};
    request.paths = {"copy"};
    const auto downloaded = run_artifact_download(inputs(), hostile, files);
    ASSERT_FALSE(downloaded) << name;
    EXPECT_EQ(downloaded.error().code, ErrorCode::integrity) << name;
    EXPECT_FALSE(directory.exists("out"));
  }
}

TEST_F(ArtifactStage, RefusesContradictions) {
  ASSERT_TRUE(upload("a", {"logs/a.txt"}));
  request.pattern = "b*";
  EXPECT_THAT(download("a", {"copy"}).error().message, HasSubstr("a name or a pattern"));
  request.pattern.clear();
  request.run_id = "5";
  EXPECT_THAT(upload("a", {"logs"}).error().message, HasSubstr("--run-id"));
}

TEST_F(ArtifactStage, KeepsTheOldArtifactWhenANewFileCannotBeRead) {
  ASSERT_TRUE(upload("a", {"logs/a.txt"}));
  const auto before = store.list("a")->front().digest;
  const auto changing = upload_archive({.name = "a",
                                        .members = {{.name = "gone", .source = directory / "gone", .size = 1}},
                                        .overwrite = true,
                                        .taken_hint = {}},
                                       store, {});
  ASSERT_FALSE(changing);
  EXPECT_EQ(store.list("a")->front().digest, before);
}

TEST_F(ArtifactStage, LeavesNothingBehindALinkToAFolder) {
  ASSERT_TRUE(upload("logs", {"logs"}));
  directory.write("real/mine", "m");
  std::filesystem::create_directory_symlink(directory / "real", directory / "link");
  const auto downloaded = download("logs", {"link"});
  ASSERT_TRUE(downloaded) << describe(downloaded.error());
  EXPECT_THAT(*files.list(directory / "real"), ElementsAre("a.txt", "deep", "mine"));
}

TEST_F(ArtifactStage, ADryRunMovesNothing) {
  ArtifactInputs dry = inputs();
  dry.list_only = true;
  request.name = "logs";
  request.paths = {"logs"};
  const auto uploaded = run_artifact_upload(dry, store, {});
  ASSERT_TRUE(uploaded);
  EXPECT_FALSE(uploaded->uploaded);
  EXPECT_EQ(uploaded->files, 2u);
  EXPECT_TRUE(store.list(std::nullopt)->empty());
}

TEST_F(ArtifactStage, LeavesTheStoreItselfOut) {
  directory.write("logs/store/old", "x");
  ArtifactInputs in = inputs();
  in.leave_out = "logs/store";
  request.name = "logs";
  request.paths = {"logs"};
  EXPECT_EQ(run_artifact_upload(in, store, {})->files, 2u);
}

}  // namespace
}  // namespace crategate::stages
