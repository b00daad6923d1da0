// build: the request by policy row, and what a build leaves behind.
#include "stages/build.h"

#include <gmock/gmock.h>

#include "base/log.h"
#include "stages/project.h"
#include "support/fake_engine.h"

namespace crategate::stages {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr const char* kCache = "braindotai/opencrate-build-cache:cpu-py3.11";
constexpr const char* kForm = ",image-manifest=true,oci-mediatypes=true";

class BuildStage : public ::testing::Test {
 protected:
  BuildStage() : plan(pipeline::compute_plan(pipeline::sample::facts(), project.configuration).value()) {}
  BuildInputs inputs() const {
    return {project.configuration, plan, plan.cells.front(), project.workspace, source_url, commit_time, in_action};
  }
  Result<Built> run() { return run_build(inputs(), {project.files, builder, engine, workflow, progress}); }
  std::vector<std::string> arguments() const { return docker::build_arguments(build_request(inputs())); }

  sample::Project project;
  pipeline::Plan plan;
  std::string source_url, commit_time;
  bool in_action = false;
  test::RecordingBuilder builder;
  test::FakeEngine engine;
  test::RecordingWorkflow workflow;
  std::vector<std::string> lines;
  Progress progress = [this](std::string_view line) { lines.emplace_back(line); };
};

TEST_F(BuildStage, RefusesAForeignFrontend) {  // A20
  project.write(plan.cells.front().dockerfile, "# syntax=evil/frontend:1\nFROM scratch\n");
  const auto refused = run();
  EXPECT_EQ(refused.error().code, ErrorCode::bad_input);
  EXPECT_THAT(refused.error().message, HasSubstr("found \"evil/frontend:1\""));
  EXPECT_EQ(refused.error().location, (Location{plan.cells.front().dockerfile, 1, 0}));
  project.configuration.build.frontends = {"evil/frontend:1"};
  EXPECT_TRUE(run());
  project.configuration.build.build_args = {"BUILDKIT_SYNTAX=other/frontend"};
  EXPECT_THAT(run().error().message, HasSubstr("other/frontend"));
}

TEST_F(BuildStage, SaysNothingOfABaseThatTheDockerfileDoesNotName) {
  project.write(plan.cells.front().dockerfile, "FROM other\n");
  plan.cells.front().base_digest = oci::Digest::of("base");
  auto in = inputs();
  in.names_base = false;
  const auto built = run_build(in, {project.files, builder, engine, workflow, progress});
  ASSERT_TRUE(built) << describe(built.error());
  EXPECT_FALSE(built->base);
  ASSERT_THAT(builder.requests, SizeIs(1));
  EXPECT_FALSE(builder.requests.front().labels.contains("org.opencontainers.image.base.name"));
  EXPECT_THAT(builder.requests.front().build_contexts, ::testing::IsEmpty());
  ASSERT_THAT(workflow.annotations, SizeIs(1));
  EXPECT_THAT(workflow.annotations.front().message, HasSubstr("is its base ubuntu:22.04"));
}

TEST_F(BuildStage, RefusesGitCredentialsInItsContext) {  // A21
  project.write(plan.cells.front().dockerfile, "FROM scratch\n");
  project.write(".git/config", "[http]\n\textraheader = AUTHORIZATION: basic eDp0b2tlbg==\n");
  const auto refused = run();
  EXPECT_EQ(refused.error().code, ErrorCode::bad_input);
  EXPECT_THAT(refused.error().message, HasSubstr("found some in .git/config"));
  EXPECT_THAT(refused.error().hint, HasSubstr("persist-credentials: false"));
  project.write(concat(plan.cells.front().dockerfile, ".dockerignore"), "docs\n");
  project.write(".dockerignore", ".git\n");
  EXPECT_FALSE(run()) << "the ignore file of the Dockerfile takes the place of the common one";
  project.write(concat(plan.cells.front().dockerfile, ".dockerignore"), "*\n!src\n");
  EXPECT_TRUE(run());
}

TEST_F(BuildStage, HandsOnNoVariableOfTheRunner) {  // A71
  project.write(plan.cells.front().dockerfile, "FROM scratch\n");
  auto& build = project.configuration.build;
  for (const std::string name : {"INPUT_GITHUB-TOKEN", "ACTIONS_RUNTIME_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"}) {
    for (const auto& secrets : {concat("id=t,env=", name), concat("id=", name)}) {
      build.secrets = {secrets};
      EXPECT_THAT(run().error().message, HasSubstr("which is the runner's")) << secrets;
    }
    build.secrets.clear();
    build.build_args = {name};
    EXPECT_EQ(run().error().code, ErrorCode::bad_input) << name;
    build.build_args.clear();
  }
  build.secrets = {"id=t,env=MY_TOKEN"};
  build.build_args = {"VERSION", "INPUT_X=1"};
  EXPECT_TRUE(run());
}

TEST_F(BuildStage, SeesNoOtherFileOfTheMachineForAPullRequest) {
  project.write(plan.cells.front().dockerfile, "FROM scratch\n");
  project.link("/etc", "linked");
  auto& build = project.configuration.build;
  in_action = true;
  for (const std::string trigger : {"release", "pull-request"}) {
    plan.policy.trigger = trigger;
    for (const std::string path : {"/etc", "../other", "linked"}) {
      build.build_contexts = {concat("more=", path)};
      EXPECT_EQ(run().has_value(), trigger == "release") << trigger << " " << path;
      build.build_contexts.clear();
      build.secrets = {concat("id=s,src=", path, "/hostname")};
      EXPECT_EQ(run().has_value(), trigger == "release") << trigger << " " << path;
      build.secrets.clear();
    }
    for (const std::string secret : {"id=s,SRC=/etc/hostname", "id=s,source=/etc/hostname", "id=/etc/hostname",
                                     "id=s,\"src=/etc/hostname\"", "env=A,id=s,src=/etc/hostname"}) {
      build.secrets = {secret};
      EXPECT_EQ(run().has_value(), trigger == "release") << trigger << " " << secret;
    }
    build.build_contexts = {"base=docker-image://debian", "here=docker"};
    build.secrets = {"id=s,src=docker/secret", "id=MY_TOKEN", "id=t,env=MY_TOKEN"};
    EXPECT_TRUE(run()) << trigger;
    build = {};
  }
}

TEST_F(BuildStage, RefusesGitCredentialsInEveryContext) {  // A21
  project.write(plan.cells.front().dockerfile, "FROM scratch\n");
  project.write("lib/.git/config", "[http]\n\textraheader = AUTHORIZATION: basic eDp0b2tlbg==\n");
  project.configuration.build.build_contexts = {"lib=lib"};
  EXPECT_THAT(run().error().message, HasSubstr("found some in .git/config"));
}

TEST_F(BuildStage, GrantsABuildNothing) {  // A20
  for (const auto& argument : arguments())
    EXPECT_FALSE(argument.starts_with("--allow") || argument.starts_with("--ssh")) << argument;
}

struct PolicyCase {
  std::string what;
  bool fresh, cache_read, cache_write;
  std::vector<std::string> expected;
};

TEST_F(BuildStage, AsksForFreshnessAndCacheAsThePolicySays) {
  const std::string from = concat("--cache-from=type=registry,ref=", kCache);
  const std::string to = concat("--cache-to=type=registry,ref=", kCache, ",mode=max", kForm);
  for (const auto& row :
       {PolicyCase{"pull request", true, false, false, {"--pull", "--no-cache"}},
        PolicyCase{"release", false, true, false, {from}},
        PolicyCase{"release, dependencies changed", false, true, true, {from, to}},
        PolicyCase{"schedule, manual with REBUILD_BASE", true, false, true, {"--pull", "--no-cache", to}},
        PolicyCase{"manual", false, true, false, {from}}, PolicyCase{"publish: false", false, true, false, {from}},
        PolicyCase{"a policy that contradicts itself reads no cache", true, true, false, {"--pull", "--no-cache"}}}) {
    SCOPED_TRACE(row.what);
    plan.policy.fresh = row.fresh;
    plan.policy.cache_read = row.cache_read;
    plan.policy.cache_write = row.cache_write;
    std::vector<std::string> found;
    for (const auto& argument : arguments()) {
      if (argument == "--pull" || argument == "--no-cache" || argument.starts_with("--cache"))
        found.push_back(argument);
    }
    EXPECT_EQ(found, row.expected);
  }
}

TEST_F(BuildStage, MayIgnoreErrorsOfWritingTheCache) {
  plan.policy.cache_read = plan.policy.cache_write = true;
  project.configuration.build.cache_ignore_error = true;
  EXPECT_THAT(arguments(),
              Contains(concat("--cache-to=type=registry,ref=", kCache, ",mode=max", kForm, ",ignore-error=true")));
  EXPECT_THAT(arguments(), Contains(concat("--cache-from=type=registry,ref=", kCache)));
}

TEST_F(BuildStage, KeepsACacheOfThisMachineOutOfActionsAndPullRequests) {
  project.configuration.build.cache_dir = ".cache";
  plan.policy.cache_read = plan.policy.cache_write = true;
  const auto caches = [&](bool in_job) {
    auto asked = inputs();
    asked.in_action = in_job;
    std::vector<std::string> found;
    for (const auto& argument : docker::build_arguments(build_request(asked))) {
      if (argument.starts_with("--cache")) found.push_back(argument);
    }
    return found;
  };
  const std::string from = concat("--cache-from=type=registry,ref=", kCache);
  const std::string to = concat("--cache-to=type=registry,ref=", kCache, ",mode=max", kForm);
  const std::string local_to = "--cache-to=type=local,dest=.cache/cpu-py3.11,mode=max";
  EXPECT_THAT(caches(true), ElementsAre(from, to));
  EXPECT_THAT(caches(false), ElementsAre(from, "--cache-from=type=local,src=.cache/cpu-py3.11", to, local_to));
  plan.policy.fresh = true;
  EXPECT_THAT(caches(false), ElementsAre(to, local_to));
  plan.policy.cache_write = false;
  plan.policy.trigger = pipeline::kPullRequestTrigger;
  EXPECT_THAT(caches(false), ElementsAre());
}

TEST_F(BuildStage, UsesNoCacheThatIsNotConfigured) {
  plan.policy.cache_read = plan.policy.cache_write = true;
  plan.cells.front().cache.clear();
  EXPECT_THAT(arguments(), Not(Contains(StartsWith("--cache"))));
}

TEST_F(BuildStage, NamesTheImageAndNeverPushes) {
  const auto request = build_request(inputs());
  EXPECT_THAT(request.tags, ElementsAre("braindotai/opencrate-cpu-py3.11:v1.2.3"));
  EXPECT_EQ(request.dockerfile, "docker/dockerfiles/Dockerfile.cpu-py3.11");
  EXPECT_FALSE(request.provenance);
  EXPECT_THAT(arguments(), Contains(StartsWith("--output=type=docker")));  // loaded into the engine
  EXPECT_THAT(arguments(), Not(Contains(HasSubstr("push"))));
  EXPECT_THAT(arguments(), Not(Contains(StartsWith("--output=type=registry"))));
}

TEST_F(BuildStage, LabelsTheImage) {
  source_url = "https://github.com/me/app";
  commit_time = "1700000000";
  project.configuration.build.labels = {"team=core=a", "empty="};
  const std::map<std::string, std::string> expected = {{"org.opencontainers.image.title", "opencrate-cpu-py3.11"},
                                                       {"org.opencontainers.image.version", "v1.2.3"},
                                                       {"org.opencontainers.image.revision", pipeline::sample::kCommit},
                                                       {"org.opencontainers.image.source", source_url},
                                                       {"org.opencontainers.image.url", source_url},
                                                       {"org.opencontainers.image.base.name", "ubuntu:22.04"},
                                                       {"org.opencontainers.image.created", "2023-11-14T22:13:20Z"},
                                                       {"io.crategate.trigger", "release"},
                                                       {"io.crategate.released", "true"},
                                                       {"team", "core=a"},
                                                       {"empty", ""}};
  EXPECT_EQ(build_request(inputs()).labels, expected);
}

TEST_F(BuildStage, TakesWhatThePlanSaysOfTheRepository) {
  plan.labels = {{"org.opencontainers.image.licenses", "MIT"}, {"org.opencontainers.image.description", "A tool"}};
  EXPECT_THAT(build_request(inputs()).labels, AllOf(Contains(Pair("org.opencontainers.image.licenses", "MIT")),
                                                    Contains(Pair("org.opencontainers.image.description", "A tool"))));
  project.configuration.build.labels = {"org.opencontainers.image.licenses=Apache-2.0"};
  EXPECT_EQ(build_request(inputs()).labels.at("org.opencontainers.image.licenses"), "Apache-2.0");
}

const oci::Digest kBase = oci::Digest::of("base");

TEST_F(BuildStage, PinsABaseFromARegistryToTheDigestOfItsLabel) {
  builder.base = docker::BaseImage{.digest = kBase, .in_engine = false};
  const auto request = build_request(inputs(), builder);
  EXPECT_EQ(request.labels.at("org.opencontainers.image.base.digest"), kBase.text());
  EXPECT_THAT(request.build_contexts, ElementsAre("ubuntu:22.04=docker-image://ubuntu:22.04@" + kBase.text()));
}

TEST_F(BuildStage, LabelsABaseThatTheEngineHasAndTakesItFromThere) {
  builder.base = docker::BaseImage{.digest = kBase, .in_engine = true};
  const auto request = build_request(inputs(), builder);
  EXPECT_EQ(request.labels.at("org.opencontainers.image.base.digest"), kBase.text());
  EXPECT_TRUE(request.build_contexts.empty());
}

TEST_F(BuildStage, LeavesABaseAloneThatTheProjectReplaces) {
  builder.base = docker::BaseImage{.digest = kBase, .in_engine = false};
  project.configuration.build.build_contexts = {"ubuntu:22.04=./base"};
  EXPECT_THAT(build_request(inputs(), builder).build_contexts, ElementsAre("ubuntu:22.04=./base"));
  EXPECT_FALSE(build_request(inputs(), builder).labels.contains("org.opencontainers.image.base.digest"));
}

TEST_F(BuildStage, BuildsWithoutADigestThatCannotBeFoundOut) {
  const auto request = build_request(inputs(), builder);
  EXPECT_FALSE(request.labels.contains("org.opencontainers.image.base.digest"));
  EXPECT_TRUE(request.build_contexts.empty());
}

TEST_F(BuildStage, LeavesOutLabelsThatItCannotKnow) {
  plan.head_commit.clear();
  plan.version_released = false;
  commit_time = "yesterday";
  const auto labels = build_request(inputs()).labels;
  EXPECT_THAT(labels, Contains(Pair("io.crategate.released", "false")));
  for (const std::string name : {"revision", "source", "url", "created"}) {
    EXPECT_FALSE(labels.contains("org.opencontainers.image." + name)) << name;
  }
}

TEST_F(BuildStage, DoesNotLetAProjectClaimAnotherTrigger) {
  project.configuration.build.labels = {"io.crategate.trigger=schedule", "io.crategate.released=false"};
  EXPECT_THAT(build_request(inputs()).labels, AllOf(Contains(Pair("io.crategate.trigger", "release")),
                                                    Contains(Pair("io.crategate.released", "true"))));
}

TEST_F(BuildStage, HandsTheSettingsOn) {
  auto& build = project.configuration.build;
  build.build_args = {"A=b"};
  build.secrets = {"id=x,src=y"};
  build.target = "final";
  build.network = "host";
  build.builder = "mine";
  build.context = "sub";
  const auto request = build_request(inputs());
  EXPECT_EQ(request.build_args, build.build_args);
  EXPECT_EQ(request.secrets, build.secrets);
  EXPECT_EQ(request.target, "final");
  EXPECT_EQ(request.network, "host");
  EXPECT_EQ(request.builder, "mine");
  EXPECT_EQ(request.context, "sub");
}

TEST_F(BuildStage, LeavesTheImageIdAndALog) {
  project.write("docker/dockerfiles/Dockerfile.cpu-py3.11", "FROM x");
  project.configuration.build.timeout = std::chrono::minutes(3);
  builder.lines = {"#1 load", "::error::x", "#2 \x1b[31mdone\x1b[0m"};
  const auto built = run();
  ASSERT_TRUE(built) << describe(built.error());
  EXPECT_EQ(built->image_id, "sha256:built");
  EXPECT_EQ(built->duration_ms, 1500);
  const auto loaded = load_built(project.files, project.workspace, plan, "cpu-py3.11").value();
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->image_id, "sha256:built");
  EXPECT_EQ(loaded->duration_ms, 1500);
  EXPECT_THAT(project.read(".crategate/logs/build-cpu-py3.11.log"), HasSubstr("#1 load\n::error::x\n"));
  ASSERT_THAT(lines, SizeIs(3));
  EXPECT_THAT(lines[1], Not(StartsWith("::")));
  EXPECT_THAT(lines[2], Not(HasSubstr("\x1b")));
  EXPECT_THAT(builder.timeouts, ElementsAre(std::chrono::minutes(3)));
}

TEST_F(BuildStage, NeedsADockerfileBeforeItStarts) {
  const auto built = run();
  ASSERT_FALSE(built);
  EXPECT_EQ(built.error().code, ErrorCode::bad_input);
  EXPECT_THAT(built.error().message,
              AllOf(HasSubstr("cpu-py3.11"), HasSubstr("docker/dockerfiles/Dockerfile.cpu-py3.11")));
  EXPECT_THAT(built.error().hint, HasSubstr("crategate generate"));
  EXPECT_THAT(builder.requests, SizeIs(0));
}

TEST_F(BuildStage, RefusesALinkInPlaceOfTheDockerfile) {
  project.link("/proc/self/environ", "docker/dockerfiles/Dockerfile.cpu-py3.11");
  EXPECT_EQ(run().error().code, ErrorCode::bad_input);
  EXPECT_THAT(builder.requests, SizeIs(0));
}

TEST_F(BuildStage, NamesTheCellThatFailedAndKeepsItsLog) {
  project.write("docker/dockerfiles/Dockerfile.cpu-py3.11", "FROM x");
  builder.lines = {"#5 ERROR: no such file"};
  builder.answer = fail(ErrorCode::engine, "the build failed", "Read the log.");
  const auto built = run();
  ASSERT_FALSE(built);
  EXPECT_EQ(built.error().code, ErrorCode::engine);
  EXPECT_THAT(describe(built.error()), HasSubstr("build of cell cpu-py3.11"));
  EXPECT_THAT(project.read(".crategate/logs/build-cpu-py3.11.log"), HasSubstr("no such file"));
  EXPECT_FALSE(load_built(project.files, project.workspace, plan, "cpu-py3.11").value());
}

TEST_F(BuildStage, WithdrawsTheCellsEvidenceBeforeItBuilds) {
  const std::vector<std::string> evidence = {".crategate/tests/cpu-py3.11.json",
                                             ".crategate/records/cpu-py3.11/record.json",
                                             ".crategate/records/cpu-py3.11/digest-cpu-py3.11.txt"};
  const std::string other = ".crategate/records/cuda-py3.11/record.json";
  for (const auto& file : evidence) project.write(file, "of an older image");
  project.write(other, "kept");
  EXPECT_FALSE(run()) << "there is no Dockerfile";
  EXPECT_EQ(project.read(evidence[1]), "of an older image") << "nothing was built";
  project.write("docker/dockerfiles/Dockerfile.cpu-py3.11", "FROM x");
  builder.answer = fail(ErrorCode::engine, "the build failed", "Read the log.");
  EXPECT_FALSE(run());
  for (const auto& file : evidence) EXPECT_EQ(project.read(file), "") << file;
  EXPECT_FALSE(load_record(project.files, project.workspace, "cpu-py3.11").value());
  EXPECT_EQ(project.read(other), "kept");
}

TEST_F(BuildStage, WarnsOfACacheThatCannotBeReadAndGoesOn) {
  project.write("docker/dockerfiles/Dockerfile.cpu-py3.11", "FROM x");
  builder.lines = {concat("#4 importing cache manifest from ", kCache), "#4 ERROR: connection refused", "#5 DONE 0.1s"};
  std::vector<std::string> logged;
  log::configure({}, [&logged](log::Level, std::string_view line) { logged.emplace_back(line); });
  const auto built = run();
  log::configure({});
  ASSERT_TRUE(built) << describe(built.error());
  ASSERT_THAT(workflow.annotations, SizeIs(1));
  EXPECT_EQ(workflow.annotations[0].severity, actions::Severity::warning);
  EXPECT_THAT(workflow.annotations[0].message,
              AllOf(HasSubstr("cpu-py3.11"), HasSubstr(kCache), HasSubstr("connection refused")));
  EXPECT_THAT(logged, ElementsAre(concat("warning: ", workflow.annotations[0].message)));
  builder.lines = {concat("#4 importing cache manifest from ", kCache), "#4 DONE 0.1s"};
  ASSERT_TRUE(run());
  EXPECT_THAT(workflow.annotations, SizeIs(1));
}

TEST_F(BuildStage, IsNotTakenForTheBuildOfAnotherPlanOrCell) {
  project.write("docker/dockerfiles/Dockerfile.cpu-py3.11", "FROM x");
  ASSERT_TRUE(run());
  auto other = plan;
  other.plan_id = "sha256:other";
  EXPECT_FALSE(load_built(project.files, project.workspace, other, "cpu-py3.11").value());
  EXPECT_FALSE(load_built(project.files, project.workspace, plan, "cuda-py3.11").value());
}

}  // namespace
}  // namespace crategate::stages
