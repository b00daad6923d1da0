// The corpus: each row is a sound archive with one thing wrong.
#include <random>

#include "base/strings.h"
#include "raw_archive.h"

namespace crategate::test {
namespace {

using Spoil = std::function<void(RawArchive&)>;

std::string made(const Spoil& spoil) {
  RawArchive archive;
  spoil(archive);
  return archive.bytes();
}

HostileArchive named(std::string row, std::string name, std::string message) {
  return {std::move(row), std::move(message), made([&name](RawArchive& archive) { archive.members[0].name = name; })};
}

std::string repeated(std::string_view piece, std::size_t times) {
  std::string text;
  for (std::size_t i = 0; i < times; ++i) text += piece;
  return text;
}

std::vector<HostileArchive> names() {
  using namespace std::string_literals;
  return {
      named("A63: leaves its directory", "x/../../etc/hosts", "leaves its directory"),
      named("A63: begins with dots", "../evil.txt", "leaves its directory"),
      named("A63: ends with dots", "x/..", "leaves its directory"),
      named("A63: dots alone", "..", "leaves its directory"),
      named("A63: many levels up", repeated("../", 30) + "etc/passwd", "leaves its directory"),
      named("A63: the directory itself", ".", "component \".\""),
      named("A63: a dot within", "x/./y", "component \".\""),
      named("A63: absolute", "/etc/passwd", "is absolute"),
      named("A63: absolute twice", "//etc/passwd", "is absolute"),
      named("A63: a root alone", "/", "is absolute"),
      named("A63: backslashes", "..\\..\\evil.txt", "has a backslash"),
      named("A63: one backslash", "a\\b", "has a backslash"),
      named("A63: a network path", "\\\\server\\share", "has a backslash"),
      named("A63: a drive", "C:evil.txt", "drive letter"),
      named("A63: a drive with a path", "c:/evil.txt", "drive letter"),
      named("A63: NUL", "a\0b"s, "control character"),
      named("A63: NUL at the end", "a.txt\0"s, "control character"),
      named("A63: line feed", "a\nb", "control character"),
      named("A63: carriage return", "a\rb", "control character"),
      named("A63: escape", "a\x1b[31mb", "control character"),
      named("A63: a C1 control",
            "a\xC2\x9B"
            "b",
            "control character"),
      named("A63: delete", "a\x7F", "control character"),
      named("A63: no UTF-8", "a\xFF", "is not UTF-8"),
      named("A63: overlong dots", "\xC0\xAE\xC0\xAE/x", "is not UTF-8"),
      named("A63: a surrogate", "\xED\xA0\x80", "is not UTF-8"),
      named("A63: no name", "", "is empty"),
      named("A63: an empty component", "a//b", "empty component"),
      named("A63: 256 bytes", std::string(256, 'x'), "component of 256 bytes"),
      named("A63: 4097 bytes", repeated("abcdefgh/", 455) + "ab", "has 4097 bytes"),
      named("A63: 65 levels", repeated("a/", 64) + "b", "65 components"),
  };
}

HostileArchive pair(std::string row, std::string first, std::string second, std::string message) {
  return {std::move(row), std::move(message), made([&](RawArchive& archive) {
            archive.members = {RawMember{.name = first}, RawMember{.name = second}};
            for (auto& member : archive.members) {
              if (!member.name.ends_with('/')) continue;
              member.content.clear();
              member.attributes = 0040755u << 16;
            }
          })};
}

std::vector<HostileArchive> collisions() {
  return {
      pair("A65: the same name twice", "a.txt", "a.txt", "is there twice"),
      pair("A65: the same folder twice", "d/", "d/", "is there twice"),
      pair("A65: differs by case", "Readme", "README", "upper and lower case"),
      pair("A65: folders that differ by case", "Src/a", "src/b", "upper and lower case"),
      pair("A65: a file and a folder by case", "SRC", "src/b", "upper and lower case"),
      pair("A65: accents that differ by case", "\xC3\x89t\xC3\xA9", "\xC3\xA9t\xC3\xA9", "upper and lower case"),
      pair("A65: Cyrillic that differs by case", "\xD0\x96", "\xD0\xB6", "upper and lower case"),
      pair("A64: a file, then something in it", "link", "link/passwd", "both a file and a directory"),
      pair("A64: something in it, then a file", "link/passwd", "link", "both a file and a directory"),
      pair("A65: a file, then a folder of its name", "x", "x/", "both a file and a directory"),
  };
}

HostileArchive kind(std::string row, unsigned mode, std::string name, std::string message) {
  return {std::move(row), std::move(message), made([&](RawArchive& archive) {
            archive.members[0].name = name;
            archive.members[0].attributes = mode << 16;
          })};
}

std::vector<HostileArchive> kinds() {
  std::vector<HostileArchive> rows = {
      kind("A64: a symbolic link", 0120777, "link", "is a link"),
      kind("A64: a character device", 0020666, "null", "is a link, a device"),
      kind("A64: a block device", 0060660, "sda", "is a link, a device"),
      kind("A64: a pipe", 0010666, "pipe", "is a link, a device or a pipe"),
      kind("A64: a socket", 0140777, "socket", "is a link, a device"),
      kind("A64: an unknown type", 0170644, "odd", "is a link, a device"),
      kind("A64: a folder by its mode alone", 0040755, "file", "a directory by its attributes"),
      kind("A64: a file by its mode alone", 0100644, "folder/", "a directory by its attributes"),
      kind("A64: a folder with content", 0040755, "folder/", "is a directory with content"),
  };
  rows.push_back({"A64: a link, then a file through it", "is a link", made([](RawArchive& archive) {
                    archive.members = {RawMember{.name = "out", .content = "/etc", .attributes = 0120777u << 16},
                                       RawMember{.name = "out/cron.d"}};
                  })});
  return rows;
}

HostileArchive member(std::string row, std::string message, const std::function<void(RawMember&)>& spoil) {
  return {std::move(row), std::move(message), made([&](RawArchive& archive) { spoil(archive.members[0]); })};
}

std::vector<HostileArchive> headers() {
  return {
      member("A65: encrypted", "is encrypted", [](RawMember& m) { m.flags = 1; }),
      member("A65: encrypted by its local header", "says something else", [](RawMember& m) { m.local_flags = 1; }),
      member("A65: strong encryption", "is encrypted", [](RawMember& m) { m.flags = 0x41; }),
      member("A65: masked headers", "flags 8192", [](RawMember& m) { m.flags = 0x2000; }),
      member("A65: patched data", "flags 32", [](RawMember& m) { m.flags = 0x20; }),
      member("A65: version 6.3", "needs version 63", [](RawMember& m) { m.version = 63; }),
      member("A65: method 1", "method 1,", [](RawMember& m) { m.method = 1; }),
      member("A65: deflate64", "method 9,", [](RawMember& m) { m.method = 9; }),
      member("A65: LZMA", "method 14,", [](RawMember& m) { m.method = 14; }),
      member("A65: zstd", "method 93,", [](RawMember& m) { m.method = 93; }),
      member("A65: another local method", "says something else", [](RawMember& m) { m.local_method = 8; }),
      member("A65: another local name", "no local header of that name", [](RawMember& m) { m.local_name = "b.txt"; }),
      member("A65: a shorter local name", "no local header of that name", [](RawMember& m) { m.local_name = "a.tx"; }),
      member("A65: another local size", "says something else", [](RawMember& m) { m.local_size = 7; }),
      member("A65: another local packed size", "says something else", [](RawMember& m) { m.local_packed = 7; }),
      member("A65: another local check sum", "says something else", [](RawMember& m) { m.local_crc = 7; }),
      member("A65: a descriptor by one header alone", "says something else", [](RawMember& m) { m.local_flags = 8; }),
      member("A65: on another disk", "several disks", [](RawMember& m) { m.disk = 1; }),
      member("A65: another name in an extra field", "another name",
             [](RawMember& m) { m.extra = extra_field(0x7075, std::string(5, '\1') + "../x"); }),
      member("A65: another name in a local extra field", "another name",
             [](RawMember& m) { m.local_extra = extra_field(0x7075, std::string(5, '\1') + "b.txt"); }),
      member("A65: extra fields that are cut short", "cut short", [](RawMember& m) { m.extra = "\x01\x00\xFF"; }),
      member("A65: an extra field longer than its room", "cut short",
             [](RawMember& m) { m.extra = little_endian(0x7075, 2) + little_endian(40, 2) + "abc"; }),
  };
}

std::vector<HostileArchive> zip64_lies() {
  const auto eight = [](std::uint64_t value) { return little_endian(value, 8); };
  return {
      member("A65: zip64 without a field", "zip64 field that is too short", [](RawMember& m) { m.size = 0xFFFFFFFF; }),
      member("A65: a zip64 field of four bytes", "too short",
             [](RawMember& m) {
               m.size = 0xFFFFFFFF;
               m.extra = extra_field(1, "abcd");
             }),
      member("A65: a zip64 field twice", "an extra field twice",
             [&](RawMember& m) {
               m.size = 0xFFFFFFFF;
               m.extra = extra_field(1, eight(6)) + extra_field(1, eight(7));
             }),
      member("A65: a zip64 field that nothing asks for", "more than its numbers",
             [&](RawMember& m) { m.extra = extra_field(1, eight(99)); }),
      member("A65: a zip64 field that contradicts", "contradicts",
             [&](RawMember& m) { m.extra = extra_field(1, eight(7) + eight(6) + eight(0)); }),
      member("A65: zip64 says 2^63 bytes", "which has 8.0 EiB",
             [&](RawMember& m) {
               m.size = 0xFFFFFFFF;
               m.deflated = true;
               m.extra = extra_field(1, eight(std::uint64_t{1} << 63));
             }),
      member("A65: zip64 says more data than there is", "which is stored with another size",
             [&](RawMember& m) {
               m.packed = 0xFFFFFFFF;
               m.extra = extra_field(1, eight(std::uint64_t{1} << 40));
             }),
      member("A65: zip64 moves the header", "begins at 4294967296",
             [&](RawMember& m) {
               m.offset = 0xFFFFFFFF;
               m.extra = extra_field(1, eight(std::uint64_t{1} << 32));
             }),
      member("A65: zip64 on another disk", "more than its numbers",
             [&](RawMember& m) {
               m.size = 0xFFFFFFFF;
               m.extra = extra_field(1, eight(6) + little_endian(1, 4));
             }),
      member("A65: a local zip64 header without its field", "without its zip64 field",
             [](RawMember& m) { m.local_size = 0xFFFFFFFF; }),
  };
}

HostileArchive ending(std::string row, std::string message, const Spoil& spoil) {
  return {std::move(row), std::move(message), made(spoil)};
}

std::string locator(std::uint64_t at, std::uint64_t disks = 1) {
  return "PK\x06\x07" + little_endian(0, 4) + little_endian(at, 8) + little_endian(disks, 4);
}

/// One whose numbers fit the archive of one plain member, 41 bytes with a directory of 51, but for `count`.
std::string end64(std::uint64_t count) {
  return "PK\x06\x06" + little_endian(44, 8) + little_endian(45, 2) + little_endian(45, 2) + little_endian(0, 8) +
         little_endian(count, 8) + little_endian(count, 8) + little_endian(51, 8) + little_endian(41, 8);
}

std::vector<HostileArchive> ends() {
  return {
      {"A65: nothing at all", "no end record", ""},
      {"A65: no zip file", "no end record", std::string(1000, 'x')},
      {"A65: an end record that is cut short", "cut short within", "PK\x05\x06" + std::string(10, '\0')},
      ending("A65: bytes behind the end", "bytes behind its end record", [](RawArchive& a) { a.behind = "more"; }),
      ending("A65: a line break behind the end", "1 bytes behind", [](RawArchive& a) { a.behind = "\n"; }),
      ending("A65: a comment longer than the file", "0 bytes behind its end record, which says 9",
             [](RawArchive& a) { a.comment_length = 9; }),
      ending("A65: a fake end record in the comment", "bytes behind its end record",
             [](RawArchive& a) { a.comment = "PK\x05\x06" + std::string(30, '\0'); }),
      ending("A65: an empty archive in the comment", "expected it to end at",
             [](RawArchive& a) { a.comment = "PK\x05\x06" + std::string(18, '\0'); }),
      ending("A65: a whole archive in the comment", "expected it to end at",
             [](RawArchive& a) { a.comment = RawArchive{}.bytes(); }),
      ending("A65: an archive behind another", "expected it to end at",
             [](RawArchive& a) { a.behind = RawArchive{.members = {{.name = "evil"}}}.bytes(); }),
      ending("A65: bytes in front", "begins at 8, expected 0", [](RawArchive& a) { a.members[0].before = "#!/bin/x"; }),
      ending("A65: bytes between members", "3 bytes that belong to no member",
             [](RawArchive& a) { a.members.push_back({.name = "b", .before = "abc"}); }),
      ending("A65: bytes before the directory", "4 bytes that belong to no member",
             [](RawArchive& a) { a.gap = "abcd"; }),
      ending("A65: bytes behind the directory", "expected it to end at", [](RawArchive& a) { a.before_end = "abcd"; }),
      ending("A65: bytes in the directory", "more in its directory",
             [](RawArchive& a) {
               a.before_end = "abcd";
               a.directory_size = 55;
             }),
      ending("A65: a member that the count hides", "more in its directory",
             [](RawArchive& a) {
               a.members.push_back({.name = "b"});
               a.count = 1;
             }),
      ending("A65: a count without members", "a directory of 51 bytes for 2 members",
             [](RawArchive& a) { a.count = 2; }),
      ending("A65: 65 535 members in 51 bytes", "has 65535 members", [](RawArchive& a) { a.count = 65535; }),
      ending("A65: a directory of no size", "expected it to end at", [](RawArchive& a) { a.directory_size = 0; }),
      ending("A65: a directory behind the file", "expected it to end at",
             [](RawArchive& a) { a.directory_offset = 0xFFFFFF00; }),
      ending("A65: several disks", "several disks", [](RawArchive& a) { a.disk = 1; }),
      ending("A65: a directory on another disk", "several disks", [](RawArchive& a) { a.directory_disk = 2; }),
      ending("A65: other members on this disk", "several disks", [](RawArchive& a) { a.disk_count = 0; }),
      ending("A65: a zip64 locator to nowhere", "not where it says",
             [](RawArchive& a) { a.before_end = locator(std::uint64_t{1} << 62); }),
      ending("A65: a zip64 locator to something else", "not where it says",
             [](RawArchive& a) { a.before_end = std::string(56, 'x') + locator(92); }),
      ending("A65: zip64 with two disks", "several disks",
             [](RawArchive& a) { a.before_end = end64(1) + locator(92, 2); }),
      ending("A65: zip64 with another count", "contradict each other",
             [](RawArchive& a) { a.before_end = end64(2) + locator(92); }),
      ending("A65: zip64 with 2^63 members", "9223372036854775808 members",
             [](RawArchive& a) {
               a.count = 0xFFFF;
               a.before_end = end64(std::uint64_t{1} << 63) + locator(92);
             }),
  };
}

std::vector<HostileArchive> overlaps() {
  return {
      ending("A65: two members share a header", "is there twice",
             [](RawArchive& a) { a.members.push_back(a.members[0]); }),
      ending("A65: a member within another", "reaches into what follows",
             [](RawArchive& a) {
               RawMember inner{.name = "inner"};
               a.members[0].content = RawArchive{.members = {inner}}.bytes().substr(0, 41);
               inner.offset = 35;
               inner.data = "";
               inner.local_size = inner.local_packed = 0;
               inner.packed = 6;
               a.members.push_back(inner);
             }),
      ending("A65: members that share their data", "reaches into what follows",
             [](RawArchive& a) {
               a.members[0].packed = a.members[0].size = 47;
               a.members.push_back({.name = "second"});
             }),
      ending("A65: data that reaches into the directory", "reaches into what follows",
             [](RawArchive& a) { a.members[0].packed = a.members[0].size = 60; }),
      ending("A65: a header behind the directory", "begins at 60", [](RawArchive& a) { a.members[0].offset = 60; }),
  };
}

std::string zeros_deflated(std::size_t size) { return deflated(std::string(size, '\0')); }

std::vector<HostileArchive> contents() {
  return {
      member("A65: another check sum", "another check sum", [](RawMember& m) { m.crc = 7; }),
      member("A65: unpacks to more", "unpacks to more",
             [](RawMember& m) {
               m.deflated = true;
               m.content = "hello";
               m.data = zeros_deflated(1u << 20);
             }),
      member("A65: unpacks to less", "unpacks to less",
             [](RawMember& m) {
               m.deflated = true;
               m.data = deflated("hell");
             }),
      member("A65: no deflate stream", "is no deflate stream",
             [](RawMember& m) {
               m.deflated = true;
               m.data = "\xFF\xFF\xFF\xFF";
             }),
      member("A65: a stream that is cut short", "cut short",
             [](RawMember& m) {
               m.deflated = true;
               m.data = deflated(m.content).substr(0, 4);
             }),
      member("A65: no stream at all", "cut short",
             [](RawMember& m) {
               m.deflated = true;
               m.data = "";
             }),
      member("A65: bytes behind a stream", "more data than its stream",
             [](RawMember& m) {
               m.deflated = true;
               m.data = deflated(m.content) + "x";
             }),
      member("A65: stored with another size", "stored with another size", [](RawMember& m) { m.size = 7; }),
      member("A65: a distance before the beginning", "is no deflate stream",
             [](RawMember& m) {
               m.deflated = true;
               m.data = "\x03\x02";
             }),
      member("A65: a descriptor with another size", "data descriptor that says something else",
             [](RawMember& m) {
               m.descriptor = true;
               m.descriptor_bytes = "PK\x07\x08" + std::string(12, '\1');
             }),
      member("A65: no descriptor where one must be", "has no data descriptor",
             [](RawMember& m) {
               m.descriptor = true;
               m.descriptor_bytes = "";
             }),
      member("A65: a descriptor of odd size", "13 bytes that belong to no member",
             [](RawMember& m) {
               m.descriptor = true;
               m.descriptor_bytes = std::string(13, '\0');
             }),
  };
}

/// Text that deflates to about a 60th.
std::string half_repeating(std::size_t size) {
  std::minstd_rand random(1);
  std::string text;
  while (text.size() < 16u << 10) text += static_cast<char>(random() & 0xFF);
  while (text.size() < size) text += text;
  return text.substr(0, size);
}

std::vector<HostileArchive> bombs() {
  RawArchive many;
  many.members.clear();
  for (int i = 0; i < 1001; ++i) many.members.push_back({.name = concat("f", i), .content = ""});
  RawArchive heavy;
  heavy.members.clear();
  for (int i = 0; i < 9; ++i)
    heavy.members.push_back({.name = concat("f", i), .content = half_repeating(1u << 20), .deflated = true});
  return {
      {"A65: 1001 members", "expected at most 1000", many.bytes()},
      member("A65: 8 MiB of zeros", "which has 8.0 MiB",
             [](RawMember& m) {
               m.deflated = true;
               m.content = std::string(8u << 20, '\0');
             }),
      member("A65: 600 KiB of zeros", "100 times as much",
             [](RawMember& m) {
               m.deflated = true;
               m.content = std::string(600u << 10, '\0');
             }),
      {"A65: 9 MiB in all", "more than 8.0 MiB", heavy.bytes()},
      {"A65: an archive of 9 MiB", "expected at most 8.0 MiB", std::string(9u << 20, 'x')},
  };
}

}  // namespace

std::vector<HostileArchive> hostile_archives() {
  std::vector<HostileArchive> all;
  for (auto part : {names(), collisions(), kinds(), headers(), zip64_lies(), ends(), overlaps(), contents(), bombs()})
    all.insert(all.end(), part.begin(), part.end());
  return all;
}

}  // namespace crategate::test
