// What an image's identity is made of, and what it is not.
#include "image/fingerprint.h"

#include <gmock/gmock.h>

#include <functional>

namespace crategate::image {
namespace {

const std::string kEmpty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const std::string kAbc = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

oci::Digest digest(const std::string& text) { return oci::Digest::parse(text).value(); }

oci::ImageConfig sample() {
  oci::ImageConfig image;
  image.platform = {"linux", "arm64", "v8"};
  image.diff_ids = {digest(kEmpty), digest(kAbc)};
  image.config.env = {"A=1"};
  image.config.cmd = {"run"};
  image.config.labels = {{"l", "v"}};
  image.config.exposed_ports = {"80/tcp"};
  return image;
}

TEST(Fingerprint, IsTheDigestOfTheDocumentedText) {
  // printf '%s' '{"architecture":"arm64","config":{"Cmd":["run"],"Env":["A=1"],"ExposedPorts":["80/tcp"],"Labels":
  // {"l":"v"}},"diff_ids":["sha256:e3b0…","sha256:ba78…"],"os":"linux","variant":"v8"}' | sha256sum
  EXPECT_EQ(fingerprint(sample(), {}), "v1:fc2f1510186847450ab4f99866b4c96b0fc39c24ee034a56c19354a31a55abfc");
}

struct Change {
  std::string name;
  std::function<void(oci::ImageConfig&)> apply;
};

// Versions of clang-format break such rows in different ways.
// clang-format off
std::vector<Change> changes_of_identity() {
  using Image = oci::ImageConfig;
  return {
      {"os", [](Image& i) { i.platform.os = "windows"; }},
      {"architecture", [](Image& i) { i.platform.architecture = "arm"; }},
      {"variant", [](Image& i) { i.platform.variant = ""; }},
      {"layer order", [](Image& i) { std::swap(i.diff_ids[0], i.diff_ids[1]); }},
      {"layer removed", [](Image& i) { i.diff_ids.pop_back(); }},
      {"layer twice", [](Image& i) { i.diff_ids.push_back(i.diff_ids[1]); }},
      {"Env value", [](Image& i) { i.config.env = {"A=2"}; }},
      {"Env order", [](Image& i) { i.config.env = {"B=1", "A=1"}; }},
      {"Env other order", [](Image& i) { i.config.env = {"A=1", "B=1"}; }},
      {"Env name twice", [](Image& i) { i.config.env = {"A=1", "A=1"}; }},
      {"Entrypoint", [](Image& i) { i.config.entrypoint = {"run"}; }},
      {"Cmd moved to Entrypoint", [](Image& i) { std::swap(i.config.entrypoint, i.config.cmd); }},
      {"Cmd split", [](Image& i) { i.config.cmd = {"r", "un"}; }},
      {"Cmd with an empty argument", [](Image& i) { i.config.cmd = {"run", ""}; }},
      {"User", [](Image& i) { i.config.user = "0"; }},
      {"WorkingDir", [](Image& i) { i.config.working_dir = "/"; }},
      {"label value", [](Image& i) { i.config.labels["l"] = "w"; }},
      {"label added", [](Image& i) { i.config.labels["m"] = ""; }},
      {"port", [](Image& i) { i.config.exposed_ports = {"80/udp"}; }},
      {"volume", [](Image& i) { i.config.volumes = {"80/tcp"}; }},
      {"StopSignal", [](Image& i) { i.config.stop_signal = "SIGINT"; }},
      {"Shell", [](Image& i) { i.config.shell = {"sh"}; }},
      {"OnBuild", [](Image& i) { i.config.on_build = {"RUN x"}; }},
      {"health check", [](Image& i) { i.config.health_check = oci::HealthCheck{{"CMD", "x"}, 0, 0, 0, 0, 0}; }},
      {"health check interval",
       [](Image& i) { i.config.health_check = oci::HealthCheck{{"CMD", "x"}, 1, 0, 0, 0, 0}; }},
      {"health check timeout", [](Image& i) { i.config.health_check = oci::HealthCheck{{"CMD", "x"}, 0, 1, 0, 0, 0}; }},
      {"health check start", [](Image& i) { i.config.health_check = oci::HealthCheck{{"CMD", "x"}, 0, 0, 1, 0, 0}; }},
      {"health check start interval",
       [](Image& i) { i.config.health_check = oci::HealthCheck{{"CMD", "x"}, 0, 0, 0, 1, 0}; }},
      {"health check retries", [](Image& i) { i.config.health_check = oci::HealthCheck{{"CMD", "x"}, 0, 0, 0, 0, 1}; }},
  };
}
// clang-format on

// Versions of clang-format break such rows in different ways.
// clang-format off
std::vector<Change> changes_beside_identity() {
  using Image = oci::ImageConfig;
  return {
      {"nothing", [](Image&) {}},
      {"history", [](Image& i) { i.history = {{"RUN other", false}, {"ENV x", true}}; }},
      {"ignored label", [](Image& i) { i.config.labels["ignored"] = "2024"; }},
      {"empty health check", [](Image& i) { i.config.health_check = oci::HealthCheck{}; }},
      {"set with a repeated port", [](Image& i) { i.config.exposed_ports = {"80/tcp", "80/tcp"}; }},
  };
}
// clang-format on

const std::vector<std::string> kIgnored{"ignored", "absent"};

TEST(Fingerprint, ChangesWithEveryPartOfTheIdentity) {
  std::vector<std::string> seen{fingerprint(sample(), kIgnored)};
  for (const Change& change : changes_of_identity()) {
    oci::ImageConfig changed = sample();
    change.apply(changed);
    const std::string value = fingerprint(changed, kIgnored);
    EXPECT_THAT(seen, testing::Not(testing::Contains(value))) << change.name;
    EXPECT_THAT(differences(sample(), changed, kIgnored), testing::Not(testing::IsEmpty())) << change.name;
    EXPECT_THAT(differences(changed, sample(), kIgnored), testing::Not(testing::IsEmpty())) << change.name;
    seen.push_back(value);
  }
}

TEST(Fingerprint, StaysUnderWhatIsNoPartOfIt) {
  for (const Change& change : changes_beside_identity()) {
    oci::ImageConfig changed = sample();
    change.apply(changed);
    EXPECT_EQ(fingerprint(changed, kIgnored), fingerprint(sample(), kIgnored)) << change.name;
    EXPECT_THAT(differences(sample(), changed, kIgnored), testing::IsEmpty()) << change.name;
  }
}

TEST(Fingerprint, IsTheSameForEveryDocumentOfTheSameImage) {
  const auto read = [](std::string_view text) { return fingerprint(oci::parse_image_config(text).value(), {}); };
  const std::string value = read(
      R"({"architecture":"amd64","os":"linux","rootfs":{"diff_ids":[]},"config":{"Labels":{"a":"1","b":"2"},"Volumes":{"/x":{},"/y":{}}}})");
  EXPECT_EQ(read(R"({"config":{"Volumes":{"/y":{},"/x":null},"Labels":{"b":"2","a":"1"},"Env":null,"Cmd":[],"User":""},
                     "created":"2024-01-01T00:00:00Z","os":"linux","history":[],"rootfs":{"type":"layers","diff_ids":null},
                     "variant":"","architecture":"amd64"})"),
            value);
}

TEST(LayerTextDigest, IsWhatTheSeedsPipelinePrints) {
  // echo "[$A $B]" | sha256sum; echo "[$A]" | sha256sum; echo "[]" | sha256sum
  EXPECT_EQ(layer_text_digest({digest(kEmpty), digest(kAbc)}),
            "20a8eed02c0b650fed66b21bc21312ac4885d9872f63ad4f10fc671da99a7b79");
  EXPECT_EQ(layer_text_digest({digest(kEmpty)}), "916db57e24a96355af391bce13ebc4a30f17caf7a2fabb46b5f5f84d9322eeb9");
  EXPECT_EQ(layer_text_digest({}), "37517e5f3dc66819f61f5a7bb8ace1921282415f10551d2defa5c3eb0985b570");
}

TEST(EmptyEvidence, IsTheDigestOfTextsWithoutAnImageBehindThem) {
  EXPECT_TRUE(is_empty_evidence("01ba4719c80b6fe911b091a7c05124b64eeece964e09c058ef8f9805daca546b"));  // "\n"
  EXPECT_TRUE(is_empty_evidence(layer_text_digest({})));                                               // "[]\n"
  EXPECT_TRUE(is_empty_evidence(oci::Digest::of("").hex()));
  EXPECT_FALSE(is_empty_evidence(layer_text_digest({digest(kEmpty)})));
  EXPECT_FALSE(is_empty_evidence(""));
}

}  // namespace
}  // namespace crategate::image
