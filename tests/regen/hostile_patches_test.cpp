// Patches of strangers (A35): each is refused, by the error or the policy's id that stands beside it.
#include <gmock/gmock.h>

#include <chrono>

#include "base/strings.h"
#include "regen/patch_scene.h"
#include "support/peak_memory.h"

namespace crategate::test {
namespace {

using ::testing::HasSubstr;

struct Row {
  std::string name, patch, outcome;  ///< outcome: a part of it
};

class HostilePatches : public ::testing::Test {
 protected:
  /// Every row is refused as it says, and soon.
  void judge(const std::vector<Row>& rows) const {
    for (const Row& row : rows) {
      SCOPED_TRACE(row.name);
      const auto began = std::chrono::steady_clock::now();
      EXPECT_THAT(scene.outcome(row.patch), HasSubstr(row.outcome)) << row.patch.substr(0, 500);
      EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(20));
    }
    EXPECT_EQ(scene.repository.git({"rev-parse", "refs/heads/made^{tree}"}).size(), 40u);
  }

  PatchScene scene;
  /// One hunk in the middle of a text, as we write it.
  const std::string text = scene.change("a.txt", {with(numbered_lines(0, 40), "line 20\n", "changed\n")});
  const std::string binary = scene.change("bin", {binary_content() + "more"});
  const std::string x_changed = scene.change("x", {"y\n"});
};

TEST_F(HostilePatches, PathsThatLeaveOrAreGits) {
  judge({{"the repository's configuration", new_file(".git/config"), "git's own"},
         {"capitals", new_file(".GIT/config"), "git's own"},
         {"mixed", new_file(".Git/hooks/pre-push"), "git's own"},
         {"further down", new_file("dir/.git/config"), "git's own"},
         {"a file of that name", new_file(".git"), "git's own"},
         {"a dot behind", new_file(".git./config"), "git's own"},
         {"a blank behind", quoted_new_file(".git /config"), "git's own"},
         {"a stream", new_file(".git::$INDEX_ALLOCATION/config"), "git's own"},
         {"the short name", new_file("GIT~1/config"), "git's own"},
         {"an escape", quoted_new_file(".g\\151t/config"), "git's own"},
         {"zero width", quoted_new_file(".g\\342\\200\\214it/config"), "git's own"},
         {"zero width, as it is", new_file(".git\xE2\x80\x8D/config"), "git's own"},
         {"a backslash", quoted_new_file("dir\\\\.git\\\\config"), "git's own"},
         {"above", new_file("../x"), R"(component "..")"},
         {"above, in the middle", new_file("dir/../../x"), R"(component "..")"},
         {"above, escaped", quoted_new_file("\\056\\056/x"), R"(component "..")"},
         {"here", new_file("./x"), R"(component ".")"},
         {"here, at the end", new_file("dir/."), R"(component ".")"},
         {"a folder", new_file("dir/new/"), "empty component"},
         {"absolute", new_file("/etc/passwd"), "line 1: expected \"diff --git"},
         {"two slashes", new_file("dir//b"), "line 1: expected \"diff --git"},
         {"absolute, escaped", quoted_new_file("\\057etc/passwd"), "line 1"},
         {"no prefix", with(new_file("n"), "a/n", "n"), "line 1"},
         {"another prefix", replace_all(replace_all(new_file("n"), "a/n", "c/n"), "b/n", "d/n"), "line 1"},
         {"prefixes swapped", "diff --git b/n a/n\n", "line 1"},
         {"too deep a prefix", with(new_file("n"), "+++ b/n", "+++ b/b/n"), "mismatched new path"},
         {"only a prefix", new_file(""), "the patch"},
         {"a long one", new_file(std::string(5000, 'p')), "has 5000 bytes"},
         {"an escaped NUL", quoted_new_file("n\\000.txt"), "line 1"},
         {"half an escape", quoted_new_file("n\\"), "the patch"},
         {"no escape", quoted_new_file("n\\q"), "the patch"},
         {"octal beyond a byte", quoted_new_file("n\\777"), "the patch"},
         {"half octal", quoted_new_file("n\\12"), "the patch"},
         {"open quotes", with(quoted_new_file("n"), "a/n\"", "a/n"), "the patch"}});
}

TEST_F(HostilePatches, PathsOfThePolicy) {
  scene.regen.max_mib = 1;
  RepositoryFiles without_link = scene.files, without_attributes = scene.files;
  without_link.erase("link");
  without_attributes.erase(".gitattributes");
  judge({{"a workflow", new_file(".github/workflows/evil.yml"), "protected-path"},
         {"a workflow's change", scene.change(".github/workflows/ci.yml", {"on: issue_comment\n"}), "protected-path"},
         {"a workflow, in capitals", new_file(".GitHub/workflows/evil.yml"), "protected-path"},
         {"a workflow, by dotless i", quoted_new_file(".g\\304\\261thub/x"), "protected-path"},
         {"a workflow, by its short name", new_file("GITHUB~1/x"), "unsafe-path"},
         {"a workflow, by a backslash", quoted_new_file(".github\\\\workflows\\\\x.yml"), "unsafe-path"},
         {"attributes", scene.change(".gitattributes", {"* filter=x\n"}), "protected-path"},
         {"attributes go", scene.patch_to(without_attributes), "protected-path"},
         {"attributes further down", new_file("dir/.gitattributes"), "protected-path"},
         {"submodules", new_file(".gitmodules"), "protected-path"},
         {"the configuration", scene.change("crategate.yml", {"regen: {}\n"}), "protected-path"},
         {"the configuration, in capitals", new_file("CrateGate.yml"), "protected-path"},
         {"the owners", new_file("CODEOWNERS"), "protected-path"},
         {"a device", new_file("dir/con.txt"), "unsafe-path"},
         {"a line break", quoted_new_file("n\\n::error::x"), "unsafe-path"},
         {"a bidi control", quoted_new_file("n\\342\\200\\256gpj.exe"), "unsafe-path"},
         {"no UTF-8", quoted_new_file("n\\377"), "unsafe-path"},
         {"an escape sequence", new_file("n\x1b[2J"), "unsafe-path"},
         {"too deep", new_file(join(std::vector<std::string>(65, "d"), "/")), "unsafe-path"},
         {"case", new_file("README.MD"), "case-collision"},
         {"case of a folder", new_file("DIR/n"), "case-collision"},
         {"case of a link", new_file("Link/n"), "case-collision"},
         {"both new", new_file("n") + new_file("N"), "case-collision case-collision"},
         {"a link", scene.change("n", {"../../etc/passwd", "120000"}), "not-a-regular-file"},
         {"a link to elsewhere", scene.change("link", {"/etc", "120000"}), "not-a-regular-file"},
         {"a link goes", scene.patch_to(without_link), "not-a-regular-file"},
         {"executable", scene.change("a.txt", {numbered_lines(0, 40), "100755"}), "mode-change"},
         {"executable and changed", scene.change("x", {"y\n", "100755"}), "mode-change"},
         {"no longer executable", scene.change("exec.sh", {"#!/bin/sh\n"}), "mode-change"},
         {"too large", scene.change("n", {std::string((1u << 20) + 1, 'n')}), "too-large"}});
}

TEST_F(HostilePatches, KindsOfChanges) {
  const std::string rename =
      "diff --git a/x b/.github/workflows/x.yml\nsimilarity index 100%\nrename from x\nrename to "
      ".github/workflows/x.yml\n";
  judge({{"a file becomes a link", scene.change("x", {"dir", "120000"}), R"("x": expected once, found twice)"},
         {"below a link", new_file("link/n"), R"("link": is changed, but not named)"},
         {"a link and below it", scene.change("n", {"/tmp", "120000"}) + new_file("n/n"), R"("n": expected)"},
         {"below a file", new_file("x/n"), R"("x": is changed, but not named)"},
         {"in the place of a folder", new_file("dir"), "the patch's file"},
         {"a submodule", new_file("n", "160000"), "found another mode"},
         {"becomes a submodule", with(x_changed, " 100644\n", " 160000\n"), "found another mode"},
         {"a folder's mode", new_file("n", "040000"), "line 2"},
         {"mode for the group", new_file("n", "100664"), "line 2"},
         {"mode for all", new_file("n", "100777"), "line 2"},
         {"no mode", new_file("n", "0"), "line 2"},
         {"a huge mode", new_file("n", "99999999999999999999"), "line 2"},
         {"a fifo", new_file("n", "010644"), "line 2"},
         {"set user", new_file("n", "104755"), "line 2"},
         {"the wrong old mode", with(x_changed, " 100644\n", " 100755\n"), R"("x": expected)"},
         {"no old mode", with(x_changed, " 100644\n", "\n"), "found another mode"},
         {"a rename into .github", rename, "line 2"},
         {"a rename with an index line",
          with(rename, "similarity", concat("index ", kOidOfX, "..", kOidOfX, "\nsimilarity")), "line 3"},
         {"a copy", "diff --git a/x b/n\nsimilarity index 100%\ncopy from x\ncopy to n\n", "line 2"},
         {"a rewrite", with(x_changed, "index ", "dissimilarity index 90%\nindex "), "line 2"},
         {"two names", replace_all(x_changed, "b/x", "b/n"), "renames and copies are refused"},
         {"another name below", with(x_changed, "+++ b/x", "+++ b/n"), "mismatched new path"},
         {"another old name below", with(x_changed, "--- a/x", "--- a/n"), "mismatched old path"},
         {"nothing as a name", with(x_changed, "--- a/x", "--- /dev/null"), "line 3"},
         {"a new file of an old name", with(new_file("n"), "--- /dev/null", "--- a/n"), "line 4"},
         {"twice the same", new_file("n") + new_file("n"), R"("n": expected once, found twice)"},
         {"twice changed", x_changed + with(x_changed, "+y", "+z"), R"("x": expected once, found twice)"},
         {"a name in two forms", new_file("n") + quoted_new_file("\\156"), R"("n": expected once, found twice)"},
         {"new, but there", new_file("x"), R"("x": expected none before, found)"},
         {"changed, but not there", replace_all(replace_all(x_changed, "a/x", "a/n"), "b/x", "b/n"), "found none"},
         {"deleted, but not there",
          concat("diff --git a/n b/n\ndeleted file mode 100644\nindex ", kOidOfX, "..", kNoOid,
                 "\n--- a/n\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n"),
          "found none"},
         {"deleted, but not all of it",
          concat("diff --git a/noeol b/noeol\ndeleted file mode 100644\nindex ", scene.oid_of("one\ntwo"), "..", kNoOid,
                 "\n--- a/noeol\n+++ /dev/null\n@@ -1 +0,0 @@\n-one\n"),
          "accepted"},
         {"nothing changes", concat("diff --git a/x b/x\nindex ", kOidOfX, "..", kOidOfX, " 100644\n"), "the patch"},
         {"an empty hunk's change",
          concat("diff --git a/x b/x\nindex ", kOidOfX, "..", kOidOfX,
                 " 100644\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-x\n+x\n"),
          "a file is named that does not change"}});
}

TEST_F(HostilePatches, Oids) {
  const std::string zero(40, '0'), other(40, '1');
  judge({{"another old oid", with(x_changed, std::string(kOidOfX), other), R"("x": expected 1111)"},
         {"another new oid", with(new_file("n"), kOidOfX, other), R"("n": expected 1111)"},
         {"a short old oid", with(x_changed, std::string(kOidOfX), kOidOfX.substr(0, 7)), "line 2"},
         {"a short new oid", with(new_file("n"), kOidOfX, kOidOfX.substr(0, 39)), "line 3"},
         {"a long oid", with(new_file("n"), kOidOfX, concat(kOidOfX, "0")), "line 3"},
         {"SHA-256", with(new_file("n"), kOidOfX, concat(kOidOfX, kOidOfX.substr(0, 24))), "line 3"},
         {"capitals", with(new_file("n"), kOidOfX, "587BE6B4C3F93F93C489C0111BBA5596147A26CB"), "line 3"},
         {"no digits", with(new_file("n"), kOidOfX, std::string(40, 'g')), "line 3"},
         {"no index line", with(new_file("n"), concat("index ", kNoOid, "..", kOidOfX, "\n"), ""), "line 3"},
         {"two index lines", with(x_changed, "--- a/x", concat("index ", kOidOfX, "..", other, " 100644\n--- a/x")),
          "line"},
         {"no old oid", with(x_changed, std::string(kOidOfX), zero), "line 2"},
         {"an old oid of a new file", with(new_file("n"), kNoOid, other), "line 3"}});
}

TEST_F(HostilePatches, Hunks) {
  const std::string range = "@@ -18,7 +18,7 @@", head = text.substr(0, text.find("@@"));
  const std::string body = text.substr(text.find('\n', text.find("@@")) + 1);
  const auto ranged = [&](std::string_view to) { return with(text, range, to); };
  judge({{"outside of the file", ranged("@@ -1000,7 +1000,7 @@"), R"("a.txt": "hunk)"},
         {"somewhere else", ranged("@@ -19,7 +19,7 @@"), R"("a.txt": "hunk)"},
         {"other context", with(text, " line 18", " line 81"), R"("a.txt": "hunk)"},
         {"other deletion", with(text, "-line 20", "-line 02"), R"("a.txt": "hunk)"},
         {"context without its blank at the end", with(text, " line 18\n", " line 18 \n"), R"("a.txt": "hunk)"},
         {"other addition", with(text, "+changed", "+evil"), R"("a.txt": expected)"},
         {"overlapping", text + range + "\n" + body, "behind the one before"},
         {"in another order", text + "@@ -1,1 +1,1 @@\n-line 0\n+x\n", "behind the one before"},
         {"apart by too little", ranged("@@ -18,7 +17,7 @@"), "same place of both files"},
         {"huge counts", ranged("@@ -18,99999999999 +18,7 @@"), "expected ranges"},
         {"counts at the edge", ranged("@@ -18,1073741823 +18,1073741823 @@"), "expected more lines"},
         {"huge lines", ranged("@@ -2147483647,7 +2147483647,7 @@"), "expected ranges"},
         {"lines beyond 64 bits", ranged("@@ -18446744073709551634,7 +18,7 @@"), "expected ranges"},
         {"negative", ranged("@@ --18,7 +18,7 @@"), "expected ranges"},
         {"signed", ranged("@@ -+18,7 +18,7 @@"), "expected ranges"},
         {"hexadecimal", ranged("@@ -0x12,7 +18,7 @@"), "expected ranges"},
         {"line nought", ranged("@@ -0,7 +0,7 @@"), "expected ranges"},
         {"no counts at all", ranged("@@ -, +, @@"), "expected ranges"},
         {"no range", ranged("@@ @@"), "expected \"@@ -A,B +C,D @@\""},
         {"not closed", ranged("@@ -18,7 +18,7"), "expected \"@@ -A,B +C,D @@\""},
         {"closed late", ranged("@@ -18,7 +18,7 x @@"), "expected \"@@ -A,B +C,D @@\""},
         {"three ranges", ranged("@@@ -18,7 -18,7 +18,7 @@@"), "expected a hunk"},
         {"fewer lines than it says", ranged("@@ -18,8 +18,8 @@"), "expected more lines"},
         {"more lines than it says", ranged("@@ -18,6 +18,6 @@"), "line"},
         {"more old than it says", ranged("@@ -18,3 +18,7 @@"), "found more lines"},
         {"no lines at all", head + "@@ -18,0 +18,0 @@\n", "changes something"},
         {"no change", head + "@@ -1 +1 @@\n line 0\n", "changes something"},
         {"no hunk", head, "expected a hunk"},
         {"an empty line of context", with(text, " line 18\n", "\n"), "expected more lines"},
         {"an unknown sign", with(text, " line 18\n", "!line 18\n"), "expected more lines"},
         {"no newline, in the middle", with(text, "-line 20\n", "-line 20\n\\ No newline at end of file\n"),
          "behind the last"},
         {"no newline, first", with(text, " line 17\n", "\\ No newline at end of file\n line 17\n"),
          "expected more lines"},
         {"no newline, twice", text + "\\ No newline at end of file\n\\ No newline at end of file\n", "line"},
         {"no newline, where there is one", text + "\\ No newline at end of file\n", R"("a.txt": "hunk)"},
         {"a NUL in a line", with(text, "+changed", std::string_view("+chan\0ed", 8)), "found a NUL"},
         {"a NUL in a header", with(text, "a.txt", std::string_view("a\0txt", 5)), "found a NUL"},
         {"a NUL at the end", text + std::string(1, '\0'), "line"}});
}

TEST_F(HostilePatches, TextAround) {
  const std::string mail =
      "From 587be6b Mon Sep 17 00:00:00 2001\nFrom: a <a@example.com>\nSubject: [PATCH] x\n\n---\n";
  judge({{"nothing", "", "found nothing"},
         {"an empty line", "\n", "line 1"},
         {"only text", "nothing to see here\n", "line 1"},
         {"a mail", mail + text, "line 1"},
         {"a mail's end", text + "-- \n2.39.5\n", "expected \"diff --git"},
         {"text before", "hello\n" + text, "line 1"},
         {"text between", text + "hello\n" + new_file("n"), "expected \"diff --git"},
         {"text behind", text + "hello\n", "expected \"diff --git"},
         {"an empty line behind", text + "\n", "expected \"diff --git"},
         {"text in the header", with(text, "index ", "hello\nindex "), "line 2"},
         {"text behind the header", with(text, "@@ -", "hello\n@@ -"), "expected a hunk"},
         {"cut off", text.substr(0, text.size() - 1), "found the end of the patch"},
         {"cut off in the header", text.substr(0, 30), "found the end of the patch"},
         {"only the first line", "diff --git a/x b/x\n", "line 2"},
         {"carriage returns", replace_all(text, "\n", "\r\n"), "line 1"},
         {"carriage returns in the header", with(text, "b/a.txt\n", "b/a.txt\r\n"), "line 1"},
         {"carriage returns behind ranges", with(text, " @@ line 16\n", " @@\r\n"), "expected \"@@ -A,B +C,D @@\""},
         {"no header", text.substr(text.find("--- ")), "line 1"},
         {"of another program", "Index: x\n====\n--- x\n+++ x\n@@ -1 +1 @@\n-x\n+y\n", "line 1"},
         {"combined", "diff --cc x\nindex 1,2..3\n--- a/x\n+++ b/x\n@@@ -1,1 -1,1 +1,1 @@@\n- x\n++y\n", "line 1"},
         {"in brackets", with(text, "diff --git", "diff -git"), "line 1"},
         {"indented", "  " + text, "line 1"},
         {"a byte order mark", "\xEF\xBB\xBF" + text, "line 1"},
         {"UTF-16",
          std::string("\xFF\xFE"
                      "d\0i\0f\0f\0",
                      10),
          "line 1"},
         {"compressed", deflated(text), "line"}});
}

TEST_F(HostilePatches, BinaryContent) {
  const std::string before = binary_content(), after = before + "more";
  const std::string back = binary_side("literal", before), there = binary_side("literal", after);
  const auto delta = [&](std::string_view content) {
    return scene.binary_change(after, binary_side("delta", content) + back);
  };
  const auto side = [&](std::string_view line, std::string_view packed) {
    return scene.binary_change(after, concat(line, "\n", base85_lines(packed)) + back);
  };
  const std::string copy_all("\xB0\x00\x04", 3);  // 1,024 bytes from the start
  ASSERT_EQ(scene.outcome(scene.binary_change(after, there + back)), "accepted");
  ASSERT_EQ(scene.outcome(delta(delta_size(1024) + delta_size(1028) + copy_all + "\x04more")), "accepted");
  const std::string zeros(64u << 20, '\0');
  judge(
      {{"garbage", scene.binary_change(after, "garbage\n\n"), "literal SIZE"},
       {"nothing", scene.binary_change(after, ""), "literal SIZE"},
       {"no way back", scene.binary_change(after, there), "literal SIZE"},
       {"another way back", scene.binary_change(after, there + binary_side("literal", after)), "did not apply cleanly"},
       {"three ways", scene.binary_change(after, there + back + back), "expected \"diff --git"},
       {"only named",
        concat("diff --git a/bin b/bin\nindex ", scene.oid_of(before), "..", scene.oid_of(after),
               " 100644\nBinary files a/bin and b/bin differ\n"),
        "line 3"},
       {"hunks and binary", with(x_changed, "@@ -1", "GIT binary patch\n@@ -1"), "expected a hunk"},
       {"another header", with(binary, "GIT binary patch", "GIT binary  patch"), "line 3"},
       {"no content", scene.binary_change(after, "literal 0\n\n" + back), "binary content"},
       {"no empty line", with(binary, "\n\n", "\n"), "line"},
       {"cut off in a line", with(binary, "\n\n", "ab\n\n"), "base 85"},
       {"a line without its end", scene.binary_change(after, "literal 4\nD0\n\n" + back), "base 85"},
       {"a letter of no length", scene.binary_change(after, "literal 4\n!00000\n\n" + back), "base 85"},
       {"no digits of base 85", scene.binary_change(after, "literal 4\nD\"\"\"\"\"\n\n" + back), "the patch"},
       {"digits beyond four bytes", scene.binary_change(after, "literal 4\nD~~~~~\n\n" + back), "the patch"},
       {"no zlib", side("literal 4", "abcd"), "binary content of 4 bytes"},
       {"more behind the stream", side("literal 1028", deflated(after) + "x"), "binary content of 1028 bytes"},
       {"half a stream", side("literal 1028", std::string_view(deflated(after)).substr(0, 100)),
        "content of 1028 bytes"},
       {"declared too small", side("literal 1027", deflated(after)), "binary content of 1027 bytes"},
       {"declared too large", side("literal 1029", deflated(after)), "binary content of 1029 bytes"},
       {"declared negative", side("literal -1", deflated(after)), "literal SIZE"},
       {"declared beyond 64 bits", side("literal 18446744073709552644", deflated(after)), "literal SIZE"},
       {"declared beyond the limit", side("literal 536870913", deflated(after)), "at most 512"},
       {"a bomb", side("literal 1028", deflated(zeros)), "binary content of 1028 bytes"},
       {"a bomb as a delta", side("delta 12", deflated(zeros)), "binary content of 12 bytes"},
       {"a delta of nothing", delta(""), "expected a delta"},
       {"a delta of another base", delta(delta_size(1023) + delta_size(1028) + copy_all + "\x04more"), R"("bin")"},
       {"a copy beyond the base", delta(delta_size(1024) + delta_size(1028) + std::string("\x91\xFF\xFF", 3)),
        R"("bin")"},
       {"a copy from beyond", delta(delta_size(1024) + delta_size(4) + std::string("\x9F\xFF\xFF\xFF\xFF\x04", 6)),
        R"("bin")"},
       {"an insertion cut off", delta(delta_size(1024) + delta_size(1028) + copy_all + "\x7Fmore"), R"("bin")"},
       {"a copy cut off", delta(delta_size(1024) + delta_size(1028) + "\xFF"), R"("bin")"},
       {"the reserved command", delta(delta_size(1024) + delta_size(1028) + std::string(1, '\0')), R"("bin")"},
       {"too short a result", delta(delta_size(1024) + delta_size(1029) + copy_all + "\x04more"), R"("bin")"},
       {"too long a result", delta(delta_size(1024) + delta_size(1027) + copy_all + "\x04more"), R"("bin")"},
       {"a huge result", delta(delta_size(1024) + delta_size(1ULL << 39) + copy_all), "at most 512"},
       {"a result beyond all", delta(delta_size(1024) + delta_size(~0ULL) + copy_all), "expected a delta"},
       {"sizes without end", delta(std::string(30, '\xFF')), "expected a delta"},
       {"other content", scene.binary_change("other", there + back), "expected"}});
}

TEST_F(HostilePatches, LargeOnesEndAtTheLimits) {
  std::string hunks =
      "diff --git a/x b/x\nindex 587be6b4c3f93f93c489c0111bba5596147a26cb..1111111111111111111111111111111111111111 "
      "100644\n--- a/x\n+++ b/x\n";
  std::string empty_hunks = hunks;
  for (int i = 1; i <= 1'000'000; ++i) {
    hunks += concat("@@ -", i, ",0 +", 2 * i, ",1 @@\n+\n");
    empty_hunks += "@@ -1,0 +1,0 @@\n";
  }
  std::string files, sections, lines = "diff --git a/n b/n\nnew file mode 100644\nindex ";
  lines += concat(kNoOid, "..", kOidOfX, "\n--- /dev/null\n+++ b/n\n@@ -0,0 +1,4000000 @@\n");
  for (int i = 0; i < 4'000'000; ++i) lines += "+\n";
  for (int i = 0; i < 100'000; ++i) files += new_file(concat("n/", i));
  for (int i = 0; i < 1001; ++i) sections += new_file(concat("n/", i));
  const std::string zeros = binary_side("literal", std::string(60u << 20, '\0'));
  std::string bombs;
  for (int i = 0; i < 9; ++i)
    bombs += concat("diff --git a/n", i, " b/n", i, "\nnew file mode 100644\nindex ", kNoOid, "..", kOidOfX,
                    "\nGIT binary patch\n", zeros, binary_side("literal", ""));
  judge({{"a million hunks", hunks, "the patch"},
         {"a million empty hunks", empty_hunks, "changes something"},
         {"a hundred thousand files", files, "at most 50000 files"},
         {"four million lines", lines, "at most 4000000 lines"},
         {"more files than the policy takes", sections, "too-many-files"},
         {"nine bombs", bombs, "at most 512"}});
}

TEST_F(HostilePatches, ManyHunksInALargeFileAreRefused) {
  std::string large;
  for (int i = 0; i < 1'500'000; ++i) large += "l\n";
  const std::string before = scene.repository.tree({{"large", {large}}}), oid = scene.oid_of(large);
  std::string patch = concat("diff --git a/large b/large\nindex ", oid, "..", std::string(40, '1'),
                             " 100644\n--- a/large\n+++ b/large\n");
  for (int i = 0; i < 20'000; ++i) patch += concat("@@ -", 1 + 3 * i, " +", 1 + 4 * i, ",2 @@\n l\n+l\n");
  const auto applied = scene.store->apply(before, patch);
  ASSERT_FALSE(applied);
  EXPECT_THAT(applied.error().message, HasSubstr("fewer hunks"));
}

TEST_F(HostilePatches, BombsTakeNoMemory) {
  const std::string bomb =
      scene.binary_change("x", concat("literal 1028\n", base85_lines(deflated(std::string(96u << 20, '\0')))) +
                                   binary_side("literal", binary_content()));
  const auto growth = peak_growth([&] { return !scene.store->apply(scene.tree, bomb); });
  ASSERT_TRUE(growth);
  EXPECT_LT(*growth, 32u << 20);
}

}  // namespace
}  // namespace crategate::test
