// The index of a release: its bytes, and what is read back from them.
#include "pipeline/release_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/strings.h"
#include "golden/golden.h"
#include "oci/media_types.h"
#include "unit/pipeline/sample.h"

namespace crategate::pipeline {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

Plan plan() { return *compute_plan(sample::facts(), sample::configuration()); }

std::map<std::string, oci::Descriptor> images(const Plan& plan) {
  std::map<std::string, oci::Descriptor> found;
  for (const auto& cell : plan.cells) {
    found.emplace(cell.key, oci::Descriptor{.media_type = std::string(oci::kOciManifest),
                                            .digest = oci::Digest::of(cell.key),
                                            .size = 1234,
                                            .annotations = {},
                                            .platform = std::nullopt});
  }
  return found;
}

TEST(ReleaseSet, HasTheBytesOfTheGoldenFile) {
  golden::expect("release-set.json", release_set_index(plan(), images(plan())).value());
}

TEST(ReleaseSet, IsReadBack) {
  const auto of = plan();
  const auto set = parse_release_set(release_set_index(of, images(of)).value(), oci::kOciIndex, "me/set:latest");
  ASSERT_TRUE(set) << describe(set.error());
  EXPECT_EQ(set->version, "v1.2.3");
  EXPECT_EQ(set->revision, sample::kCommit);
  ASSERT_THAT(set->images, SizeIs(of.cells.size()));
  for (std::size_t i = 0; i < of.cells.size(); ++i) {
    EXPECT_EQ(set->images[i].cell, of.cells[i].key);
    EXPECT_EQ(set->images[i].image.repository.familiar(), of.cells[i].image);
    EXPECT_EQ(set->images[i].image.tag, "v1.2.3");
    EXPECT_EQ(set->images[i].image.digest, oci::Digest::of(of.cells[i].key));
  }
}

TEST(ReleaseSet, OfAProjectWithoutGitHasNoRevision) {
  auto of = plan();
  of.commit.clear();
  const auto bytes = release_set_index(of, images(of)).value();
  EXPECT_THAT(bytes, ::testing::Not(HasSubstr("revision")));
  EXPECT_EQ(parse_release_set(bytes, oci::kOciIndex, "set")->revision, "");
}

TEST(ReleaseSet, ListsEveryImageOrIsNotMade) {
  auto found = images(plan());
  found.erase("cuda-py3.11");
  const auto bytes = release_set_index(plan(), found);
  ASSERT_FALSE(bytes);
  EXPECT_EQ(bytes.error().code, ErrorCode::bad_input);
  EXPECT_THAT(bytes.error().message, HasSubstr("cuda-py3.11"));
  auto untagged = plan();
  untagged.cells[0].tags.clear();
  EXPECT_FALSE(release_set_index(untagged, images(untagged)));
}

TEST(ReleaseSet, HoldsNoMoreThanAnIndexDoes) {
  auto of = plan();
  const auto cell = of.cells[0];
  while (of.cells.size() <= 1024) of.cells.push_back(cell);
  EXPECT_EQ(release_set_index(of, images(of)).error().code, ErrorCode::bad_input);
}

struct Bad {
  std::string what, bytes, message;
  std::string_view media_type = oci::kOciIndex;
  ErrorCode code = ErrorCode::bad_input;
};

void PrintTo(const Bad& row, std::ostream* out) { *out << row.what; }

class NoReleaseSets : public ::testing::TestWithParam<Bad> {};

std::string index_with(const std::string& type, const std::string& annotations) {
  return concat(R"({"schemaVersion":2,"mediaType":")", oci::kOciIndex, R"(","artifactType":")", type,
                R"(","manifests":[{"mediaType":")", oci::kOciManifest, R"(","digest":")", oci::Digest::of("x").text(),
                R"(","size":1,"annotations":{)", annotations, "}}]}");
}

TEST_P(NoReleaseSets, AreRefused) {
  const auto set = parse_release_set(GetParam().bytes, GetParam().media_type, "me/set:latest");
  ASSERT_FALSE(set);
  EXPECT_EQ(set.error().code, GetParam().code);
  EXPECT_THAT(set.error().message, HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Table, NoReleaseSets,
    ::testing::Values(
        Bad{"an image", "{}", "found an image", oci::kOciManifest},
        Bad{"no JSON", "x", "manifest", oci::kOciIndex, ErrorCode::integrity},
        Bad{"another index", index_with("", R"("a":"b")"), "another index"},
        Bad{"another artifact", index_with("application/x", R"("a":"b")"), "application/x"},
        Bad{"no name", index_with(std::string(kReleaseSetType), R"("io.crategate.cell":"a")"), "ref.name"},
        Bad{"a name without a tag",
            index_with(std::string(kReleaseSetType),
                       R"("io.crategate.cell":"a","org.opencontainers.image.ref.name":"me/a")"),
            "me/a"},
        Bad{"a name with a line feed",
            index_with(std::string(kReleaseSetType),
                       R"("io.crategate.cell":"a","org.opencontainers.image.ref.name":"me/a\n:v1")"),
            "ref.name"},
        Bad{"no cell", index_with(std::string(kReleaseSetType), R"("org.opencontainers.image.ref.name":"me/a:v1")"),
            "io.crategate.cell"}));

}  // namespace
}  // namespace crategate::pipeline
