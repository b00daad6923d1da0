// The lines that explain why two images are not the same.
#include <gmock/gmock.h>

#include "base/strings.h"
#include "image/fingerprint.h"

namespace crategate::image {
namespace {

using testing::ElementsAre;

const oci::Digest kOne = oci::Digest::of("1"), kTwo = oci::Digest::of("2"), kThree = oci::Digest::of("3");

oci::ImageConfig sample() {
  oci::ImageConfig image;
  image.diff_ids = {kOne, kTwo};
  image.history = {{"/bin/sh -c #(nop) ADD file:abc in / ", false},
                   {"/bin/sh -c #(nop)  CMD [\"bash\"]", true},
                   {"/bin/sh -c apt-get update # buildkit", false}};
  image.config.env = {"A=1", "B=x=y"};
  return image;
}

TEST(Difference, NamesTheLayerByTheInstructionThatMadeIt) {
  oci::ImageConfig found = sample();
  found.diff_ids[1] = kThree;
  EXPECT_THAT(differences(sample(), found, {}),
              ElementsAre(concat("layer 2 (RUN apt-get update): expected ", kTwo.text(), ", found ", kThree.text())));
  found.diff_ids = {kThree, kTwo};
  EXPECT_THAT(differences(sample(), found, {}),
              ElementsAre(concat("layer 1 (ADD file:abc in /): expected ", kOne.text(), ", found ", kThree.text())));
}

TEST(Difference, ShowsMissingAndAdditionalLayers) {
  oci::ImageConfig found = sample();
  found.diff_ids.push_back(kThree);
  EXPECT_THAT(differences(sample(), found, {}),
              ElementsAre(concat("layer 3: expected no layer, found ", kThree.text())));
  EXPECT_THAT(differences(found, sample(), {}),
              ElementsAre(concat("layer 3: expected ", kThree.text(), ", found no layer")));
}

TEST(Difference, ShowsInstructionsShortAndHarmless) {
  oci::ImageConfig found = sample();
  found.diff_ids[0] = kThree;
  oci::ImageConfig expected = sample();
  expected.history[0].created_by = "\x1B[31m::error::" + std::string(100, 'x');
  EXPECT_THAT(differences(expected, found, {}),
              ElementsAre(testing::StartsWith(concat("layer 1 (: :error::", std::string(50, 'x'), "…): expected"))));
}

TEST(Difference, ComparesVariablesByNameAndElseTheWholeList) {
  oci::ImageConfig found = sample();
  found.config.env = {"A=2", "C=", "B=x=y"};
  EXPECT_THAT(differences(sample(), found, {}), ElementsAre("config.Env[\"A\"]: expected \"1\", found \"2\"",
                                                            "config.Env[\"C\"]: expected nothing, found \"\""));
  found.config.env = {"B=x=y", "A=1"};
  EXPECT_THAT(differences(sample(), found, {}),
              ElementsAre(R"(config.Env: expected ["A=1","B=x=y"], found ["B=x=y","A=1"])"));
  found.config.env = {"A=1", "A=1"};
  EXPECT_THAT(differences(sample(), found, {}),
              ElementsAre(R"(config.Env: expected ["A=1","B=x=y"], found ["A=1","A=1"])"));
}

TEST(Difference, ComparesLabelsByNameAndLeavesOutTheIgnoredOnes) {
  oci::ImageConfig expected = sample(), found = sample();
  expected.config.labels = {{"created", "1"}, {"a.b", "x"}, {"gone", "y"}};
  found.config.labels = {{"created", "2"}, {"a.b", "z"}};
  EXPECT_THAT(differences(expected, found, {"created"}),
              ElementsAre("config.Labels[\"a.b\"]: expected \"x\", found \"z\"",
                          "config.Labels[\"gone\"]: expected \"y\", found nothing"));
  EXPECT_EQ(differences(expected, found, {}).size(), 3u);
}

TEST(Difference, ShowsOtherKeysAsValues) {
  oci::ImageConfig found = sample();
  found.platform.variant = "v2";
  found.config.cmd = {"sh", "-c"};
  found.config.user = "root";
  EXPECT_THAT(differences(sample(), found, {}), ElementsAre("platform: expected linux/amd64, found linux/amd64/v2",
                                                            R"(config.Cmd: expected nothing, found ["sh","-c"])",
                                                            R"(config.User: expected nothing, found "root")"));
}

}  // namespace
}  // namespace crategate::image
