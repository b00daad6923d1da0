// Image configurations.
#include "oci/image_config.h"

#include <gmock/gmock.h>

#include "base/strings.h"

namespace crategate::oci {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

const std::string kDiffId = Digest::of("layer").text();

std::string document(std::string_view config) {
  return concat(R"({"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[")", kDiffId,
                R"("]},"config":)", config, "}");
}

ImageConfig parsed(std::string_view bytes) {
  auto image = parse_image_config(bytes);
  if (!image) throw std::runtime_error(image.error().message);
  return *std::move(image);
}

TEST(ImageConfig, ReadsEveryKeyThatDecidesWhatRuns) {
  const ImageConfig image = parsed(
      concat(R"({"architecture":"arm64","os":"linux","variant":"v8","author":"someone","created":"2024-01-01T00:00:00Z",
    "rootfs":{"type":"layers","diff_ids":[")",
             kDiffId, R"("]},
    "history":[{"created_by":"ADD x /"},{"created_by":"ENV A=1","empty_layer":true}],
    "config":{"Env":["B=2","A=1"],"Entrypoint":["/e"],"Cmd":["c"],"Shell":["/bin/bash"],"OnBuild":["RUN x"],"User":"1:2",
      "WorkingDir":"/w","StopSignal":"SIGINT","Labels":{"l":"v"},"ExposedPorts":{"90/udp":{},"80/tcp":{}},"Volumes":{"/v":{}},
      "Healthcheck":{"Test":["CMD","t"],"Interval":1,"Timeout":2,"StartPeriod":3,"StartInterval":4,"Retries":5},
      "ArgsEscaped":true,"Hostname":"h"}})"));
  EXPECT_EQ(image.platform, (Platform{"linux", "arm64", "v8"}));
  EXPECT_THAT(image.diff_ids, ElementsAre(Digest::of("layer")));
  EXPECT_THAT(image.config.env, ElementsAre("B=2", "A=1"));
  EXPECT_THAT(image.config.exposed_ports, ElementsAre("80/tcp", "90/udp"));
  EXPECT_THAT(image.config.volumes, ElementsAre("/v"));
  EXPECT_THAT(image.config.labels, ElementsAre(Pair("l", "v")));
  EXPECT_EQ(image.config.user, "1:2");
  EXPECT_EQ(image.config.working_dir, "/w");
  EXPECT_EQ(image.config.stop_signal, "SIGINT");
  EXPECT_EQ(image.config.health_check, (HealthCheck{{"CMD", "t"}, 1, 2, 3, 4, 5}));
  ASSERT_EQ(image.history.size(), 2u);
  EXPECT_FALSE(image.history[0].empty_layer);
  EXPECT_TRUE(image.history[1].empty_layer);
}

TEST(ImageConfig, AbsentNullAndEmptyAreTheSame) {
  const ContainerConfig empty;
  for (const std::string_view config :
       {"null", "{}", R"({"Env":null,"Cmd":null,"Labels":null,"Volumes":null,"Healthcheck":null,"User":null})",
        R"({"Env":[],"Cmd":[],"Labels":{},"Volumes":{},"ExposedPorts":{},"Healthcheck":{},"User":"","OnBuild":[]})"}) {
    EXPECT_EQ(parsed(document(config)).config, empty) << config;
  }
  EXPECT_EQ(parsed(R"({"architecture":"a","os":"o","rootfs":{"diff_ids":null},"history":null})").diff_ids.size(), 0u);
}

TEST(ImageConfig, RefusesWithThePath) {
  const struct {
    std::string_view name;
    std::string bytes;
    std::string_view message;
  } rows[] = {
      {"no JSON", "\x1F\x8B", "image configuration:1:"},
      {"no architecture", R"({"os":"linux","rootfs":{"diff_ids":[]}})", "architecture: expected a value"},
      {"empty os", R"({"os":"","architecture":"a","rootfs":{"diff_ids":[]}})", "os: expected a name"},
      {"no rootfs", R"({"os":"linux","architecture":"a"})", "rootfs: expected a value"},
      {"bad diff ID", R"({"os":"l","architecture":"a","rootfs":{"diff_ids":["sha256:x"]}})",
       "rootfs.diff_ids[0]: expected sha256:"},
      {"diff ID that is no text", R"({"os":"l","architecture":"a","rootfs":{"diff_ids":[7]}})",
       "rootfs.diff_ids[0]: expected a string"},
      {"Env as a text", document(R"({"Env":"A=1"})"), "config.Env: expected an array"},
      {"Env with null", document(R"({"Env":["A=1",null]})"), "config.Env[1]: expected a string, found null"},
      {"label that is no text", document(R"({"Labels":{"a.b":true}})"), "config.Labels[\"a.b\"]: expected a string"},
      {"ports as a list", document(R"({"ExposedPorts":["80/tcp"]})"), "config.ExposedPorts: expected an object"},
      {"interval as a text", document(R"({"Healthcheck":{"Interval":"30s"}})"), "config.Healthcheck.Interval"},
      {"two spellings", document(R"({"Env":["A=1"],"env":["A=2"]})"),
       "config: expected the key \"Env\" in this spelling only"},
      {"spelling with a long s",
       document("{\"U\xC5\xBF"
                "er\":\"root\"}"),
       "the key \"User\""},
      {"other spelling of config", R"({"os":"l","architecture":"a","rootfs":{"diff_ids":[]},"Config":{}})",
       "the key \"config\""},
      {"duplicate key", document(R"({"Env":["A=1"],"Env":["A=2"]})"), "duplicate key \"Env\""},
  };
  for (const auto& row : rows) {
    const auto image = parse_image_config(row.bytes);
    ASSERT_FALSE(image.has_value()) << row.name;
    EXPECT_EQ(image.error().code, ErrorCode::integrity) << row.name;
    EXPECT_THAT(image.error().message, HasSubstr(row.message)) << row.name;
  }
}

}  // namespace
}  // namespace crategate::oci
