// fresh: auto over real layouts: where the published image and its base are looked for.
#include "stages/base_watch.h"

#include <gmock/gmock.h>

#include "base/log.h"
#include "oci/manifest.h"
#include "oci/media_types.h"
#include "pipeline/base_watch.h"
#include "stages/release_fixture.h"

namespace crategate::stages {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

/// Bases stand in the layout, too: it is a registry of its own.
class BaseWatch : public sample::Release {
 protected:
  BaseWatch() {
    make_plan();
    plan->policy.watch_base = true;
  }
  oci::Reference tag(const std::string& name, const std::string& of) const {
    return {oci::parse_repository(name).value(), of, std::nullopt};
  }
  oci::Digest put_base(const std::string& content) {
    return store
        .put_manifest(tag("ubuntu", "22.04"), oci::Index{std::string(oci::kOciIndex), {}, {{"v", content}}}.to_json(),
                      oci::kOciIndex)
        .value();
  }
  /// The cell's image as this plan builds it on `base`, at `name`.
  void publish(const std::string& name, const std::optional<oci::Digest>& base) {
    auto image = image_of(cell());
    if (base) image.labels[std::string(pipeline::kBaseDigestLabel)] = base->text();
    test_passed(cell(), image);
    ASSERT_TRUE(digest(cell()));
    const auto stored = layout.find(candidate()).value().value();
    ASSERT_TRUE(layout.tag(concat(cell().image, ":", name), stored.descriptor));
  }
  /// What a later version's plan says of the cell.
  std::string moved_from(registry::RegistryReader* images) {
    version = "v1.3.0";
    make_plan();
    plan->policy.watch_base = true;
    EXPECT_TRUE(look_at_bases(*plan, project.configuration, images, bases));
    return cell().base_moved_from;
  }
  std::string moved_from() { return moved_from(&reader); }

  sample::WatchedReader bases{store};
};

TEST_F(BaseWatch, ComparesTheImageThatLatestNames) {
  const auto old = put_base("1");
  publish("latest", old);
  EXPECT_EQ(moved_from(), "");
  put_base("2");
  EXPECT_EQ(moved_from(), old.text());
  EXPECT_TRUE(plan->is_fresh(cell()));
  EXPECT_FALSE(plan->is_fresh(cell("cpu-py3.13"))) << "it has no image yet";
  EXPECT_EQ(build_request({project.configuration, *plan, cell(), project.workspace, {}, {}})
                .labels.at(std::string(pipeline::kMovedFromLabel)),
            old.text());
}

TEST_F(BaseWatch, ComparesTheVersionTagBefore) {
  const auto old = put_base("1");
  publish("latest", old);
  const auto now = put_base("2");
  publish("v1.3.0", now);
  EXPECT_EQ(moved_from(), "");
}

// Its labels are those of this very release, as anybody may write them.
TEST_F(BaseWatch, LetsNoMovingTagChooseTheBaseOfARelease) {
  version = "v1.3.0";
  make_plan();
  const auto old = put_base("1");
  publish("latest", old);
  const auto now = put_base("2");
  EXPECT_EQ(moved_from(), old.text());
  EXPECT_EQ(cell().base_digest, now);
}

TEST_F(BaseWatch, LooksAtMovingTagsThatThisEventDoesNotMove) {
  const auto old = put_base("1");
  publish("latest", old);
  put_base("2");
  policy.latest = false;
  EXPECT_EQ(moved_from(), old.text());
  project.configuration.release.moving.clear();
  EXPECT_EQ(moved_from(), "");
}

TEST_F(BaseWatch, BuildsFreshlyWhatARegistryDoesNotTell) {
  const auto base = put_base("1");
  publish("latest", base);
  bases.down = Error{ErrorCode::unavailable, "503"};
  EXPECT_EQ(moved_from(), pipeline::kUnknownBase);
  EXPECT_THAT(plan->policy.warnings, Contains(HasSubstr("cannot tell whether it has moved")));
  bases.down.reset();
  reader.down = Error{ErrorCode::unauthenticated, "401"};
  EXPECT_EQ(moved_from(), pipeline::kUnknownBase);
  EXPECT_EQ(moved_from(nullptr), "") << "there is no layout yet";
  reader.down.reset();
  version = "v1.2.3";
  make_plan();
  publish("latest", std::nullopt);
  EXPECT_EQ(moved_from(), pipeline::kUnknownBase) << "no label";
}

// A90: the base moves between two jobs of one plan.
TEST_F(BaseWatch, BuildsEveryCellOnThePlannedBase) {
  const auto planned = put_base("1");
  make_plan();
  ASSERT_TRUE(look_at_bases(*plan, project.configuration, nullptr, bases));
  put_base("2");
  test::RecordingBuilder builder;
  for (const auto& each : plan->cells) {
    if (each.base != cell().base) continue;
    const auto request = build_request({project.configuration, *plan, each, project.workspace, {}, {}}, builder);
    EXPECT_THAT(request.build_contexts, Contains(concat("ubuntu:22.04=docker-image://ubuntu:22.04@", planned.text())));
  }
}

TEST_F(BaseWatch, AsksNobodyOfABaseThatIsReplaced) {
  bases.down = Error{ErrorCode::unavailable, "503"};
  project.configuration.build.build_contexts = {"ubuntu:22.04=.", concat(cell("cuda-py3.11").base, "=.")};
  EXPECT_EQ(moved_from(), "");
  EXPECT_THAT(plan->policy.reasons, Contains(HasSubstr("no base image that a registry could tell of")));
}

}  // namespace
}  // namespace crategate::stages
