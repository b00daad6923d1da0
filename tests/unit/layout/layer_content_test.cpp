// What a layer's content covers, and what it does not: tars written by libarchive, entry by entry.
#include "layout/layer_content.h"

#include <archive.h>
#include <archive_entry.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>

#include "archives.h"

namespace crategate::layout {
namespace {

struct File {
  std::string name = "etc/app.conf", data = "a=1\n", link;
  unsigned kind = AE_IFREG, mode = 0644;
  std::int64_t uid = 0, gid = 0, time = 1'700'000'000;
  std::string attribute = "\x01";  ///< security.capability; empty = none
};

enum class Form : unsigned char { pax, ustar, gzip, zstd };

std::string layer(const std::vector<File>& files, Form form = Form::pax) {
  std::string bytes(std::size_t{1} << 20U, '\0');
  std::size_t used = 0;
  const std::unique_ptr<archive, decltype(&archive_write_free)> writer(archive_write_new(), archive_write_free);
  form == Form::ustar ? archive_write_set_format_gnutar(writer.get()) : archive_write_set_format_pax(writer.get());
  archive_write_set_options(writer.get(), "hdrcharset=BINARY");
  if (form == Form::gzip) archive_write_add_filter_gzip(writer.get());
  if (form == Form::zstd) archive_write_add_filter_zstd(writer.get());
  archive_write_open_memory(writer.get(), bytes.data(), bytes.size(), &used);
  for (const auto& file : files) {
    const std::unique_ptr<archive_entry, decltype(&archive_entry_free)> entry(archive_entry_new(), archive_entry_free);
    archive_entry_set_pathname(entry.get(), file.name.c_str());
    archive_entry_set_filetype(entry.get(), file.kind);
    archive_entry_set_perm(entry.get(), file.mode);
    archive_entry_set_uid(entry.get(), file.uid);
    archive_entry_set_gid(entry.get(), file.gid);
    archive_entry_set_mtime(entry.get(), file.time, form == Form::pax ? 5 : 0);
    if (!file.link.empty() && file.kind == AE_IFLNK) archive_entry_set_symlink(entry.get(), file.link.c_str());
    if (!file.link.empty() && file.kind == AE_IFREG) archive_entry_set_hardlink(entry.get(), file.link.c_str());
    const bool has_data = file.kind == AE_IFREG && file.link.empty();
    archive_entry_set_size(entry.get(), has_data ? static_cast<std::int64_t>(file.data.size()) : 0);
    if (!file.attribute.empty() && form != Form::ustar) {
      archive_entry_xattr_add_entry(entry.get(), "security.capability", file.attribute.data(), file.attribute.size());
    }
    EXPECT_EQ(archive_write_header(writer.get(), entry.get()), ARCHIVE_OK) << archive_error_string(writer.get());
    if (has_data) archive_write_data(writer.get(), file.data.data(), file.data.size());
  }
  archive_write_close(writer.get());
  bytes.resize(used);
  return bytes;
}

std::string content(const std::string& bytes) {
  const auto found = layer_content(test::source_of(bytes));
  return found ? found->text() : found.error().message;
}

TEST(LayerContent, IsTheSameForOtherTimesCompressionAndWaysToWriteATar) {
  const std::vector<File> files = {{.name = "etc", .kind = AE_IFDIR, .mode = 0755}, {}, {.name = "bin/ä\xff"}};
  const std::string wanted = content(layer(files));
  ASSERT_TRUE(wanted.starts_with("sha256:")) << wanted;
  auto later = files;
  for (auto& file : later) file.time += 86'400;
  EXPECT_EQ(content(layer(later)), wanted);
  EXPECT_EQ(content(layer(files, Form::gzip)), wanted);
  EXPECT_EQ(content(layer(files, Form::zstd)), wanted);
  auto dotted = files;
  for (auto& file : dotted) file.name = "./" + file.name;
  EXPECT_EQ(content(layer(dotted)), wanted);
  auto plain = files;
  for (auto& file : plain) file.attribute.clear();
  EXPECT_EQ(content(layer(plain)), content(layer(plain, Form::ustar)));
}

TEST(LayerContent, TellsEverythingElse) {
  const std::vector<File> files = {{.name = "etc", .kind = AE_IFDIR, .mode = 0755},
                                   {},
                                   {.name = "bin/sh", .link = "busybox", .kind = AE_IFLNK, .mode = 0777},
                                   {.name = "bin/ash", .link = "etc/app.conf"}};
  const struct {
    const char* name;
    std::function<void(std::vector<File>&)> change;
  } rows[] = {
      {"a byte", [](auto& all) { all[1].data = "a=2\n"; }},
      {"a longer file", [](auto& all) { all[1].data += '\n'; }},
      {"a name", [](auto& all) { all[1].name = "etc/app.conf2"; }},
      {"its mode", [](auto& all) { all[1].mode = 0755; }},
      {"set user id", [](auto& all) { all[1].mode = 04644; }},
      {"its user", [](auto& all) { all[1].uid = 1000; }},
      {"its group", [](auto& all) { all[1].gid = 1000; }},
      {"a capability", [](auto& all) { all[1].attribute = "\x02"; }},
      {"no capability", [](auto& all) { all[1].attribute.clear(); }},
      {"the mode of a directory", [](auto& all) { all[0].mode = 0777; }},
      {"a file for a directory", [](auto& all) { all[0].kind = AE_IFREG; }},
      {"where a link leads", [](auto& all) { all[2].link = "/tmp/evil"; }},
      {"which file a hard link is", [](auto& all) { all[3].link = "etc"; }},
      {"a hard link for a symbolic one", [](auto& all) { all[2].kind = AE_IFREG; }},
      {"a file more", [](auto& all) { all.push_back({.name = "x"}); }},
      {"a file less", [](auto& all) { all.pop_back(); }},
      {"a whiteout", [](auto& all) { all.push_back({.name = "etc/.wh.app.conf", .data = ""}); }},
      {"another order", [](auto& all) { std::swap(all[0], all[1]); }},
  };
  const std::string wanted = content(layer(files));
  ASSERT_TRUE(wanted.starts_with("sha256:")) << wanted;
  for (const auto& row : rows) {
    auto changed = files;
    row.change(changed);
    const std::string found = content(layer(changed));
    EXPECT_TRUE(found.starts_with("sha256:")) << row.name << ": " << found;
    EXPECT_NE(found, wanted) << row.name;
  }
}

// A69: no reader takes what is not whole for a layer.
TEST(LayerContent, RefusesWhatIsNoWholeTar) {
  std::vector<File> files(3);
  for (auto& file : files) file.data.assign(4000, 'x');
  const std::string whole = layer(files, Form::gzip);
  ASSERT_TRUE(content(whole).starts_with("sha256:"));
  for (const std::size_t size : {std::size_t{5}, whole.size() / 2, whole.size() - 9}) {
    EXPECT_FALSE(layer_content(test::source_of(whole.substr(0, size)))) << size;
  }
  EXPECT_FALSE(layer_content(test::source_of("this is no layer, and no archive of any kind")));
  const std::string plain = layer(files);
  EXPECT_FALSE(layer_content(test::source_of(plain.substr(0, 3000))));
}

// A69: what would be kept in memory is bounded.
TEST(LayerContent, RefusesHeadersWithoutEnd) {
  std::string endless;
  const std::string record = test::tar({{.name = "PaxHeader", .data = std::string(1000, 'x'), .type = 'x'}});
  for (int i = 0; i < 6000; ++i) endless += record.substr(0, 512 + 1024);
  const auto found = layer_content(test::source_of(endless));
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::integrity);
}

TEST(LayerContent, OfALayerWithoutFilesIsOfItsOwn) {
  const std::string empty(1024, '\0');
  EXPECT_TRUE(content(empty).starts_with("sha256:")) << content(empty);
  EXPECT_NE(content(empty), content(layer({{}})));
}

TEST(LayerContent, EndsWithItsSource) {
  const auto failing = [] { return Result<std::string>(fail(ErrorCode::unavailable, "the registry is gone")); };
  const auto found = layer_content(failing);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().message, "the registry is gone");
}

}  // namespace
}  // namespace crategate::layout
