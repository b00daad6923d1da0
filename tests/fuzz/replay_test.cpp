// Every parser of untrusted text over its seed and thousands of deterministic mutations of it: no crash, no endless
// work, and no error message that carries the input's control characters on.
#include <gtest/gtest.h>

#include <ctime>
#include <functional>

#include "actions/artifact_messages.h"
#include "base/strings.h"
#include "base/version.h"
#include "config/settings.h"
#include "dockerfile/template.h"
#include "fuzz/mutator.h"
#include "fuzz/patch_property.h"
#include "fuzz/plain.h"
#include "fuzz/regen_result_property.h"
#include "github/permission.h"
#include "json/value.h"
#include "net/link.h"
#include "oci/image_config.h"
#include "oci/manifest.h"
#include "oci/media_types.h"
#include "oci/reference.h"
#include "pipeline/event.h"
#include "pipeline/plan.h"
#include "pipeline/record.h"
#include "pipeline/test_count.h"
#include "pipeline/trivy_report.h"
#include "render/decisions.h"
#include "render/failure.h"
#include "render/sarif.h"
#include "sys/process.h"
#include "zip/inflate.h"

namespace crategate {
namespace {

using fuzz::is_plain;
using fuzz::Mutator;
using fuzz::seed;

constexpr int kMutations = 2000;
constexpr double kSecondsEach = 2;  ///< of one input; the slowest takes a few milliseconds

template <class T>
bool accepts(const Result<T>& result) {
  if (result) return true;
  EXPECT_FALSE(result.error().message.empty());
  for (const auto& line : render::error_lines(result.error())) EXPECT_TRUE(is_plain(line)) << quoted(line, 1000);
  return false;
}

bool json_document(const std::string& text) {
  const auto document = json::Document::parse(text, "values.json");
  if (!accepts(document)) return false;
  const std::string canonical = document->root().dump();
  const auto again = json::Document::parse(canonical, "canonical");
  EXPECT_TRUE(again);
  EXPECT_TRUE(again && again->root().dump() == canonical);
  return true;
}

bool configuration(const std::string& text) { return accepts(config::load(config::File{"crategate.yml", text}, {})); }

bool event(const std::string& text) {
  bool accepted = true;
  for (const std::string name : {"pull_request", "push", "workflow_dispatch", "merge_group", "issue_comment"}) {
    const auto found = pipeline::parse_event(
        {.name = name, .ref = name == "pull_request" ? "refs/pull/7/merge" : "refs/tags/v1.2.3", .payload = text});
    accepted = accepts(found) && accepted;
    const bool is_one = found && found->kind == pipeline::EventKind::pull_request;
    EXPECT_TRUE(!found || name != "pull_request" || is_one) << "a pull request is never taken for anything else";
  }
  return accepted;
}

bool plan(const std::string& text) {
  const auto found = pipeline::parse_plan(text, "plan.json");
  if (!accepts(found)) return false;
  EXPECT_EQ(pipeline::plan_id_of(*found), found->plan_id);
  return true;
}

bool record(const std::string& text) {
  const auto found = pipeline::parse_record(text, "record.json");
  EXPECT_TRUE(found || found.error().code == ErrorCode::gate_refused);
  static_cast<void>(accepts(pipeline::parse_test_result(text, "tests.json")));
  if (!accepts(found)) return false;
  EXPECT_TRUE(pipeline::parse_record(pipeline::to_json(*found), "again"));
  return true;
}

bool reference(const std::string& text) {
  static_cast<void>(accepts(oci::parse_repository(text)));
  static_cast<void>(accepts(oci::parse_tag(text)));
  static_cast<void>(accepts(oci::Digest::parse(text)));
  const auto found = oci::parse_reference(text);
  if (!accepts(found)) return false;
  for (const auto& text_again : {found->full(), found->familiar()}) {
    const auto again = oci::parse_reference(text_again);
    EXPECT_TRUE(again && *again == *found) << text_again;
  }
  return true;
}

bool manifest(const std::string& text) {
  static_cast<void>(accepts(oci::parse_index(text, oci::kOciIndex)));
  static_cast<void>(accepts(oci::parse_image_config(text)));
  static_cast<void>(accepts(oci::manifest_media_type(text, "")));
  const auto found = oci::parse_manifest(text, oci::kOciManifest);
  if (!accepts(found)) return false;
  EXPECT_TRUE(oci::parse_manifest(found->to_json(), found->media_type));
  return true;
}

bool dockerfile_template(const std::string& text) {
  return accepts(dockerfile::render(
      text,
      {{"base", "x"}, {"python", "3.11"}, {"version", "v1"}, {"cell", "c"}, {"runtime", "cpu"}, {"pip-index", ""}},
      "Dockerfile.mustache"));
}

bool tool_output(const std::string& text) {
  std::size_t bytes = 0;
  sys::LineSplitter lines([&](std::string_view line) {
    bytes += line.size();
    const std::string shown = neutralise(line);
    EXPECT_TRUE(is_valid_utf8(shown));
    EXPECT_FALSE(shown.starts_with("::")) << quoted(shown);
    EXPECT_EQ(shown.find("##["), std::string::npos) << quoted(shown);
    EXPECT_EQ(shown.find('\x1b'), std::string::npos) << quoted(shown);
    EXPECT_EQ(shown.find_first_of("\r\n"), std::string::npos) << quoted(shown);
  });
  for (std::size_t at = 0; at < text.size(); at += 7) lines.feed(std::string_view(text).substr(at, 7));
  lines.finish();
  EXPECT_LE(bytes, text.size());
  auto counter = pipeline::TestCounter::create("").value();
  counter.feed(text);
  return counter.finish().has_value();
}

bool axis_values(const std::string& text) {
  static_cast<void>(accepts(pipeline::parse_version_file(text, "VERSION")));
  static_cast<void>(accepts(pipeline::parse_axis_file(text, "RUNTIMES", "runtime")));
  return accepts(pipeline::parse_axis_file(text, "PYTHON_VERSIONS", "python"));
}

bool link_header(const std::string& text) {
  for (const auto& set : github::accepted_permissions(text)) EXPECT_FALSE(set.empty());
  EXPECT_TRUE(is_plain(github::permission_hint(text, "actions: read")));
  const auto next = net::next_page({{"Link", text}});
  if (!accepts(next)) return false;
  EXPECT_TRUE(!*next || text.find(concat("<", **next, ">")) != std::string::npos);
  return true;
}

bool archive(const std::string& bytes) {
  constexpr zip::Limits kSmall{.archive = 1u << 20, .members = 100, .member = 1u << 20, .total = 1u << 20};
  const zip::Bytes source = zip::bytes_in_memory(bytes);
  static_cast<void>(accepts(zip::find_comment(bytes)));
  const auto found = zip::read_directory(source, kSmall);
  if (!accepts(found)) return false;
  zip::Unpacker unpacker;
  for (const auto& entry : found->entries) {
    std::uint64_t given = 0;
    const auto unpacked = unpacker.unpack(source, entry, [&given](std::string_view more) -> Result<void> {
      given += more.size();
      return {};
    });
    if (!accepts(unpacked)) return false;
    EXPECT_EQ(given, entry.size);
  }
  return true;
}

bool artifact_answers(const std::string& text) {
  EXPECT_TRUE(is_plain(actions::decode_message(text)));
  static_cast<void>(accepts(actions::decode_finalized(text)));
  const auto found = actions::decode_list(text, false);
  if (!accepts(found)) return false;
  for (const auto& artifact : *found) {
    EXPECT_TRUE(artifact.size && !artifact.name.empty());
    static_cast<void>(accepts(actions::check_artifact_name(artifact.name)));
    static_cast<void>(accepts(actions::check_replacing({.name = artifact.name}, {artifact}, "j")));
    static_cast<void>(accepts(actions::check_received(artifact, {})));
  }
  return true;
}

bool scan_report(const std::string& text) {
  const pipeline::ScannedArtifact expected{.name = "in/image.tar", .config_digest = oci::Digest::of("config")};
  const auto found = pipeline::read_trivy_report(text, "report.json", expected);
  EXPECT_TRUE(found || found.error().code == ErrorCode::integrity);
  if (!accepts(found)) return false;
  pipeline::ScanResult result;
  result.counts = pipeline::count_findings(found->findings);
  result.cell = "cpu";
  for (const auto& line : split(render::scan_table(result, found->findings, "report.json"), '\n')) {
    EXPECT_TRUE(is_plain(line)) << quoted(line, 1000);
    EXPECT_FALSE(line.starts_with("::")) << quoted(line, 1000);
  }
  EXPECT_TRUE(json::Document::parse(render::sarif(result, found->findings, "Dockerfile"), "sarif"));
  return true;
}

bool regen_patch(const std::string& text) {
  static fuzz::PatchProperty property;
  return property.accepts(text);
}

bool regen_result(const std::string& text) {
  static_cast<void>(accepts(pipeline::parse_regen_result(text, "regen.json", 5)));
  return fuzz::accepts_regen_result(text);
}

struct Target {
  std::string seed;
  std::function<bool(const std::string&)> accepts;
};

void PrintTo(const Target& target, std::ostream* out) { *out << target.seed; }

class Replay : public ::testing::TestWithParam<Target> {};

TEST_P(Replay, SurvivesMutations) {
  const std::string original = seed(GetParam().seed);
  EXPECT_TRUE(GetParam().accepts(original)) << "the seed itself is sound";
  Mutator mutator;
  int accepted = 0;
  for (int i = 0; i < kMutations && !HasFailure(); ++i) {
    const std::string text = mutator.mutate(original);
    const std::clock_t began = std::clock();
    if (GetParam().accepts(text)) ++accepted;
    EXPECT_LT(static_cast<double>(std::clock() - began) / CLOCKS_PER_SEC, kSecondsEach);
    if (HasFailure()) ADD_FAILURE() << "mutation " << i << ": " << quoted(text, 4000);
  }
  RecordProperty("accepted", accepted);
}

INSTANTIATE_TEST_SUITE_P(
    Parsers, Replay,
    ::testing::Values(Target{"values.json", json_document}, Target{"config.yml", configuration},
                      Target{"event.json", event}, Target{"plan.json", plan}, Target{"record.json", record},
                      Target{"reference.txt", reference}, Target{"manifest.json", manifest},
                      Target{"template.mustache", dockerfile_template}, Target{"tool-output.txt", tool_output},
                      Target{"versions.txt", axis_values}, Target{"link.txt", link_header},
                      Target{"zip_reader/streamed.zip", archive}, Target{"zip_reader/zip64.zip", archive},
                      Target{"artifacts.json", artifact_answers}, Target{"trivy-report.json", scan_report},
                      Target{"patch/text", regen_patch}, Target{"patch/several", regen_patch},
                      Target{"regen_result/changed", regen_result}, Target{"regen_result/unchanged", regen_result}));

TEST(ReplayMutations, AreTheSameEveryTime) {
  Mutator first, second;
  for (int i = 0; i < 100; ++i) EXPECT_EQ(first.mutate("some text"), second.mutate("some text"));
}

}  // namespace
}  // namespace crategate
