#include "regen/patch_scene.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include "base/strings.h"
#include "pipeline/regen_policy.h"

namespace crategate::test {
namespace {

constexpr std::size_t kMost = 1'000'000;

}  // namespace

PatchScene::PatchScene() {
  store = git::open_tree_store(repository.path()).value();
  files = {{".gitattributes", {"* text=auto\n"}},
           {".github/workflows/ci.yml", {"on: push\n"}},
           {"README.md", {"# title\n\ntext\n"}},
           {"a.txt", {numbered_lines(0, 40)}},
           {"bin", {binary_content()}},
           {"crategate.yml", {"image: x\n"}},
           {"crlf.txt", {"one\r\ntwo\r\nthree\r\n"}},
           {"dir/b.txt", {"b\n"}},
           {"empty", {""}},
           {"exec.sh", {"#!/bin/sh\n", "100755"}},
           {"link", {"dir", "120000"}},
           {"noeol", {"one\ntwo"}},
           {"x", {"x\n"}}};
  tree = repository.tree(files);
}

std::string PatchScene::outcome(const std::string& patch) const {
  const auto applied = store->apply(tree, patch);
  if (!applied) {
    EXPECT_EQ(applied.error().code, ErrorCode::bad_input) << applied.error().message;
    EXPECT_EQ(neutralise(applied.error().message), applied.error().message);
    return applied.error().message;
  }
  std::vector<std::string> paths, ids;
  const auto entries = store->entries(*applied, kMost).value();
  for (const auto& entry : entries) paths.push_back(entry.path);
  const auto changes = store->changes(tree, *applied).value();
  const auto findings = pipeline::judge_regen(changes, paths, regen, {.configuration = "crategate.yml"});
  for (const auto& finding : findings) ids.emplace_back(to_string(finding.refusal));
  return ids.empty() ? "accepted" : join(ids, " ");
}

std::string PatchScene::patch_to(const RepositoryFiles& after) const {
  return store->patch(tree, repository.tree(after)).value();
}

std::string PatchScene::change(const std::string& path, const RepositoryFile& file) const {
  RepositoryFiles after = files;
  after[path] = file;
  return patch_to(after);
}

std::string PatchScene::binary_change(std::string_view after, std::string_view sides) const {
  return concat("diff --git a/bin b/bin\nindex ", oid_of(files.at("bin").content), "..", oid_of(after),
                " 100644\nGIT binary patch\n", sides);
}

std::string numbered_lines(int from, int to) {
  std::string text;
  for (int i = from; i < to; ++i) text += concat("line ", i, "\n");
  return text;
}

std::string binary_content() {
  std::string bytes;
  for (int i = 0; i < 1024; ++i) bytes += static_cast<char>(i * 37 % 256);
  return bytes;
}

std::string new_file(std::string_view name, std::string_view mode) {
  return concat("diff --git a/", name, " b/", name, "\nnew file mode ", mode, "\nindex ", kNoOid, "..", kOidOfX,
                "\n--- /dev/null\n+++ b/", name, "\n@@ -0,0 +1 @@\n+x\n");
}

std::string quoted_new_file(std::string_view name) {
  return concat("diff --git \"a/", name, "\" \"b/", name, "\"\nnew file mode 100644\nindex ", kNoOid, "..", kOidOfX,
                "\n--- /dev/null\n+++ \"b/", name, "\"\n@@ -0,0 +1 @@\n+x\n");
}

std::string with(std::string text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from << "\n" << text.substr(0, 1000);
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

std::string deflated(std::string_view content) {
  uLongf size = compressBound(content.size());
  std::string packed(size, '\0');
  EXPECT_EQ(compress2(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(content.data()),
                      content.size(), Z_BEST_SPEED),
            Z_OK);
  packed.resize(size);
  return packed;
}

std::string base85_lines(std::string_view packed) {
  constexpr std::string_view kDigits =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";
  constexpr std::size_t kLine = 52;
  std::string text;
  for (std::size_t begin = 0; begin < packed.size(); begin += kLine) {
    const std::string_view line = packed.substr(begin, kLine);
    const auto letter = line.size() <= 26 ? 'A' + line.size() - 1 : 'a' + line.size() - 27;
    text += static_cast<char>(letter);
    for (std::size_t i = 0; i < line.size(); i += 4) {
      std::uint32_t value = 0;
      for (std::size_t k = i; k < i + 4; ++k)
        value = value << 8u | (k < line.size() ? static_cast<unsigned char>(line[k]) : 0u);
      std::string digits(5, '0');
      for (std::size_t k = 5; k-- > 0; value /= 85) digits[k] = kDigits[value % 85];
      text += digits;
    }
    text += '\n';
  }
  return text + "\n";
}

std::string binary_side(std::string_view type, std::string_view content) {
  return concat(type, " ", content.size(), "\n", base85_lines(deflated(content)));
}

std::string delta_size(std::uint64_t size) {
  std::string bytes;
  for (; size > 0x7F; size >>= 7) bytes += static_cast<char>(0x80u | (size & 0x7Fu));
  return bytes + static_cast<char>(size);
}

}  // namespace crategate::test
