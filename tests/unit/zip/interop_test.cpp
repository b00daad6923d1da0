// Python's zipfile, and Info-ZIP where it is: they read what we write, and we read what they write.
#include <gmock/gmock.h>

#include <cstdlib>
#include <fstream>
#include <random>

#include "base/strings.h"
#include "support/test_directory.h"
#include "sys/process.h"
#include "zip/extract.h"
#include "zip/selection.h"
#include "zip/write.h"

namespace crategate::zip {
namespace {

using testing::ElementsAre;

/// What `program` prints; nullopt when it is not there. The test fails when it answers something else than success.
std::optional<std::string> run(const std::string& program, const std::vector<std::string>& arguments,
                               const sys::Path& directory) {
  const char* path = std::getenv("PATH");
  const sys::Command command{
      .program = program,
      .arguments = arguments,
      .directory = directory,
      .environment = {{"PATH", path == nullptr ? "/usr/bin:/bin" : path}, {"LC_ALL", "C.UTF-8"}}};
  const auto outcome = sys::PosixProcessRunner().run(command, {.timeout = std::chrono::seconds(60)});
  if (!outcome) return std::nullopt;
  EXPECT_EQ(outcome->exit_code, 0) << command.text() << "\n" << outcome->out << outcome->err;
  return outcome->out;
}

std::string peer() { return concat(CRATEGATE_SOURCE_DIR, "/tests/unit/zip/zipfile_peer.py"); }

class Interop : public testing::Test {
 protected:
  void fill() {
    std::mt19937 random(1);
    std::string noise(2u << 20, '\0');
    for (char& byte : noise) byte = static_cast<char>(random() & 0xFF);
    directory_.write("in/noise", noise);
    directory_.write("in/zeros", std::string(5u << 20, '\0'));
    directory_.write("in/empty", "");
    directory_.write("in/d/\xC3\xA9t\xC3\xA9 \xF0\x9F\x93\xA6.txt", "summer");
    for (int i = 0; i < 500; ++i)
      directory_.write(concat("in/many/", i), std::string(static_cast<std::size_t>(i), 'x'));
    std::filesystem::permissions(directory_ / "in/noise", std::filesystem::perms(0750));
  }
  void pack(int level) {
    const auto selection = select(directory_.path(), {"in"});
    ASSERT_TRUE(selection);
    std::ofstream file(directory_ / "ours.zip", std::ios::binary);
    ASSERT_TRUE(write(selection->members, {.level = level, .comment = "a comment"},
                      [&file](std::string_view bytes) -> Result<void> {
                        file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
                        return {};
                      }));
  }
  test::TestDirectory directory_;
};

TEST_F(Interop, PythonReadsWhatWeWrite) {
  fill();
  for (const int level : {0, 1, 6, 9}) {
    pack(level);
    const auto said = run("python3", {peer(), "check", "ours.zip", "in"}, directory_.path());
    ASSERT_TRUE(said) << "python3, which tools/lint needs as well, does not start";
    EXPECT_EQ(*said, "a comment\n") << level;
  }
}

TEST_F(Interop, InfoZipReadsWhatWeWrite) {
  fill();
  for (const int level : {0, 6}) {
    pack(level);
    if (!run("unzip", {"-tqq", "ours.zip"}, directory_.path())) return;
  }
}

TEST_F(Interop, WeReadWhatPythonWrites) {
  ASSERT_TRUE(run("python3", {peer(), "make", "."}, directory_.path()))
      << "python3, which tools/lint needs as well, does not start";
  for (const std::string form : {"stored", "deflated", "streamed", "streamed-stored", "zip64", "streamed-zip64"}) {
    const auto done = extract(directory_ / (form + ".zip"), directory_ / form, {});
    ASSERT_TRUE(done) << form << ": " << done.error().message;
    EXPECT_EQ(done->comment, form);
    EXPECT_THAT(sys::PosixFileSystem().files_below(directory_ / form).value(),
                ElementsAre("a.txt", "d/b.txt", "d/e/\xC3\xA9t\xC3\xA9.bin", "d/empty"));
    EXPECT_EQ(directory_.read(form + "/d/b.txt").size(), 70'000u);
    EXPECT_TRUE(directory_.exists(form + "/folder"));
    EXPECT_EQ(std::filesystem::status(directory_ / form / "a.txt").permissions(), std::filesystem::perms(0640));
  }
}

TEST_F(Interop, WeReadWhatInfoZipWrites) {
  fill();
  const struct {
    std::string name;
    std::vector<std::string> arguments;
  } forms[] = {{"plain", {"-qr", "plain.zip", "in"}},
               {"zip64", {"-qr", "-fz", "zip64.zip", "in"}},
               {"descriptors", {"-qr", "-fd", "descriptors.zip", "in"}},
               {"no folders", {"-qrD", "no folders.zip", "in"}}};
  for (const auto& form : forms) {
    if (!run("zip", form.arguments, directory_.path())) return;
    const auto done = extract(directory_ / (form.name + ".zip"), directory_ / "out" / form.name, {});
    ASSERT_TRUE(done) << form.name << ": " << done.error().message;
    EXPECT_EQ(sys::PosixFileSystem().files_below(directory_ / "out" / form.name / "in").value(),
              sys::PosixFileSystem().files_below(directory_ / "in").value());
    EXPECT_EQ(directory_.read(concat("out/", form.name, "/in/noise")), directory_.read("in/noise")) << form.name;
  }
}

}  // namespace
}  // namespace crategate::zip
