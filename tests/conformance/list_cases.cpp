// Tags and referrers: complete across pages, by the API or by what stands in for it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/strings.h"
#include "conformance/bench.h"
#include "sys/parallel.h"

namespace crategate::conformance {
namespace {

using testing::UnorderedElementsAreArray;

constexpr const char* kType = "application/vnd.example.statement.v1";

void tags_in_number(Bench& bench, int number) {
  const Image made = make_image(bench.mark("listed"));
  std::vector<std::string> expected;
  for (int i = 0; i < number; ++i) {
    expected.push_back(concat("v", i));
    const auto pushed = bench.push(bench.repository(), expected.back(), made);
    ASSERT_TRUE(pushed) << describe(pushed.error());
  }
  const auto tags = bench.client().tags(bench.repository());
  ASSERT_TRUE(tags) << describe(tags.error());
  ASSERT_TRUE(*tags);
  EXPECT_THAT(**tags, UnorderedElementsAreArray(expected));
}

void one_tag(Bench& bench) { tags_in_number(bench, 1); }
void as_many_tags_as_a_page(Bench& bench) { tags_in_number(bench, 3); }
void ten_tags(Bench& bench) { tags_in_number(bench, 10); }

void tags_of_absent_repository(Bench& bench) {
  const auto tags = bench.client().tags(bench.repository("never"));
  if (!bench.can(Ability::explain_absence)) {
    EXPECT_FALSE(tags);
    return;
  }
  ASSERT_TRUE(tags) << describe(tags.error());
  EXPECT_FALSE(*tags);
}

void no_tag_left(Bench& bench) {
  const Image made = make_image(bench.mark("untagged"));
  ASSERT_TRUE(bench.push(bench.repository(), "", made));
  const auto tags = bench.client().tags(bench.repository());
  ASSERT_TRUE(tags) << describe(tags.error());
  const std::string reason = reason_against(bench.subject(), Ability::know_empty);
  EXPECT_EQ(tags->has_value(), reason.empty()) << reason;
  if (*tags) {
    EXPECT_TRUE((*tags)->empty());
  }
}

std::vector<std::string> digests_of(const std::vector<oci::Descriptor>& referrers) {
  std::vector<std::string> digests;
  for (const auto& each : referrers) digests.push_back(each.digest.text());
  return digests;
}

std::string subject_of(const Image& image) { return descriptor_json(image.media_type, image.manifest); }

void referrers_in_number(Bench& bench, int number, bool twice = false) {
  const oci::Repository repository = bench.repository();
  const Image image = make_image(bench.mark("subject"));
  ASSERT_TRUE(bench.push(repository, "v1", image));
  std::vector<std::string> expected;
  for (int i = 0; i < number; ++i) {
    const Image artifact = make_artifact(bench.mark(std::to_string(i)), kType, subject_of(image));
    for (int time = 0; time < (twice ? 2 : 1); ++time) {
      const auto pushed = bench.push(repository, "", artifact);
      if (!bench.can(Ability::move_tag) && !pushed) return;  // where a list is a tag that must move
      ASSERT_TRUE(pushed) << describe(pushed.error());
    }
    expected.push_back(artifact.digest().text());
  }
  const auto referrers = bench.client().referrers(repository, image.digest());
  if (number == 0 && bench.subject().has(test::RegistryQuirk::html_errors) && !referrers) return;
  ASSERT_TRUE(referrers) << describe(referrers.error());
  EXPECT_THAT(digests_of(*referrers), UnorderedElementsAreArray(expected));
  for (const auto& each : *referrers) {
    EXPECT_EQ(each.artifact_type == kType, bench.can(Ability::tell_artifact_type)) << each.artifact_type;
    EXPECT_EQ(each.media_type, oci::kOciManifest);
    EXPECT_FALSE(each.annotations.empty());
  }
}

void no_referrer(Bench& bench) { referrers_in_number(bench, 0); }
void one_referrer(Bench& bench) { referrers_in_number(bench, 1); }
void seven_referrers(Bench& bench) { referrers_in_number(bench, 7); }
void referrer_pushed_twice(Bench& bench) { referrers_in_number(bench, 1, true); }

/// As a copy writes signatures, SBOM and provenance of an image: none may undo what another has listed.
void referrers_side_by_side(Bench& bench) {
  const oci::Repository repository = bench.repository();
  const Image image = make_image(bench.mark("subject"));
  ASSERT_TRUE(bench.push(repository, "v1", image));
  if (!bench.can(Ability::move_tag)) return;  // where a list is a tag that must move
  std::vector<Image> artifacts;
  std::vector<std::string> expected;
  for (int i = 0; i < 5; ++i) {
    artifacts.push_back(make_artifact(bench.mark(std::to_string(i)), kType, subject_of(image)));
    expected.push_back(artifacts[static_cast<std::size_t>(i)].digest().text());
    for (const std::string& bytes : {artifacts.back().config, artifacts.back().layers[0]})
      ASSERT_TRUE(bench.put_blob(repository, bytes));
  }
  registry::HttpRegistry& client = bench.client();
  const auto written = sys::for_each_parallel(artifacts.size(), artifacts.size(), [&](std::size_t i) -> Result<void> {
    const Image& each = artifacts[i];
    CG_CHECK(client.put_manifest(Bench::by_digest(repository, each.digest()), each.manifest, each.media_type));
    return {};
  });
  ASSERT_TRUE(written) << describe(written.error());
  const auto referrers = client.referrers(repository, image.digest());
  ASSERT_TRUE(referrers) << describe(referrers.error());
  EXPECT_THAT(digests_of(*referrers), UnorderedElementsAreArray(expected));
}

void referrer_before_its_subject(Bench& bench) {
  const oci::Repository repository = bench.repository();
  const Image image = make_image(bench.mark("late"));
  const Image artifact = make_artifact(bench.mark("early"), kType, subject_of(image));
  const auto pushed = bench.push(repository, "", artifact);
  ASSERT_TRUE(pushed) << describe(pushed.error());
  const auto referrers = bench.client().referrers(repository, image.digest());
  ASSERT_TRUE(referrers) << describe(referrers.error());
  EXPECT_THAT(digests_of(*referrers), testing::ElementsAre(artifact.digest().text()));
}

void index_as_referrer(Bench& bench) {
  const oci::Repository repository = bench.repository();
  const Image image = make_image(bench.mark("subject")), child = make_image(bench.mark("child"));
  ASSERT_TRUE(bench.push(repository, "v1", image));
  ASSERT_TRUE(bench.push(repository, "", child));
  const std::string bytes =
      index_of({child}, false, concat(R"(,"artifactType":")", kType, R"(","subject":)", subject_of(image)));
  const auto pushed = bench.push_manifest(repository, "", bytes, oci::kOciIndex);
  ASSERT_TRUE(pushed) << describe(pushed.error());
  const auto referrers = bench.client().referrers(repository, image.digest());
  ASSERT_TRUE(referrers) << describe(referrers.error());
  ASSERT_EQ(referrers->size(), 1U);
  EXPECT_EQ(referrers->front().media_type, oci::kOciIndex);
  EXPECT_EQ(referrers->front().artifact_type == kType, bench.can(Ability::tell_artifact_type));
}

void referrer_that_goes(Bench& bench) {
  const oci::Repository repository = bench.repository();
  const Image image = make_image(bench.mark("subject"));
  const Image artifact = make_artifact(bench.mark("goes"), kType, subject_of(image));
  ASSERT_TRUE(bench.push(repository, "v1", image));
  ASSERT_TRUE(bench.push(repository, "", artifact));
  const auto removed = bench.client().remove_manifest(Bench::by_digest(repository, artifact.digest()));
  if (!bench.can(Ability::remove)) {
    EXPECT_FALSE(removed);
    return;
  }
  ASSERT_TRUE(removed) << describe(removed.error());
  const auto referrers = bench.client().referrers(repository, image.digest());
  if (!referrers && !bench.can(Ability::explain_absence)) return;
  ASSERT_TRUE(referrers) << describe(referrers.error());
  EXPECT_TRUE(referrers->empty()) << reason_against(bench.subject(), Ability::list_referrers);
}

}  // namespace

std::vector<Case> list_cases() {
  return {{"TagsOne", one_tag},
          {"TagsAsManyAsAPage", as_many_tags_as_a_page},
          {"TagsTen", ten_tags},
          {"TagsOfAbsentRepository", tags_of_absent_repository},
          {"TagsWhereNothingIsTagged", no_tag_left},
          {"ReferrersNone", no_referrer},
          {"ReferrersOne", one_referrer},
          {"ReferrersSeven", seven_referrers},
          {"ReferrersSideBySide", referrers_side_by_side},
          {"ReferrerPushedTwice", referrer_pushed_twice},
          {"ReferrerBeforeItsSubject", referrer_before_its_subject},
          {"ReferrerThatIsAnIndex", index_as_referrer},
          {"ReferrerThatGoes", referrer_that_goes}};
}

}  // namespace crategate::conformance
