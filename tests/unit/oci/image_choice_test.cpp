// Which entry of an index is the image (A48, and what is no image at all).
#include "oci/image_choice.h"

#include <gmock/gmock.h>

#include <map>

#include "base/strings.h"
#include "oci/media_types.h"

namespace crategate::oci {
namespace {

using testing::HasSubstr;

Descriptor entry(const std::string& name, std::optional<Platform> platform, std::string_view type = kOciManifest) {
  return {std::string(type), Digest::of(name), 7, {}, std::move(platform)};
}

Descriptor attestation(const std::string& name, std::optional<Platform> platform) {
  auto made = entry(name, std::move(platform));
  made.annotations = {{"vnd.docker.reference.type", "attestation-manifest"}};
  return made;
}

Index index(std::vector<Descriptor> entries) { return {std::string(kOciIndex), std::move(entries), {}}; }

const ReadIndex kNoOther = [](const Descriptor&) -> Result<Index> {
  return fail(ErrorCode::internal, "no index was expected");
};

Platform platform(std::string_view text) { return parse_platform(text).value(); }

struct Row {
  const char* name;
  Index index;
  std::string wanted, found;  ///< name of the entry; of an error, part of its message
};

// clang-format off
std::vector<Row> rows() {
  const auto amd64 = platform("linux/amd64"), arm64 = platform("linux/arm64"), v6 = platform("linux/arm/v6"),
             v7 = platform("linux/arm/v7"), unknown = platform("unknown/unknown"), windows = platform("windows/amd64");
  auto chart = entry("chart", amd64);
  chart.artifact_type = "application/vnd.example.chart";
  return {
      {"TheOnlyOne", index({entry("a", amd64)}), "linux/amd64", "a"},
      {"OneOfMany", index({entry("a", amd64), entry("b", arm64), entry("w", windows)}), "linux/arm64", "b"},
      {"OfTheSystem", index({entry("a", amd64), entry("w", windows)}), "windows/amd64", "w"},
      {"WithoutAPlatform", index({entry("a", std::nullopt)}), "linux/amd64", "a"},
      {"WithoutAPlatformBesideOneThatFits", index({entry("a", std::nullopt), entry("b", amd64)}), "linux/amd64", "b"},
      {"ImpliedVariant", index({entry("a", platform("linux/arm64/v8"))}), "linux/arm64", "a"},
      {"ImpliedVariantOfTheEntry", index({entry("a", arm64)}), "linux/arm64/v8", "a"},
      {"ExactBeforeImplied", index({entry("a", platform("linux/amd64/v3")), entry("b", amd64)}), "linux/amd64", "b"},
      {"VariantOfTwo", index({entry("6", v6), entry("7", v7)}), "linux/arm/v7", "7"},
      {"SameImageTwice", index({entry("a", amd64), entry("a", amd64)}), "linux/amd64", "a"},
      {"NotTheAttestation", index({attestation("x", unknown), entry("a", amd64)}), "linux/amd64", "a"},
      {"NotAnAttestationThatClaimsThePlatform", index({attestation("x", amd64), entry("a", amd64)}), "linux/amd64", "a"},
      {"NotAnAttestationWithoutAPlatform", index({attestation("x", std::nullopt), entry("a", std::nullopt)}), "linux/amd64", "a"},
      {"NotWhatIsForNoPlatform", index({entry("x", unknown), entry("a", std::nullopt)}), "linux/amd64", "a"},
      {"NotAnArtifact", index({chart, entry("a", amd64)}), "linux/amd64", "a"},
      {"NotAnotherType", index({entry("x", amd64, "text/plain"), entry("a", amd64)}), "linux/amd64", "a"},
      {"Nothing", index({}), "linux/amd64", "expected one image for linux/amd64, found 0"},
      {"AttestationsOnly", index({attestation("x", unknown)}), "unknown/unknown", "found 0"},
      {"AnotherPlatform", index({entry("a", arm64), entry("b", v7)}), "linux/amd64", "found linux/arm/v7, linux/arm64"},
      {"AnotherVariant", index({entry("6", v6)}), "linux/arm/v7", "found linux/arm/v6"},
      {"TwoVariants", index({entry("6", v6), entry("7", v7)}), "linux/arm", "found 2 (linux/arm/v6, linux/arm/v7)"},
      {"TwoImages", index({entry("a", amd64), entry("b", amd64)}), "linux/amd64", "found 2 (linux/amd64)"},
      {"TwoWithoutAPlatform", index({entry("a", std::nullopt), entry("b", std::nullopt)}), "linux/amd64", "found 2 (any)"},
  };
}
// clang-format on

class ImageChoice : public testing::TestWithParam<Row> {};

TEST_P(ImageChoice, IsThisEntry) {
  const auto chosen = choose_image(GetParam().index, platform(GetParam().wanted), kNoOther);
  if (chosen) {
    EXPECT_EQ(chosen->digest, Digest::of(GetParam().found));
  } else {
    EXPECT_THAT(chosen.error().message, HasSubstr(GetParam().found));
    EXPECT_THAT(chosen.error().code, testing::AnyOf(ErrorCode::not_found, ErrorCode::integrity));
  }
}

INSTANTIATE_TEST_SUITE_P(Rows, ImageChoice, testing::ValuesIn(rows()),
                         [](const auto& each) { return std::string(each.param.name); });

struct Nested : testing::Test {
  std::map<std::string, Index> indexes;  ///< by name
  int read = 0;
  ReadIndex reader = [this](const Descriptor& wanted) -> Result<Index> {
    ++read;
    for (const auto& [name, found] : indexes) {
      if (Digest::of(name) == wanted.digest) return found;
    }
    return fail(ErrorCode::not_found, "no such index");
  };
  static Descriptor within(const std::string& name) { return entry(name, std::nullopt, kOciIndex); }
  const Platform amd64 = platform("linux/amd64");
};

TEST_F(Nested, ImagesAreFoundTwoIndexesDeep) {
  indexes = {{"one", index({within("two")})}, {"two", index({entry("a", amd64)})}};
  EXPECT_EQ(choose_image(index({within("one")}), amd64, reader)->digest, Digest::of("a"));
}

TEST_F(Nested, A48DeeperOnesAreRefused) {
  indexes = {{"one", index({within("two")})}, {"two", index({within("three")})}, {"three", index({entry("a", amd64)})}};
  const auto chosen = choose_image(index({within("one")}), amd64, reader);
  ASSERT_FALSE(chosen);
  EXPECT_EQ(chosen.error().code, ErrorCode::integrity);
  EXPECT_THAT(chosen.error().message, HasSubstr("too deeply"));
}

TEST_F(Nested, A48AThousandInOneAreRefusedEarly) {
  std::vector<Descriptor> many;
  for (int i = 0; i < 1000; ++i) {
    many.push_back(within(std::to_string(i)));
    indexes[std::to_string(i)] = index({});
  }
  const auto chosen = choose_image(index(many), amd64, reader);
  ASSERT_FALSE(chosen);
  EXPECT_THAT(chosen.error().message, HasSubstr("at most 16 indexes"));
  EXPECT_LE(read, 16);
}

TEST_F(Nested, A48OnesThatNameThemselvesAreReadOnce) {
  indexes = {{"one", index({within("one"), within("one"), entry("a", amd64)})}};
  const auto chosen = choose_image(index({within("one"), within("one")}), amd64, reader);
  EXPECT_EQ(read, 1);
  ASSERT_TRUE(chosen) << chosen.error().message;
  EXPECT_EQ(chosen->digest, Digest::of("a"));
}

TEST_F(Nested, OnesForAnotherPlatformAreNotRead) {
  auto other = within("one");
  other.platform = platform("linux/arm64");
  EXPECT_FALSE(choose_image(index({other}), amd64, reader));
  EXPECT_EQ(read, 0);
}

TEST(ImageManifest, IsToldFromAnArtifact) {
  const auto manifest = [](std::string_view type) {
    return Manifest{std::string(kOciManifest), {std::string(type), Digest::of("c"), 2, {}, {}}, {}, {}};
  };
  EXPECT_TRUE(require_image(manifest(kOciConfig)));
  EXPECT_TRUE(require_image(manifest(kDockerConfig)));
  for (const char* type : {"application/vnd.cncf.helm.config.v1+json", "application/vnd.oci.empty.v1+json", ""}) {
    EXPECT_THAT(require_image(manifest(type)).error().message,
                HasSubstr(concat("found an artifact", " whose configuration is ", quoted(type))));
  }
}

}  // namespace
}  // namespace crategate::oci
