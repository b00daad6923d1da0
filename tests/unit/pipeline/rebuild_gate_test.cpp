// The gate of plans that publish a rebuilt image: what it must have in common with the tested one, and what it need not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "base/strings.h"
#include "oci/reference.h"
#include "pipeline/rebuilt.h"
#include "unit/pipeline/evidence.h"

namespace crategate::pipeline {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

/// An image whose every part a test can change.
struct Image {
  std::string architecture = "amd64", user, env = "PATH=/usr/bin", created = "2026-11-20T03:00:00Z";
  std::vector<oci::Digest> layers = {oci::Digest::of("layer one"), oci::Digest::of("layer two")};
  std::vector<oci::Digest> contents = {oci::Digest::of("files one"), oci::Digest::of("files two")};

  std::string config() const {
    std::vector<std::string> texts;
    for (const auto& layer : layers) texts.push_back(concat('"', layer.text(), '"'));
    return concat(R"({"architecture":")", architecture, R"(","os":"linux","created":")", created,
                  R"(","config":{"User":")", user, R"(","Env":[")", env, R"("]},)",
                  R"("history":[{"created_by":"COPY src /src"},{"created_by":"RUN make install"}],)",
                  R"("rootfs":{"type":"layers","diff_ids":[)", join(texts, ","), "]}}");
  }
  ObservedImage observed() const {
    const oci::Descriptor layer{.media_type = std::string(oci::kOciLayerGzip), .digest = oci::Digest::of("blob")};
    return {.manifest_digest = oci::Digest::of("rebuilt"),
            .manifest_size = 9,
            .manifest = {.media_type = std::string(oci::kOciManifest),
                         .config = {.digest = oci::Digest::of(config())},
                         .layers = std::vector(layers.size(), layer)},
            .config = oci::parse_image_config(config()).value(),
            .tested = std::nullopt,
            .contents = contents};
  }
};

Plan plan_of(const std::string& rebuild) {
  auto configuration = sample::configuration();
  configuration.gate.mode = config::GateMode::rebuild;
  configuration.gate.rebuild = rebuild;
  return compute_plan(sample::facts(), configuration).value();
}

struct Case {
  explicit Case(const std::string& rebuild) : plan(plan_of(rebuild)), record(sample::record(plan)) {
    const Image tested;
    record.candidate.clear();
    record.config = tested.config();
    record.config_digest = oci::Digest::of(record.config);
    record.tests.config_digest = record.config_digest;
    record.contents = tested.contents;
    record.fingerprint = image::fingerprint(tested.observed().config, sample::ignored_labels());
  }
  CellVerdict judged() const { return judge(plan, plan.cells.front(), record, rebuilt.observed(), demands()); }
  Demands demands() const {
    return {.ignore_labels = sample::ignored_labels(), .run = record.run, .attempt = {}, .key = {}};
  }
  Plan plan;
  Record record;
  Image rebuilt;
};

std::string reasons(const CellVerdict& verdict) {
  std::vector<std::string> found;
  for (const auto& finding : verdict.findings) found.emplace_back(to_string(finding.reason));
  return verdict.admitted ? "admitted" : join(found, " ");
}

TEST(RebuildGate, AdmitsWhatThePolicyAsksForAndNothingElse) {
  const oci::Digest other = oci::Digest::of("other");
  const struct {
    const char* name;
    std::function<void(Image&)> change;
    const char *strict, *content;
  } rows[] = {
      {"the same", [](Image&) {}, "admitted", "admitted"},
      {"made at another time", [](Image& image) { image.created = "2026-11-21T03:00:00Z"; }, "admitted", "admitted"},
      {"times of a file", [&](Image& image) { image.layers[1] = other; }, "layer-differs", "admitted"},
      {"times in every layer",
       [&](Image& image) {
         image.layers = {other, other};
       },
       "layer-differs", "admitted"},
      {"a file", [&](Image& image) { image.layers[1] = image.contents[1] = other; }, "content-differs",
       "content-differs"},
      {"a file in the first layer", [&](Image& image) { image.layers[0] = image.contents[0] = other; },
       "content-differs", "content-differs"},
      {"layers in another order",
       [](Image& image) {
         std::swap(image.layers[0], image.layers[1]);
         std::swap(image.contents[0], image.contents[1]);
       },
       "content-differs", "content-differs"},
      {"a layer more",
       [&](Image& image) {
         image.layers.push_back(other);
         image.contents.push_back(other);
       },
       "content-differs", "content-differs"},
      {"a layer less",
       [](Image& image) {
         image.layers.pop_back();
         image.contents.pop_back();
       },
       "content-differs", "content-differs"},
      {"contents that nobody looked at", [](Image& image) { image.contents.clear(); }, "content-differs",
       "content-differs"},
      {"a variable", [](Image& image) { image.env = "LD_PRELOAD=/evil.so"; }, "config-differs", "config-differs"},
      {"the user", [](Image& image) { image.user = "root"; }, "config-differs", "config-differs"},
      {"the architecture", [](Image& image) { image.architecture = "arm64"; }, "platform-differs", "platform-differs"},
  };
  for (const auto& row : rows) {
    for (const std::string rebuild : {"strict", "content"}) {
      Case one(rebuild);
      row.change(one.rebuilt);
      EXPECT_EQ(reasons(one.judged()), rebuild == "strict" ? row.strict : row.content) << row.name << ", " << rebuild;
    }
  }
}

TEST(RebuildGate, SaysWhichLayerAndThatOnlyTimesDiffer) {
  Case one("strict");
  one.rebuilt.layers[1] = oci::Digest::of("other");
  EXPECT_THAT(one.judged().findings.front().found,
              AllOf(StartsWith("layer 2 (RUN make install): "), HasSubstr("the same up to their times")));
  one.rebuilt.contents[1] = oci::Digest::of("other");
  EXPECT_THAT(one.judged().findings.front().found,
              AllOf(StartsWith("layer 2 (RUN make install): "), Not(HasSubstr("times"))));
}

TEST(RebuildGate, NeedsARebuildAndTheTestedConfiguration) {
  const Case one("content");
  const auto without = judge(one.plan, one.plan.cells.front(), one.record, std::nullopt, one.demands());
  EXPECT_EQ(reasons(without), "candidate-missing");
  Case bare("content");
  bare.record.config.clear();
  EXPECT_EQ(reasons(bare.judged()), "record-unreadable");
  Case forged("content");
  forged.record.config = replace_all(forged.record.config, "layer", "other");
  forged.record.diff_ids.pop_back();
  EXPECT_FALSE(forged.judged().admitted);
}

TEST(RebuildGate, BelievesNoFingerprintAndNoLayerThatIsElsewhere) {
  Case one("content");
  one.record.fingerprint = concat("v1:", std::string(64, '1'));
  EXPECT_EQ(reasons(one.judged()), "config-differs");
  Case other("strict");
  other.record.platform = oci::parse_platform("linux/arm64").value();
  EXPECT_EQ(reasons(other.judged()), "platform-differs record-unreadable");
  const Case good("content");
  auto observed = good.rebuilt.observed();
  observed.manifest.layers[1].media_type = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip";
  EXPECT_EQ(reasons(judge(good.plan, good.plan.cells.front(), good.record, observed, good.demands())),
            "candidate-swapped");
  EXPECT_EQ(reasons(judge(good.plan, good.plan.cells.front(), good.record, {}, good.demands(), "an index")),
            "candidate-swapped");
}

TEST(RebuildGate, JudgesTheRecordBeforeAnythingIsBuilt) {
  Case one("strict");
  EXPECT_TRUE(judge_record(one.plan, one.plan.cells.front(), one.record, one.demands()).admitted);
  auto demands = one.demands();
  demands.key = Secret(std::string(32, 'k'));
  EXPECT_EQ(reasons(judge_record(one.plan, one.plan.cells.front(), one.record, demands)), "signature-invalid");
  one.record.tests.verdict = TestVerdict::failed;
  EXPECT_EQ(reasons(judge_record(one.plan, one.plan.cells.front(), one.record, one.demands())), "tests-not-passed");
}

TEST(RebuildGate, AsksForTheSameEvidenceAsPromotion) {
  Case one("content");
  one.record.tests.verdict = TestVerdict::failed;
  EXPECT_EQ(reasons(one.judged()), "tests-not-passed");
  Case foreign("content");
  foreign.record.commit = "another";
  EXPECT_EQ(reasons(foreign.judged()), "record-foreign");
}

TEST(RebuildRecord, CarriesTheConfigurationBehindItsDigest) {
  const Case one("strict");
  const auto text = to_json(one.record);
  const auto read = parse_record(text, "record.json");
  ASSERT_TRUE(read) << describe(read.error());
  EXPECT_EQ(read->config, one.record.config);
  EXPECT_EQ(read->contents, one.record.contents);
  const auto forged = parse_record(replace_all(text, "PATH=/usr/bin", "PATH=/evil"), "record.json");
  ASSERT_FALSE(forged);
  EXPECT_THAT(forged.error().message, HasSubstr("expected the bytes of " + one.record.config_digest.text()));
}

TEST(RebuildRecord, CarriesTheBase) {
  auto record = sample::record(sample::plan());
  record.base = Base{.name = "ubuntu:22.04", .digest = oci::Digest::of("base"), .in_engine = true};
  const auto read = parse_record(to_json(record), "record.json");
  ASSERT_TRUE(read) << describe(read.error());
  EXPECT_EQ(read->base, record.base);
}

TEST(RebuildPlan, StoresNoCandidateAndSaysSo) {
  const auto plan = plan_of("content");
  EXPECT_EQ(plan.rebuild, Rebuild::content);
  EXPECT_TRUE(plan.policy.push);
  EXPECT_FALSE(plan.policy.candidate);
  EXPECT_THAT(plan.policy.reasons, testing::Contains(HasSubstr("gate.mode: rebuild")));
  EXPECT_THAT(plan.cells.front().candidate, StartsWith("rebuilt.invalid/"));
  const auto read = parse_plan(to_json(plan), "plan.json");
  ASSERT_TRUE(read) << describe(read.error());
  EXPECT_EQ(*read, plan);
  EXPECT_NE(plan.plan_id, plan_of("strict").plan_id);
  EXPECT_FALSE(parse_plan(replace_all(to_json(plan), R"("rebuild":"content")", R"("rebuild":"any")"), "p"));
}

TEST(Rebuilt, ReadsBackWhatItWrote) {
  const Rebuilt rebuilt{.plan_id = "sha256:1",
                        .cell = "a",
                        .manifest_digest = oci::Digest::of("manifest"),
                        .config_digest = oci::Digest::of("config"),
                        .contents = {oci::Digest::of("one")},
                        .duration_ms = 7};
  const auto read = parse_rebuilt(to_json(rebuilt), "a.json");
  ASSERT_TRUE(read) << describe(read.error());
  EXPECT_EQ(*read, rebuilt);
  EXPECT_FALSE(parse_rebuilt(replace_all(to_json(rebuilt), R"("cell")", R"("sell")"), "a.json"));
}

TEST(RebuildCache, IsOfThePlanAndTheRun) {
  auto plan = plan_of("strict");
  auto cell = plan.cells.front();
  const auto cache = rebuild_cache(plan, cell, "1");
  EXPECT_THAT(cache, StartsWith(cell.cache + "-"));
  EXPECT_TRUE(oci::parse_reference(cache)) << cache;
  EXPECT_NE(rebuild_cache(plan, cell, "2"), cache);
  auto other = plan_of("content");
  EXPECT_NE(rebuild_cache(other, cell, "1"), cache);
  cell.cache = concat("me/cache:", std::string(128, 'x'));
  EXPECT_TRUE(oci::parse_reference(rebuild_cache(plan, cell, "1"))) << rebuild_cache(plan, cell, "1");
  EXPECT_NE(rebuild_cache(plan, cell, "1"), rebuild_cache(other, cell, "1"));
  cell.cache.clear();
  EXPECT_EQ(rebuild_cache(plan, cell, "1"), "");
  plan.policy.push = false;  // A84, A85: nothing of a pull request is written
  EXPECT_EQ(rebuild_cache(plan, plan.cells.front(), "1"), "");
  EXPECT_EQ(rebuild_cache(sample::plan(), sample::plan().cells.front(), "1"), "");
}

}  // namespace
}  // namespace crategate::pipeline
