// What a commit of `/regen` may change (A35): one table for paths and kinds, one for names that collide.
#include "pipeline/regen_policy.h"

#include <gmock/gmock.h>

#include "base/strings.h"

namespace crategate::pipeline {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr auto kFile = EntryMode::file;
const DecidingFiles kDeciding{.configuration = "ci/Release File.yml", .of_image = {"ci/Tools.Dockerfile", "Makefile"}};

TreeChange changed(const std::string& path) { return {path, kFile, kFile, 10}; }
TreeChange added(const std::string& path, EntryMode mode = kFile) { return {path, std::nullopt, mode, 10}; }
TreeChange deleted(const std::string& path, EntryMode mode = kFile) { return {path, mode, std::nullopt, 0}; }

/// The ids, in the order of the changes; "" for none.
std::string ids(const std::vector<TreeChange>& changes, const std::vector<std::string>& paths = {},
                const config::Regen& regen = {}) {
  std::vector<std::string> ids;
  for (const auto& finding : judge_regen(changes, paths, regen, kDeciding)) {
    EXPECT_EQ(neutralise(finding.text), finding.text);
    EXPECT_TRUE(is_valid_utf8(finding.text));
    ids.emplace_back(to_string(finding.refusal));
  }
  return join(ids, " ");
}

TEST(RegenPolicy, JudgesEachChangeByItsPath) {
  const struct {
    std::string path, id;
  } rows[] = {
      // Whatever a project generates.
      {"a", ""},
      {"src/generated/api.pb.cc", ""},
      {"docs/What is this?.md", ""},
      {"uv.lock", ""},
      {".env.example", ""},
      {"a/.gitkeep", ""},
      {"dist/.vite/manifest.json", ""},
      {"caf\xC3\xA9/\xE6\x97\xA5\xE6\x9C\xAC.txt", ""},
      {"git/x", ""},
      {"github/x", ""},
      {"x.github", ""},
      {"x.git", ""},
      {"console.txt", ""},
      {"com10", ""},
      {"common/lpt", ""},
      {"nul_test.c", ""},
      {"a~b", ""},
      {"backup~1.tar.gz", ""},
      {"sub/crategate.yml", ""},
      {"other/CODEOWNERS", ""},
      {"-rf", ""},
      {std::string(255, 'x'), ""},
      // GitHub's and git's own, however they are spelled.
      {"ci/Tools.Dockerfile", "protected-path"},
      {"CI/tools.dockerfile", "protected-path"},
      {"Makefile", "protected-path"},
      {"ci/Makefile", ""},
      {".github/workflows/ci.yml", "protected-path"},
      {".github", "protected-path"},
      {".GitHub/workflows/ci.yml", "protected-path"},
      {".GITHUB/x", "protected-path"},
      {"packages/a/.github/x", "protected-path"},
      {".gitattributes", "protected-path"},
      {"deep/down/.gitattributes", "protected-path"},
      {".GITATTRIBUTES", "protected-path"},
      {".gitmodules", "protected-path"},
      {".GitModules", "protected-path"},
      {".gitignore", "protected-path"},
      {".gitconfig", "protected-path"},
      {".git/config", "protected-path"},
      {"a/.git/hooks/pre-push", "protected-path"},
      {".gitlab-ci.yml", "protected-path"},
      {".g\xC4\xB1thub/x", "protected-path"},                            // dotless i
      {".gitattribute\xC5\xBF", "protected-path"},                       // long s
      {".gitmodule\xC5\xBF", "protected-path"},                          //
      {"\xEF\xBC\x8Egithub/x", "protected-path"},                        // dot of full width
      {".\xEF\xBD\x87\xEF\xBD\x89\xEF\xBD\x94hub/x", "protected-path"},  // letters of full width
      {".github\xE2\x80\x8C/x", "unsafe-path"},                          // zero width
      {".gi\xC2\xADthub/x", "unsafe-path"},                              // soft hyphen
      {"\xEF\xBB\xBF.gitattributes", "unsafe-path"},                     // byte order mark
      {".github./x", "unsafe-path"},
      {".github /x", "unsafe-path"},
      {".github::$INDEX_ALLOCATION/x", "unsafe-path"},
      {".gitattributes:x", "unsafe-path"},
      {".github\\workflows\\ci.yml", "unsafe-path"},
      {"GITHUB~1/workflows/ci.yml", "unsafe-path"},
      {"GITATT~1", "unsafe-path"},
      {"GI7D29~1", "unsafe-path"},
      {"GIT~1/config", "unsafe-path"},
      {"git~1", "unsafe-path"},
      // What decides about this, and who must approve.
      {"crategate.yml", "protected-path"},
      {"CrateGate.YML", "protected-path"},
      {"CRATEG~1.YML", "unsafe-path"},
      {"crategate.yml.", "unsafe-path"},
      {"crategate.yml:stream", "unsafe-path"},
      {"\xEF\xBD\x83rategate.yml", "protected-path"},
      {"ci/Release File.yml", "protected-path"},
      {"CI/release file.yml", "protected-path"},
      {"ci/release \xEF\xBC\xA6ile.yml", "protected-path"},
      {"ci/other.yml", ""},
      {"CODEOWNERS", "protected-path"},
      {"docs/codeowners", "protected-path"},
      // Paths that are none, or are others elsewhere.
      {"", "unsafe-path"},
      {"/etc/passwd", "unsafe-path"},
      {"../x", "unsafe-path"},
      {"a/../../x", "unsafe-path"},
      {"a/./b", "unsafe-path"},
      {"a//b", "unsafe-path"},
      {"a/", "unsafe-path"},
      {"a\nb", "unsafe-path"},
      {"a\x1b[31mb", "unsafe-path"},
      {"a\x7f", "unsafe-path"},
      {"a\xC2\x9B", "unsafe-path"},
      {std::string("a\0b", 3), "unsafe-path"},
      {"\xFF", "unsafe-path"},
      {"a\xC0\xAF", "unsafe-path"},
      {"a\xED\xA0\x80", "unsafe-path"},
      {"x\xE2\x80\xAEgpj.exe", "unsafe-path"},
      {"x\xE2\x81\xA6y", "unsafe-path"},
      {"C:/Windows", "unsafe-path"},
      {"a\\b", "unsafe-path"},
      {"con", "unsafe-path"},
      {"a/NUL", "unsafe-path"},
      {"aux.h", "unsafe-path"},
      {"Com1.tar.gz", "unsafe-path"},
      {"lpt\xC2\xB9", "unsafe-path"},
      {"CONIN$", "unsafe-path"},
      {"prn .txt", "unsafe-path"},
      {"a./b", "unsafe-path"},
      {"a ", "unsafe-path"},
      {std::string(256, 'x'), "unsafe-path"},
      {join(std::vector<std::string>(64, "x"), "/"), ""},
      {join(std::vector<std::string>(65, "x"), "/"), "unsafe-path"},
      {join(std::vector<std::string>(20, std::string(250, 'x')), "/"), "unsafe-path"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(quoted(row.path));
    EXPECT_EQ(ids({changed(row.path)}), row.id);
    EXPECT_EQ(ids({added(row.path)}), row.id);
    EXPECT_EQ(ids({deleted(row.path)}), row.id) << "what may not be changed may not go";
  }
}

TEST(RegenPolicy, JudgesEachChangeByItsKind) {
  const std::optional<EntryMode> none, file = kFile, run = EntryMode::executable, link = EntryMode::symlink,
                                       module = EntryMode::submodule;
  const struct {
    std::optional<EntryMode> before, after;
    std::string id;
  } rows[] = {{none, file, ""},
              {none, run, ""},
              {file, file, ""},
              {run, run, ""},
              {file, none, ""},
              {run, none, ""},
              {file, run, "mode-change"},
              {run, file, "mode-change"},
              {none, link, "not-a-regular-file"},
              {none, module, "not-a-regular-file"},
              {link, none, "not-a-regular-file"},
              {module, none, "not-a-regular-file"},
              {link, link, "not-a-regular-file"},
              {module, module, "not-a-regular-file"},
              {file, link, "not-a-regular-file"},
              {link, file, "not-a-regular-file"},
              {file, module, "not-a-regular-file"},
              {module, file, "not-a-regular-file"},
              {link, module, "not-a-regular-file"}};
  for (const auto& row : rows) {
    EXPECT_EQ(ids({{"x", row.before, row.after, 1}}), row.id);
    EXPECT_EQ(ids({{".github/x", row.before, row.after, 1}}), "protected-path") << "the path comes first";
  }
}

TEST(RegenPolicy, AllowsWhatThePatternsName) {
  config::Regen regen;
  regen.allow = {"gen/**", "*.lock", ".github/**", "crategate.yml"};
  const struct {
    std::string path, id;
  } rows[] = {{"gen/a/b.cc", ""},
              {"x.lock", ""},
              {"Gen/a", "outside-allow"},
              {"gen", "outside-allow"},
              {"gene/a", "outside-allow"},
              {"a/gen/b", "outside-allow"},
              {"a/x.lock", "outside-allow"},
              {"gen/../x", "unsafe-path"},
              {"gen/.github/x", "protected-path"},
              {".github/workflows/ci.yml", "protected-path"},
              {"crategate.yml", "protected-path"}};
  for (const auto& row : rows) EXPECT_EQ(ids({changed(row.path)}, {}, regen), row.id) << row.path;
}

TEST(RegenPolicy, NewNamesStayApartFromAllOthers) {
  const struct {
    std::string name, path;
    std::vector<std::string> others;
    std::string id;
  } rows[] = {{"another file", "readme", {"README2", "docs/readme"}, ""},
              {"the same file", "a/b", {"a/b", "a/c"}, ""},
              {"case", "readme", {"README"}, "case-collision"},
              {"case of a folder", "Docs/x", {"docs/y"}, "case-collision"},
              {"case deep down", "a/B/c", {"a/b/d"}, "case-collision"},
              {"case above", "A/b/c", {"a/b/d"}, "case-collision"},
              {"a folder and a file", "Link/x", {"link"}, "case-collision"},
              {"a file and a folder", "Docs", {"docs/x"}, "case-collision"},
              {"umlauts", "\xC3\x84", {"\xC3\xA4"}, "case-collision"},
              {"composed and apart", "e\xCC\x81", {"\xC3\xA9"}, "case-collision"},
              {"an accent makes another", "\xC3\xA9", {"e"}, ""},
              {"Greek", "\xCE\xA9", {"\xCF\x89"}, "case-collision"},
              {"full width", "\xEF\xBC\xA1", {"a"}, "case-collision"},
              {"zero width in another",
               "ab",
               {"a\xE2\x80\x8C"
                "b"},
               "case-collision"},
              {"a dot at the end of another", "a/b", {"A./c"}, "case-collision"}};
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(ids({added(row.path)}, row.others), row.id);
    EXPECT_EQ(ids({changed(row.path)}, row.others), "") << "it stood beside that before";
  }
  EXPECT_EQ(ids({added("a"), added("A")}), "case-collision case-collision");
  EXPECT_EQ(ids({added("a"), deleted("A")}), "") << "the other one goes";
}

TEST(RegenPolicy, CountsFilesAndBytes) {
  config::Regen regen;
  regen.max_files = 2;
  regen.max_mib = 1;
  EXPECT_EQ(ids({changed("a"), added("b")}, {}, regen), "");
  EXPECT_EQ(ids({changed("a"), added("b"), deleted("c")}, {}, regen), "too-many-files");
  EXPECT_EQ(ids({changed("a"), added("b"), deleted(".github/x")}, {}, regen), "too-many-files")
      << "nothing else is said";
  const auto sized = [](const std::string& path, std::uint64_t size) { return TreeChange{path, kFile, kFile, size}; };
  EXPECT_EQ(ids({sized("a", 1u << 19), sized("b", 1u << 19)}, {}, regen), "");
  EXPECT_EQ(ids({sized("a", 1u << 19), sized("b", (1u << 19) + 1)}, {}, regen), "too-large");
  EXPECT_EQ(ids({sized("a", ~0ULL), sized("b", ~0ULL)}, {}, regen), "too-large");
  EXPECT_EQ(ids({sized(".git/a", ~0ULL)}, {}, regen), "protected-path too-large");
}

TEST(RegenPolicy, ProtectsWhatTheImageIsBuiltFromInAFolderAndOutsideOfIt) {
  const config::CiImage image{.image = {}, .dockerfile = {}, .workflow = {}, .watch = {"ci.Dockerfile", "lib/x"}};
  const auto top = deciding_files(image, "crategate.yml", "");
  EXPECT_EQ(top.configuration, "crategate.yml");
  EXPECT_THAT(top.of_image, ElementsAre("ci.Dockerfile", "lib/x"));
  const auto below = deciding_files(image, "crategate.yml", "app/");
  EXPECT_EQ(below.configuration, "app/crategate.yml");
  EXPECT_THAT(below.of_image, ElementsAre("ci.Dockerfile", "lib/x", "app/ci.Dockerfile", "app/lib/x"));
}

TEST(RegenPolicy, SaysWhatAndWhy) {
  const auto findings =
      judge_regen({{"x\n::error::y", kFile, kFile, 1}, {"l", std::nullopt, EntryMode::symlink, 1}}, {}, {}, kDeciding);
  ASSERT_EQ(findings.size(), 2u);
  EXPECT_EQ(findings[0].path, "x\n::error::y");
  EXPECT_EQ(findings[0].text, R"("x\n::error::y" has a control character)");
  EXPECT_EQ(findings[1].text, R"("l" is a symbolic link)");
  EXPECT_EQ(judge_regen({added("##[error]", EntryMode::symlink)}, {}, {}, {}).front().text,
            R"("## [error]" is a symbolic link)");
  EXPECT_THAT(judge_regen({added("a")}, {"A"}, {}, {}).front().text, HasSubstr(R"("a" and "A" are one name)"));
  EXPECT_THAT(judge_regen({}, {"x"}, {}, {}), IsEmpty());
}

TEST(RegenPolicy, LargeTreesAreJudgedQuickly) {
  std::vector<TreeChange> changes;
  std::vector<std::string> paths;
  for (int i = 0; i < 1000; ++i) changes.push_back(added(concat("gen/", i, "/a/b/c/d/e")));
  for (int i = 0; i < 200'000; ++i) paths.push_back(concat("src/module", i % 100, "/folder/file", i, ".cc"));
  EXPECT_EQ(ids(changes, paths), "");
}

TEST(RegenPolicy, ReasonsAreDistinct) {
  std::vector<std::string_view> names;
  for (const auto refusal : kRegenRefusals) names.push_back(to_string(refusal));
  EXPECT_THAT(names, ElementsAre("unsafe-path", "protected-path", "not-a-regular-file", "mode-change", "outside-allow",
                                 "case-collision", "too-many-files", "too-large"));
}

}  // namespace
}  // namespace crategate::pipeline
