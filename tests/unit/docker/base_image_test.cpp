#include "docker/base_image.h"

#include <gmock/gmock.h>

#include "base/strings.h"

namespace crategate::docker {
namespace {

const std::string kDigest = concat("sha256:", std::string(64, 'd'));
const std::string kOther = concat("sha256:", std::string(64, 'e'));

class OneImage final : public Engine {
 public:
  Result<EngineInfo> info() override { return EngineInfo{"1.45", true}; }
  Result<std::optional<EngineImage>> find_image(const std::string&) override {
    ++asked;
    return image;
  }
  Result<void> pull_image(const std::string&) override { return fail(ErrorCode::internal, "not asked"); }
  Result<void> save_image(const std::string&, const net::BodySink&) override { return {}; }
  Result<void> load_image(const net::BodySource&, std::uint64_t) override { return {}; }
  Result<void> remove_image(const std::string&) override { return {}; }
  Result<ContainerOutcome> run_container(const ContainerSpec&, const ContainerRun&) override {
    return ContainerOutcome{};
  }
  std::optional<EngineImage> image;
  int asked = 0;
};

struct BaseImagesTest : testing::Test {
  std::optional<BaseImage> find(const std::string& name) {
    return bases.find(name, [this] { return sees_engine; });
  }
  void engine_has(std::vector<std::string> repo_digests) {
    engine.image = EngineImage{.id = "x", .repo_digests = std::move(repo_digests)};
  }
  OneImage engine;
  bool sees_engine = true;
  Result<sys::ProcessOutcome> answer =
      sys::ProcessOutcome{.exit_code = 0, .out = concat("{\"digest\":\"", kOther, "\"}\n")};
  std::vector<std::vector<std::string>> inspected;
  BaseImages bases{engine, [this](const std::vector<std::string>& arguments) {
                     inspected.push_back(arguments);
                     return answer;
                   }};
};

TEST_F(BaseImagesTest, TakesTheDigestOfItsOwnRepositoryFromTheEngine) {
  engine_has({concat("mirror.test/debian@", kOther), concat("debian@", kDigest)});
  const auto found = find("debian:trixie-slim");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->digest.text(), kDigest);
  EXPECT_TRUE(found->in_engine);
  EXPECT_TRUE(inspected.empty());
}

TEST_F(BaseImagesTest, SaysNothingOfAnImageThatCameFromNoRegistry) {
  engine_has({concat("mirror.test/debian@", kOther)});
  EXPECT_FALSE(find("debian:trixie-slim"));
  EXPECT_TRUE(inspected.empty());  // the registry may have another image of that name
}

TEST_F(BaseImagesTest, AsksTheRegistryForWhatTheEngineDoesNotHave) {
  const auto found = find("debian:trixie-slim");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->digest.text(), kOther);
  EXPECT_FALSE(found->in_engine);
  EXPECT_THAT(inspected,
              testing::ElementsAre(testing::ElementsAre("imagetools", "inspect", "--format={{json .Manifest}}",
                                                        "docker.io/library/debian:trixie-slim")));
}

TEST_F(BaseImagesTest, AsksTheRegistryWhereTheBuilderDoesNotSeeTheEngine) {
  engine_has({concat("debian@", kDigest)});
  sees_engine = false;
  EXPECT_EQ(find("debian:trixie-slim")->digest.text(), kOther);
}

TEST_F(BaseImagesTest, LooksEachNameUpOnce) {
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(find("a:1"));
  answer = sys::ProcessOutcome{.exit_code = 1, .out = "unauthorized"};
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(find("b:1"));
  EXPECT_EQ(engine.asked, 2);
  EXPECT_EQ(inspected.size(), 2u);
}

TEST_F(BaseImagesTest, KnowsWithoutAskingWhatANameAlreadySays) {
  EXPECT_EQ(find(concat("debian@", kDigest))->digest.text(), kDigest);
  for (const char* name : {"scratch", "", "--help", "Not A Name"}) EXPECT_FALSE(find(name)) << name;
  EXPECT_EQ(engine.asked, 0);
  EXPECT_TRUE(inspected.empty());
}

TEST_F(BaseImagesTest, BelievesNoAnswerThatIsNoDigest) {
  for (const std::string text : {"<no value>", "{}", R"({"digest":"latest"})", ""}) {
    answer = sys::ProcessOutcome{.exit_code = 0, .out = text};
    EXPECT_FALSE(find(concat("a:", inspected.size()))) << text;
  }
  answer = fail(ErrorCode::engine, "cannot start");
  EXPECT_FALSE(find("b:1"));
}

}  // namespace
}  // namespace crategate::docker
