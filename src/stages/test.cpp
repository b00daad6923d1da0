// test: container → exit code and number of tests → result.
// Belongs here: what counts as passed.  Not here: reading a runner's output (pipeline/test_count).
#include "stages/test.h"

#include "base/strings.h"
#include "pipeline/test_count.h"
#include "stages/cell_image.h"
#include "sys/cancel.h"

namespace crategate::stages {
namespace {

using pipeline::TestResult;
using pipeline::TestVerdict;

constexpr std::string_view kExitCodeOnly = "exit-code";

TestVerdict judge_run(const CommandResult& ran, const std::optional<pipeline::TestCount>& count, bool exit_code_only) {
  if (ran.cancelled) return TestVerdict::cancelled;
  if (ran.timed_out) return TestVerdict::timed_out;
  if (ran.exit_code != 0 || (count && count->failed > 0)) return TestVerdict::failed;
  if (exit_code_only) return TestVerdict::passed;
  return count && count->total > 0 ? TestVerdict::passed : TestVerdict::none_ran;
}

bool counts_tests(const TestInputs& in) {
  return in.configuration.test && in.configuration.test->count != kExitCodeOnly;
}

TestResult interpret(const TestInputs& in, const CommandResult& ran, const std::optional<pipeline::TestCount>& count) {
  TestResult result;
  result.verdict = judge_run(ran, count, !counts_tests(in));
  if (count) {
    result.total = count->total;
    result.failed = count->failed;
    result.skipped = count->skipped;
  }
  result.exit_code = static_cast<int>(ran.exit_code);
  result.duration_ms = ran.elapsed.count();
  result.image_id = ran.image_id;
  result.plan_id = in.plan.plan_id;
  result.cell = in.cell.key;
  result.log = in.cell.log;
  return result;
}

Result<CommandResult> run_tests(const TestInputs& in, const TestServices& svc, const docker::ContainerSpec& spec,
                                pipeline::TestCounter& counter) {
  CG_TRY(auto log, sys::LogFile::create(in.workspace.root, in.cell.log, kLogLimit));
  OutputCollector output(std::move(log), svc.progress, [&counter](std::string_view bytes) { counter.feed(bytes); });
  return run_in_container(spec, in.configuration.test->timeout, output, svc.engine);
}

}  // namespace

Result<docker::ContainerSpec> test_container(const TestInputs& in, const std::string& image) {
  const auto& test = *in.configuration.test;
  const bool mounted = test.source == config::TestSource::mounted;
  if (!mounted && !test.mounts.empty()) {
    return fail(ErrorCode::bad_input,
                "test.mounts: expected none with `source: image` (the image is tested as shipped), found some",
                "Remove test.mounts, or set `source: mounted`.");
  }
  const bool guarded = in.plan.policy.trigger == pipeline::kPullRequestTrigger;
  if (guarded && (test.network == "host" || test.network.starts_with("container:"))) {
    return fail(
        ErrorCode::bad_input,
        concat("test.network: expected a network of its own by pull request rules, found ", quote(test.network)),
        "Leave test.network out, or name a network that was made for the tests.");
  }
  std::vector<std::string> mounts = test.mounts;
  const std::string workdir = test.workdir.empty() && mounted ? "/work" : test.workdir;
  if (mounted && mounts.empty()) mounts.push_back(concat(".:", workdir));
  docker::ContainerSpec spec;
  spec.image = image;
  set_command(spec, container_command(test.setup, test.run));
  spec.env = test.env;
  CG_TRY(spec.binds, resolve_mounts(mounts, in.workspace.root));
  spec.workdir = workdir;
  spec.user = test.user;
  spec.network = test.network;
  spec.labels = {{"io.crategate.stage", "test"}, {"io.crategate.cell", in.cell.key}};
  return spec;
}

Result<std::optional<oci::Digest>> known_config_digest(docker::Engine& engine, const std::string& image_id) {
  CG_TRY(const auto info, engine.info());
  if (info.containerd_store) return std::nullopt;
  CG_TRY(auto digest, oci::Digest::parse(image_id));
  return digest;
}

Result<TestResult> run_test(const TestInputs& in, const TestServices& svc) {
  TestResult result;
  result.plan_id = in.plan.plan_id;
  result.cell = in.cell.key;
  // A pattern that cannot be used is found before the tests run, not after.
  CG_TRY(auto counter, pipeline::TestCounter::create(counts_tests(in) ? in.configuration.test->count : ""));
  CG_CHECK(withdraw_evidence(svc.files, in.workspace, in.cell.key));
  if (in.configuration.test) {
    CG_TRY(const auto image, find_cell_image(in.plan, in.cell, in.workspace, svc.files, svc.engine));
    CG_TRY(const auto spec, test_container(in, image.id));
    auto ran = run_tests(in, svc, spec, counter);
    // A busy engine has been seen to lose all output of a short run. Without output nothing can pass, so it is run again.
    const bool silent = ran && ran->exit_code == 0 && ran->last_lines.empty() && !ran->cancelled && !ran->timed_out;
    if (silent && counts_tests(in)) {
      ran = run_tests(in, svc, spec, counter);
    }
    if (!ran) return fail(std::move(ran).error().within(concat("tests of cell ", in.cell.key)));
    result = interpret(in, *ran, counts_tests(in) ? counter.finish() : std::nullopt);
    if (!ran->cancelled) {
      CG_TRY(result.config_digest, known_config_digest(svc.engine, result.image_id));
    }
  }
  CG_CHECK(write_state(svc.files, in.workspace, test_result_file(in.cell.key), pipeline::to_json(result)));
  return result;
}

Result<void> require_passed(const TestResult& result, const pipeline::Cell& cell, const std::string& repeat) {
  const auto failed = [&](std::string_view expected, const std::string& found, std::string hint) {
    return fail(ErrorCode::tests_failed,
                concat("tests of cell ", cell.key, ": expected ", expected, ", found ", found, "; log: ", result.log),
                std::move(hint));
  };
  switch (result.verdict) {
    case TestVerdict::passed:
    case TestVerdict::not_configured:
      return {};
    case TestVerdict::failed:
      return failed(
          "exit 0 and no failed test",
          concat("exit ", result.exit_code,
                 result.failed > 0 ? concat(" with ", result.failed, " of ", result.total, " tests failed") : ""),
          repeat);
    case TestVerdict::none_ran:
      return failed("at least one test",
                    concat(result.skipped > 0  ? concat("only ", result.skipped, " skipped ones")
                           : result.total == 0 ? "none in the output"
                                               : "none",
                           " (test.count says how they are counted: a regular expression with one group, or ",
                           kExitCodeOnly, ")"),
                    repeat);
    case TestVerdict::timed_out:
      return failed("an end within test.timeout", concat("none after ", format_duration(result.duration_ms)), repeat);
    case TestVerdict::cancelled:
      return fail(sys::cancellation().value_or(ErrorCode::interrupted),
                  concat("tests of cell ", cell.key, ": cancelled"), repeat);
  }
  return fail(ErrorCode::internal, "unknown test verdict");
}

}  // namespace crategate::stages
