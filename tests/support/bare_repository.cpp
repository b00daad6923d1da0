#include "support/bare_repository.h"

#include <gtest/gtest.h>

#include "base/strings.h"

namespace crategate::test {
namespace {

/// As fast-import reads a path: everything in octal, so that nothing of it is special.
std::string in_octal(const std::string& path) {
  std::string text = "\"";
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    const auto digit = [byte](unsigned shift) { return static_cast<char>('0' + (byte >> shift & 7u)); };
    text += {'\\', digit(6), digit(3), digit(0)};
  }
  return text + '"';
}

}  // namespace

BareRepository::BareRepository() { git({"init", "-q", "--bare", "--template="}); }

sys::ProcessOutcome BareRepository::try_git(std::vector<std::string> arguments, std::string input) const {
  sys::PosixProcessRunner processes;
  const sys::Command command{.program = "git",
                             .arguments = std::move(arguments),
                             .directory = directory_.path(),
                             .environment = {{"PATH", "/usr/bin:/bin"},
                                             {"HOME", (directory_ / "home").string()},
                                             {"GIT_CONFIG_NOSYSTEM", "1"},
                                             {"GIT_DIR", path().string()},
                                             {"GIT_INDEX_FILE", (directory_ / "index").string()},
                                             {"LC_ALL", "C"}},
                             .input = std::move(input)};
  return processes.run(command, {.capture_limit = 64u << 20}).value();
}

std::string BareRepository::git(std::vector<std::string> arguments, std::string input) const {
  const std::string shown = join(arguments, " ");
  const auto outcome = try_git(std::move(arguments), std::move(input));
  EXPECT_EQ(outcome.exit_code, 0) << "git " << shown << "\n" << outcome.err;
  return std::string(trim(outcome.out));
}

std::string BareRepository::commit(const RepositoryFiles& files) const {
  std::string stream = "commit refs/heads/made\ncommitter a <a@example.com> 1 +0000\ndata 0\n";
  for (const auto& [path, file] : files) {
    stream +=
        concat("M ", file.mode, " inline ", in_octal(path), "\ndata ", file.content.size(), "\n", file.content, "\n");
  }
  git({"update-ref", "-d", "refs/heads/made"});
  git({"fast-import", "--quiet"}, stream);
  return git({"rev-parse", "refs/heads/made"});
}

std::optional<std::string> BareRepository::applied_by_git(const std::string& tree, const std::string& patch) const {
  git({"read-tree", tree});
  if (try_git({"apply", "--cached", "--whitespace=nowarn"}, patch).exit_code != 0) return std::nullopt;
  return git({"write-tree"});
}

}  // namespace crategate::test
