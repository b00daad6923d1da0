// Deletion, and what a registry says that has none.
#include <gtest/gtest.h>

#include "conformance/bench.h"
#include "registry/untag.h"

namespace crategate::conformance {
namespace {

bool is_there(Bench& bench, const oci::Reference& reference) {
  const auto found = bench.client().manifest(reference);
  if (!found && bench.can(Ability::explain_absence)) ADD_FAILURE() << describe(found.error());
  return found && *found;
}

void expect_conflict(const Result<bool>& removed) {
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().code, ErrorCode::conflict) << describe(removed.error());
}

void tag(Bench& bench) {
  const oci::Repository repository = bench.repository();
  const Image made = make_image(bench.mark("tagged twice"));
  ASSERT_TRUE(bench.push(repository, "stays", made));
  ASSERT_TRUE(bench.push(repository, "goes", made));
  const auto removed = bench.client().remove_manifest(Bench::tag(repository, "goes"));
  if (!bench.can(Ability::remove_tag)) {
    expect_conflict(removed);
    EXPECT_TRUE(is_there(bench, Bench::tag(repository, "goes")));
  } else {
    ASSERT_TRUE(removed) << describe(removed.error());
    EXPECT_TRUE(*removed);
    EXPECT_FALSE(is_there(bench, Bench::tag(repository, "goes")));
  }
  EXPECT_TRUE(is_there(bench, Bench::tag(repository, "stays")));
}

/// Also where a registry deletes by digest only.
void tag_alone(Bench& bench) {
  const oci::Repository repository = bench.repository();
  const Image made = make_image(bench.mark("tagged twice"));
  ASSERT_TRUE(bench.push(repository, "stays", made));
  ASSERT_TRUE(bench.push(repository, "goes", made));
  const auto goes = Bench::tag(repository, "goes");
  const auto removed = registry::remove_tag(bench.client(), bench.client(), goes);
  if (!bench.can(Ability::remove)) {
    expect_conflict(removed);
    EXPECT_TRUE(is_there(bench, goes));
  } else {
    ASSERT_TRUE(removed) << describe(removed.error());
    EXPECT_TRUE(*removed);
    EXPECT_FALSE(is_there(bench, goes));
    const auto again = registry::remove_tag(bench.client(), bench.client(), goes);
    EXPECT_TRUE(!bench.can(Ability::explain_absence) || !again.value_or(true)) << "it is gone";
  }
  EXPECT_EQ(bench.client().digest(Bench::tag(repository, "stays")).value_or(std::nullopt), made.digest());
}

void manifest_with_its_tags(Bench& bench) {
  const oci::Repository repository = bench.repository();
  const Image made = make_image(bench.mark("goes")), other = make_image(bench.mark("stays"));
  ASSERT_TRUE(bench.push(repository, "one", made));
  ASSERT_TRUE(bench.push(repository, "two", made));
  ASSERT_TRUE(bench.push(repository, "other", other));
  const auto removed = bench.client().remove_manifest(Bench::by_digest(repository, made.digest()));
  if (!bench.can(Ability::remove)) {
    expect_conflict(removed);
    EXPECT_TRUE(is_there(bench, Bench::tag(repository, "one")));
    return;
  }
  ASSERT_TRUE(removed) << describe(removed.error());
  EXPECT_TRUE(*removed);
  const std::string reason = reason_against(bench.subject(), Ability::remove_with_tags);
  for (const char* tag : {"one", "two"})
    EXPECT_EQ(is_there(bench, Bench::tag(repository, tag)), !reason.empty()) << tag << ": " << reason;
  EXPECT_FALSE(is_there(bench, Bench::by_digest(repository, made.digest())));
  EXPECT_TRUE(is_there(bench, Bench::tag(repository, "other")));
}

void absent_digest(Bench& bench) {
  ASSERT_TRUE(bench.push(bench.repository(), "v1", make_image(bench.mark("there"))));
  const auto removed =
      bench.client().remove_manifest(Bench::by_digest(bench.repository(), oci::Digest::of(bench.mark("nothing"))));
  if (!bench.can(Ability::remove)) return expect_conflict(removed);
  if (!bench.can(Ability::explain_absence)) {
    EXPECT_FALSE(removed);
    return;
  }
  ASSERT_TRUE(removed) << describe(removed.error());
  EXPECT_FALSE(*removed);
}

void twice(Bench& bench) {
  const Image made = make_image(bench.mark("goes once"));
  ASSERT_TRUE(bench.push(bench.repository(), "v1", made));
  ASSERT_TRUE(bench.push(bench.repository(), "v2", make_image(bench.mark("stays"))));
  const oci::Reference reference = Bench::by_digest(bench.repository(), made.digest());
  if (!bench.can(Ability::remove)) return expect_conflict(bench.client().remove_manifest(reference));
  EXPECT_TRUE(bench.client().remove_manifest(reference).value_or(false));
  if (!bench.can(Ability::explain_absence)) return;
  const auto again = bench.client().remove_manifest(reference);
  ASSERT_TRUE(again) << describe(again.error());
  EXPECT_FALSE(*again);
}

void and_pushed_again(Bench& bench) {
  const Image made = make_image(bench.mark("comes back"));
  ASSERT_TRUE(bench.push(bench.repository(), "v1", made));
  if (!bench.can(Ability::remove)) {
    return expect_conflict(bench.client().remove_manifest(Bench::by_digest(bench.repository(), made.digest())));
  }
  ASSERT_TRUE(bench.client().remove_manifest(Bench::by_digest(bench.repository(), made.digest())));
  const auto again = bench.push(bench.repository(), "v1", made);
  ASSERT_TRUE(again) << describe(again.error());
  EXPECT_TRUE(is_there(bench, Bench::tag(bench.repository(), "v1")));
}

}  // namespace

std::vector<Case> removal_cases() {
  return {{"RemovalOfATag", tag},
          {"RemovalOfATagAlone", tag_alone},
          {"RemovalOfAManifestWithItsTags", manifest_with_its_tags},
          {"RemovalOfWhatIsAbsent", absent_digest},
          {"RemovalTwice", twice},
          {"RemovalAndPushedAgain", and_pushed_again}};
}

}  // namespace crategate::conformance
