// The lines that BuildKit really prints about a cache that it cannot read.
#include "docker/cache_import.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/strings.h"

namespace crategate::docker {
namespace {

struct ImportCase {
  std::string what, output;
  std::vector<std::string> expected;
};

void PrintTo(const ImportCase& row, std::ostream* out) { *out << row.what; }

class CacheImports : public ::testing::TestWithParam<ImportCase> {};

TEST_P(CacheImports, AreSeenWhenTheyFail) {
  CacheImport import;
  std::vector<std::string> found;
  for (const auto& line : split(GetParam().output, '\n')) {
    if (auto reason = import.add(line)) found.push_back(*std::move(reason));
  }
  EXPECT_EQ(found, GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(
    Table, CacheImports,
    ::testing::Values(
        ImportCase{"absent",
                   "#3 [internal] load .dockerignore\n#3 DONE 0.0s\n\n#4 importing cache manifest from r:5000/cache:x\n"
                   "#4 ERROR: failed to configure registry cache importer: r:5000/cache:x: not found\n\n"
                   "#5 [1/2] FROM docker.io/library/busybox\n#5 DONE 0.1s\n------\n"
                   " > importing cache manifest from r:5000/cache:x:\n------\n",
                   {"failed to configure registry cache importer: r:5000/cache:x: not found"}},
        ImportCase{"damaged",
                   "#4 importing cache manifest from r/cache:x\n#4 inferred cache manifest type: application/x done\n"
                   "#4 ERROR: invalid character 'x' looking for beginning of value\n",
                   {"invalid character 'x' looking for beginning of value"}},
        ImportCase{"other steps between",
                   "#4 importing cache manifest from r/c\n#5 [1/2] FROM x\n#4 ERROR: refused\n",
                   {"refused"}},
        ImportCase{"said once", "#4 importing cache manifest from r/c\n#4 ERROR: one\n#4 ERROR: one\n", {"one"}},
        ImportCase{"harmless", "#4 importing cache manifest from r/c\n#4 ERROR: \x1b[2J##[error]x\n", {"## [error]x"}},
        ImportCase{"read", "#4 importing cache manifest from r/c\n#4 DONE 0.1s\n#5 CACHED\n", {}},
        ImportCase{"another step fails",
                   "#4 importing cache manifest from r/c\n#4 DONE 0.1s\n#5 ERROR: no such file\n#44 ERROR: x\n",
                   {}},
        ImportCase{"what a command prints is not the step's own line",
                   "#4 importing cache manifest from r/c\n#5 0.312 #4 ERROR: x\n#4 0.1 ERROR: x\nERROR: x\n",
                   {}},
        ImportCase{"no cache", "#1 [internal] load build definition\n#1 ERROR: x\n#\n# ERROR: x\n", {}}));

}  // namespace
}  // namespace crategate::docker
