// Tars that lie about themselves (A63 to A70): refused in little memory, whatever is done with their layers.
#include <gmock/gmock.h>

#include <cstdio>
#include <functional>
#include <utility>

#include "base/strings.h"
#include "layout/archive.h"
#include "layout/tar_reader.h"
#include "layout/unpacked.h"
#include "support/peak_memory.h"
#include "support/test_directory.h"
#include "unit/layout/archives.h"

namespace crategate::layout {
namespace {

using namespace std::string_view_literals;
using test::Entry;
using test::gzip;
using test::hex;
using test::pax;
using test::SavedImage;
using test::source_of;
using test::tar;
using testing::HasSubstr;

const oci::Platform kPlatform;
const SavedImage kImage{.compressed = true};
/// What the process takes beyond what it had; the archives of these rows are larger than that, or would unpack to more.
constexpr std::size_t kMemory = std::size_t{48} << 20U;

/// A sound image with these entries in front.
std::string with(std::vector<Entry> first) {
  for (const Entry& entry : kImage.oci_entries()) first.push_back(entry);
  return tar(first);
}

/// An image whose first layer is stored as `bytes`, under their digest.
std::string with_layer(const std::string& bytes) {
  auto entries = kImage.oci_entries();
  const std::string stored = kImage.stored(0);
  std::string manifest = replace_all(kImage.manifest(), hex(stored), hex(bytes));
  manifest = replace_all(manifest, concat(hex(bytes), R"(","size":)", stored.size()),
                         concat(hex(bytes), R"(","size":)", bytes.size()));
  entries[2] = {"blobs/sha256/" + hex(bytes), bytes};
  entries[5] = {"blobs/sha256/" + hex(manifest), manifest};
  entries[6].data = test::index_of("application/vnd.oci.image.manifest.v1+json", manifest);
  return tar(entries);
}

/// The header of a sparse file as old GNU tars wrote it: 512 bytes in a file of 1 KiB. `more`: of its map in further blocks.
std::string old_sparse(char more) {
  std::string header = tar({{"x", std::string(512, 'x'), 'S', ""}}).substr(0, 512);
  header.replace(257, 8, "ustar  \0"sv);
  header.replace(386, 24,
                 "00000000000\0"
                 "00000001000\0"sv);
  header[482] = more;
  header.replace(483, 12, "00000002000\0"sv);
  header.replace(148, 8, 8, ' ');
  unsigned sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  std::snprintf(header.data() + 148, 8, "%06o", sum);
  return header;
}

struct Row {
  const char* name;
  std::string archive;
  const char* message;
};

// Versions of clang-format break such rows in different ways.
// clang-format off
std::vector<Row> rows() {
  const std::string sound = tar(kImage.oci_entries());
  const std::string hidden = tar({{"manifest.json", R"([{"Config":"x"}])"}});
  return {
      {"A69PaxSizeOf2To63", with({pax({"size=9223372036854775808"}), {"x", ""}}), "image archive"},
      {"A69PaxSizeBelow0", with({pax({"size=-1"}), {"x", "abc"}}), "image archive"},
      {"A69PaxSizeBeyondTheEnd", with({pax({"size=99999999"}), {"x", ""}}), "image archive"},
      {"A69BinarySizeBelow0", with({{"x", "", '0', "", std::string(12, '\xff')}}), "image archive"},
      {"A69BinarySizeOf2To63", with({{"x", "", '0', "", std::string("\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff", 12)}}), "image archive"},
      {"A69Sparse", old_sparse(0) + std::string(512, 'x') + sound, "sparse"},
      {"A69SparseByPax",
       with({pax({"GNU.sparse.major=1", "GNU.sparse.minor=0", "GNU.sparse.name=x", "GNU.sparse.realsize=9999999999"}),
             {"x", std::string("1\n0\n5\n").append(506, '\0') + "abcde"}}), "sparse"},
      {"A69BytesBehindAHardLink", with({pax({"mtime=1"}), {"x", hidden, '1', "index.json"}}), "behind a link"},
      {"A69LongNameOf2MiB", with({{"././@LongLink", std::string(2U << 20U, 'x'), 'L', ""}, {"x", ""}}), "image archive"},
      {"A69PaxHeaderOf2MiB", with({pax({"comment=" + std::string(2U << 20U, 'x')}), {"x", ""}}), "image archive"},
      {"A69AThousandLongNames", with(std::vector<Entry>(1000, {"././@LongLink", "x", 'L', ""})), "image archive"},
      {"A65BytesBehindTheEnd", sound + "x", "behind its end"},
      {"A65ASecondArchiveBehindTheEnd", sound + sound, "behind its end"},
      {"A65BytesInTheMarkOfTheEnd", std::string(sound).replace(sound.size() - 1, 1, "x"), "image archive"},
      {"A65BytesFarBehindTheEnd", sound + std::string(3U << 20U, '\0') + "x", "behind its end"},
      {"A65CompressedTwice", gzip(gzip(sound)), "image archive"},
      {"A65CompressedAndCut", gzip(sound).substr(0, 700), "cut short"},
      {"A65CompressedWithBytesBehind", gzip(sound) + "evil", "other bytes follow"},
      {"A65ZstdWithBytesBehind", test::zstd(sound) + "xxxx", "other bytes follow"},
      {"A65ZstdAndCut", test::zstd(sound).substr(0, 500), "cut short"},
      {"A65LayerCompressedTwice", with_layer(gzip(gzip("layer one"))), "diff ID"},
      {"A65LayerWithBytesBehind", with_layer(gzip("layer one") + "evil"), "other bytes follow"},
      {"A65LayerIsCut", with_layer(gzip("layer one").substr(0, 20)), "cut short"},
      {"A65LayerHasAWrongChecksum", with_layer(gzip("layer one").replace(20, 1, "\xff")), "gzip"},
      {"A65LayerOfAnotherContent", with_layer(gzip("layer 0ne")), "diff ID"},
      {"A65LayerOfAnotherContentInZstd", with_layer(test::zstd("layer 0ne")), "diff ID"},
      {"A70Rar4", "Rar!\x1a\x07" + std::string(600, '\0'), "image archive"},
      {"A70Rar5", "Rar!\x1a\x07\x01" + std::string(600, '\0'), "image archive"},
      {"A70SevenZip", "7z\xbc\xaf\x27\x1c" + std::string(600, '\0'), "image archive"},
      {"A70Cpio", "070701" + std::string(600, '0'), "image archive"},
      {"A70Zip", "PK\x03\x04" + std::string(600, '\0'), "image archive"},
      {"A70Xz", std::string("\xfd" "7zXZ\0\0\x04", 8) + std::string(600, '\0'), "image archive"},
      {"A70Bzip2", "BZh91AY&SY" + std::string(600, '\0'), "image archive"},
      {"A70Lz4", "\x04\x22\x4d\x18" + std::string(600, '\0'), "image archive"},
      {"A70UnixCompress", "\x1f\x9d\x90" + std::string(600, '\0'), "image archive"},
      {"A70Ar", "!<arch>\n" + std::string(600, ' '), "image archive"},
      {"A70Cab", "MSCF" + std::string(600, '\0'), "image archive"},
      {"A70Mtree", "#mtree\n./index.json type=file\n" + std::string(600, '\n'), "image archive"},
      {"A70Iso", std::string(32769, '\0') + "CD001" + std::string(4096, '\0'), "image archive"},
      {"A70Uuencode", "begin 644 x\n" + std::string(600, '!'), "image archive"},
  };
}
// clang-format on

class HostileTar : public testing::TestWithParam<Row> {};

TEST_P(HostileTar, IsRefusedHoweverItIsRead) {
  const test::TestDirectory directory;
  auto layout = OciLayout::open(directory / "layout");
  ASSERT_TRUE(layout);
  for (const std::size_t piece : {std::size_t{100}, std::size_t{1} << 20U}) {
    const auto read = read_archive_config(source_of(GetParam().archive, piece), kPlatform);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, ErrorCode::integrity) << describe(read.error());
    EXPECT_THAT(describe(read.error()), HasSubstr(GetParam().message));
    const auto imported = import_archive(source_of(GetParam().archive, piece), kPlatform, *layout);
    ASSERT_FALSE(imported);
    EXPECT_EQ(imported.error().code, ErrorCode::integrity) << describe(imported.error());
  }
}

INSTANTIATE_TEST_SUITE_P(Rows, HostileTar, testing::ValuesIn(rows()),
                         [](const auto& each) { return std::string(each.param.name); });

TEST(HostileTarForms, A70SoundOnesAreReadPlainAndWithTwoCompressions) {
  const std::string sound = with({{"x", "ignored"}, pax({"mtime=1"}), {"y", ""}, {"z", "", '1', "x"}});
  for (const std::string& archive : {sound, gzip(sound), test::zstd(sound), sound + std::string(8192, '\0')}) {
    const auto read = read_archive_config(source_of(archive), kPlatform);
    ASSERT_TRUE(read) << describe(read.error());
    EXPECT_EQ(read->manifest, oci::Digest::of(kImage.manifest()));
  }
}

TEST(HostileTarCut, A65AtEveryByteIsNeverAnImage) {
  const std::string whole = tar(kImage.oci_entries());
  const std::size_t needed = whole.size() - 1024 - 2 * 512 - 512;  // the last entry and the end
  for (std::size_t size = 0; size < needed; ++size) {
    const auto read = read_archive_config(source_of(whole.substr(0, size), 1U << 20U), kPlatform);
    ASSERT_FALSE(read) << size;
    ASSERT_EQ(read.error().code, ErrorCode::integrity) << size;
  }
}

TEST(HostileTarFlips, NoFlippedBitOfABlobIsEvidence) {
  const std::string whole = tar(kImage.oci_entries());
  const auto sound = read_archive_config(source_of(whole, 1U << 20U), kPlatform).value();
  for (const std::string& blob : {kImage.stored(0), kImage.stored(1), kImage.config(), kImage.manifest()}) {
    const std::size_t begin = whole.find(blob);
    ASSERT_NE(begin, std::string::npos);
    for (std::size_t bit = 0; bit < blob.size() * 8; ++bit) {
      std::string changed = whole;
      changed[begin + bit / 8] = static_cast<char>(changed[begin + bit / 8] ^ (1 << (bit % 8)));
      ASSERT_FALSE(read_archive_config(source_of(std::move(changed), 1U << 20U), kPlatform)) << bit;
    }
  }
}

/// `head`, then `piece` over and over, `count` times.
net::BodySource endless(std::string head, std::string piece, std::uint64_t count) {
  return [head = std::move(head), piece = std::move(piece), count]() mutable -> Result<std::string> {
    if (!head.empty()) return std::exchange(head, {});
    return count-- > 0 ? piece : std::string();
  };
}

std::string header(const Entry& entry) { return tar({entry}).substr(0, 512); }

struct Flood {
  const char* name;
  std::function<net::BodySource()> source;
  const char* message;
};

std::string repeated(std::string_view text, std::size_t count) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) all += text;
  return all;
}

// clang-format off
std::vector<Flood> floods() {
  return {
      {"A65TenMillionEntries", [] { return endless("", repeated(header({"x", ""}), 1000), 10'000); }, "entries"},
      {"A65TenMillionEntriesInSomeKilobytes", [] {
         return unpacked(endless("", test::zstd(repeated(header({"x", ""}), 10'000)), 1000), Compression::zstd); }, "entries"},
      {"A65FiveThousandLayers", [] {
         return endless("", tar({{hex("a") + "/layer.tar", "x"}}).substr(0, 1024), 5000); }, "at most 4096 layers"},
      {"A69ConfigurationOf100MB", [] {
         return endless(header({hex("a") + ".json", "", '0', "", "00575360400"}), "{" + std::string((1U << 20U) - 1, ' '), 100);
       }, "of that digest"},
      {"A69ManyManifests", [] {
         const std::string bytes = "{" + std::string(1U << 20U, ' ');
         return endless("", tar({{"blobs/sha256/" + hex(bytes), bytes}}).substr(0, 512 + (1U << 20U) + 512), 100); },
       "of manifests and configurations"},
      {"A69SparseMapWithoutEnd", [] {
         return endless(tar({pax({"GNU.sparse.major=1", "GNU.sparse.minor=0", "GNU.sparse.name=x"})}).substr(0, 1024) +
                            header({"x", "", '0', "", "77777777777"}) + "1000000000\n", repeated("1\n0\n", 50'000), 1000);
       }, "image archive"},
      {"A69OldSparseMapWithoutEnd", [] {
       std::string extension = repeated("00000000001\0" "00000000001\0"sv, 21) + "\x01";
         extension.resize(512);
         return endless(old_sparse(1), repeated(extension, 1000), 1000);
       }, "of headers before an entry"},
  };
}
// clang-format on

TEST(HostileTarFlood, A65A69TakesLittleMemory) {
  for (const Flood& flood : floods()) {
    const auto growth = test::peak_growth([&flood] {
      const auto read = read_archive_config(flood.source(), kPlatform);
      const bool refused = !read && read.error().code == ErrorCode::integrity;
      const bool said = !read && describe(read.error()).find(flood.message) != std::string::npos;
      if (!said && !read) std::fprintf(stderr, "%s: %s\n", flood.name, describe(read.error()).c_str());
      return refused && said;
    });
    ASSERT_TRUE(growth) << flood.name;
    EXPECT_LE(*growth, kMemory) << flood.name;
  }
}

}  // namespace
}  // namespace crategate::layout
