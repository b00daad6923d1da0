#include "app/commands.h"

#include <atomic>
#include <limits>
#include <memory>
#include <utility>

#include "app/artifact_commands.h"
#include "app/cell_pipeline.h"
#include "app/ci_image_commands.h"
#include "app/ci_image_comment.h"
#include "app/ci_image_local.h"
#include "app/cleanup_commands.h"
#include "app/hand_over.h"
#include "app/publish_commands.h"
#include "app/regen_commands.h"
#include "app/registry_commands.h"
#include "base/log.h"
#include "base/strings.h"
#include "json/value.h"
#include "render/decisions.h"
#include "stages/build.h"
#include "stages/generate.h"
#include "stages/scan.h"
#include "stages/test.h"

namespace crategate::app {
namespace {

/// A dry run of a single stage prints what it would do and stops.
Result<bool> print_if_dry(Application& app, const std::string& text) {
  if (!app.invocation().dry_run) return false;
  app.console().lines(text);
  return true;
}

Result<void> plan(Application& app) {
  CG_TRY(const auto plan, make_plan(app, false));
  CG_CHECK(stages::publish_plan(plan, app.invocation().dry_run, app.workspace(), app.files(), app.workflow()));
  CG_CHECK(give_bound(app, stages::plan_bundle(app.workspace())));
  show_plan(app, plan);
  if (app.line().json) app.console().document(pipeline::to_json(plan));
  return {};
}

Result<void> check(Application& app) {
  CG_CHECK(config::require_project(app.loaded()));
  if (!app.configuration().check) {
    log::info("check: nothing is configured (section `check` of crategate.yml)");
    return {};
  }
  const stages::CheckInputs in{
      .check = *app.configuration().check, .workspace = app.workspace(), .in_action = app.in_runner()};
  CG_TRY(const auto commands, stages::describe_check(in));
  CG_TRY(const bool dry, print_if_dry(app, concat(join(commands, "\n"), "\n")));
  if (dry) return {};
  const stages::Progress progress = tool_lines();
  app.workflow().begin_group("static checks");
  const auto result = stages::run_check(in, app.check_services(progress));
  app.workflow().end_group();
  if (!result) return fail(result.error());
  log::info(concat("static checks passed in ", format_duration(result->elapsed.count())));
  return {};
}

Result<void> generate(Application& app) {
  CG_TRY(const auto plan, plan_in_force(app));
  const stages::Progress progress = tool_lines();
  CG_TRY(const auto generated, stages::run_generate({.generate = app.configuration().generate,
                                                     .plan = plan,
                                                     .workspace = app.workspace(),
                                                     .check_only = app.line().check_only || app.invocation().dry_run,
                                                     .in_action = app.in_runner()},
                                                    app.check_services(progress)));
  for (const auto& path : generated.written) log::info(concat("wrote ", path));
  log::info(concat(generated.files.size(), " Dockerfiles, ", generated.written.size(), " changed"));
  if (app.line().check_only) return {};
  return give_bound(app, stages::dockerfiles_bundle(app.workspace(), plan));
}

Result<void> build(Application& app) {
  if (app.invocation().mode == "push") return push(app);  // nothing is published but what was tested
  CG_TRY(const auto plan, plan_in_force(app));
  CG_TRY(const auto cell, chosen_cell(app, plan));
  CG_CHECK(require_planned_commit(app, plan));
  if (!app.invocation().dry_run) CG_CHECK(take(app, {stages::dockerfiles_bundle(app.workspace(), plan)}));
  CG_CHECK(withdraw(app, stages::digest_bundle(app.workspace(), cell)));
  CG_TRY(const auto facts, read_run_facts(app, plan));
  const auto in = build_inputs(app, facts, cell);
  if (app.invocation().dry_run) {
    CG_TRY(docker::ImageBuilder* const builder, app.builder());
    CG_TRY(const auto commands, builder->commands(stages::build_request(in, *builder)));
    for (const auto& command : commands) app.console().lines(concat(command.text(), "\n"));
    return {};
  }
  const stages::Progress progress = tool_lines();
  CG_TRY(const auto services, build_services(app, progress));
  app.workflow().begin_group(concat("build ", cell.key));
  const auto built = stages::run_build(in, services);
  app.workflow().end_group();
  if (!built) return fail(with_repeat(built.error(), app, cell, "build"));
  CG_CHECK(app.workflow().set_output("imageid", built->image_id));
  CG_CHECK(app.workflow().set_output("image", stages::local_image_name(plan, cell)));
  CG_CHECK(
      app.workflow().set_output("metadata", json::Value::object({{"duration_ms", built->duration_ms},
                                                                 {"image.name", stages::local_image_name(plan, cell)},
                                                                 {"imageid", built->image_id}})
                                                .canonical()));
  log::info(concat("built ", stages::local_image_name(plan, cell), " ", built->image_id, " in ",
                   format_duration(built->duration_ms)));
  return {};
}

/// The findings for people: in the log, and in the job's summary.
Result<void> show_scan(Application& app, const stages::Scanned& scanned, const pipeline::Cell& cell) {
  const std::string more = (app.workspace().state_name / stages::scan_report_file(cell.key)).string();
  const std::string table = render::scan_table(scanned.result, scanned.findings, more);
  if (app.line().json) {
    app.console().document(pipeline::to_json(scanned.result));
  } else {
    app.console().result(table);
  }
  return app.workflow().add_summary(render::scan_markdown(scanned.result, scanned.findings, more));
}

Result<void> scan(Application& app) {
  CG_TRY(const auto plan, plan_in_force(app));
  CG_TRY(const auto cell, chosen_cell(app, plan));
  const stages::ScanInputs in{
      .configuration = app.configuration(), .plan = plan, .cell = cell, .workspace = app.workspace()};
  if (!plan.scan) {
    log::info("scan: nothing is configured (section `scan` of crategate.yml): not-scanned");
    return app.workflow().set_output("scan", pipeline::kNotScanned);
  }
  CG_TRY(const bool dry, print_if_dry(app, concat(stages::describe_scan(in), "\n")));
  if (dry) return {};
  CG_CHECK(withdraw(app, stages::sarif_bundle(app.workspace(), cell)));
  CG_CHECK(withdraw(app, stages::digest_bundle(app.workspace(), cell)));
  CG_TRY(docker::Engine* const engine, app.engine());
  const stages::Progress progress = tool_lines();
  app.workflow().begin_group(concat("scan ", cell.key));
  const auto scanned = stages::run_scan(in, {.files = app.files(),
                                             .host = {.processes = app.processes(), .environment = app.environment()},
                                             .engine = *engine,
                                             .progress = progress});
  app.workflow().end_group();
  give_always(app, stages::sarif_bundle(app.workspace(), cell));
  if (!scanned) return fail(with_repeat(scanned.error(), app, cell, "scan"));
  if (!*scanned) return {};
  CG_CHECK(app.workflow().set_output("scan", pipeline::to_json((*scanned)->result)));
  const sys::Path sarif = app.workspace().state_name / stages::sarif_file(cell.key);
  CG_CHECK(app.workflow().set_output("sarif", sarif.string()));
  CG_CHECK(show_scan(app, **scanned, cell));
  return stages::require_tolerable(**scanned, cell, repeat_cell(app, cell, "scan"));
}

Result<void> test(Application& app) {
  CG_TRY(const auto plan, plan_in_force(app));
  CG_TRY(const auto cell, chosen_cell(app, plan));
  const stages::TestInputs in{
      .configuration = app.configuration(), .plan = plan, .cell = cell, .workspace = app.workspace()};
  if (app.invocation().dry_run) {
    if (!app.configuration().test) return {};
    CG_TRY(const auto spec, stages::test_container(in, stages::local_image_name(plan, cell)));
    app.console().lines(concat(stages::describe_container(spec), "\n"));
    return {};
  }
  CG_CHECK(withdraw(app, stages::digest_bundle(app.workspace(), cell)));
  CG_TRY(docker::Engine* const engine, app.engine());
  const stages::Progress progress = tool_lines();
  app.workflow().begin_group(concat("test ", cell.key));
  const auto result = stages::run_test(in, {.files = app.files(), .engine = *engine, .progress = progress});
  app.workflow().end_group();
  give_always(app, stages::test_log_bundle(app.workspace(), cell));
  if (!result) return fail(result.error());
  CG_CHECK(app.workflow().set_output("tests", pipeline::to_json(*result)));
  CG_CHECK(app.workflow().set_output("log", result->log));
  CG_CHECK(stages::require_passed(*result, cell, repeat_cell(app, cell, "test")));
  log::info(concat("tests of ", cell.key, " passed: ", result->total, " run, ", result->skipped, " skipped"));
  return {};
}

struct Row {
  CommandInfo info;
  Result<void> (*run)(Application&);
};

// The stage table: adding a stage is one row here (CONTRIBUTING.md).
// NOLINTNEXTLINE(readability-function-size): a table
const std::vector<Row>& rows() {
  static const std::vector<Row> table = {
      {{"run", "", "The whole pipeline on this machine: cells in parallel, resumable.",
        "crategate run --to localhost:5000 --event push --ref refs/tags/v1.2.3",
        "Without --to, images go into an OCI layout below .crategate/images.\nWithout --event, it is a manual run of "
        "what "
        "is checked out."},
       run_pipeline},
      {{"plan", "", "Event, versions and axes become plan.json and the outputs a workflow needs.",
        "crategate plan --event push --ref refs/tags/v1.2.3", ""},
       plan},
      {{"check", "check", "The project's static checks, time-limited.", "crategate check", ""}, check},
      {{"generate", "generate", "A Dockerfile per cell, from the template or by the project's own command.",
        "crategate generate --check", ""},
       generate},
      {{"build", "build", "Builds one cell's image by the plan's policy and loads it into the engine.",
        "crategate build --cell cpu-py3.11", ""},
       build},
      {{"scan", "scan", "Scans that image before its tests: table, threshold, SARIF.",
        "crategate scan --cell cpu-py3.11", "Without a section `scan` nothing is scanned."},
       scan},
      {{"cleanup", "cleanup", "Frees disk space; never touches the state of the engine or BuildKit.",
        "crategate cleanup --yes", "In a job of GitHub Actions it asks nothing, and means the runner's disk."},
       cleanup},
      {{"cleanup-here", "", "Empties directories of this machine: what the containers of cleanup run.",
        "crategate cleanup-here /host/opt/ghc", "", "PATH...", std::numeric_limits<std::size_t>::max(), true},
       cleanup_here},
      {{"test", "test", "Runs the project's tests in that image.", "crategate test --cell cpu-py3.11", ""}, test},
      {{"digest", "", "Leaves the evidence of a tested cell: the layer text digest, the record, the candidate.",
        "crategate digest --cell cpu-py3.11",
        "crategate digest --image docker:NAME | docker://REFERENCE | oci:DIR[:NAME] | docker-archive:FILE | "
        "oci-archive:FILE\nprints the values of any image."},
       digest},
      {{"verify", "", "The gate over all cells of the plan; read-only.", "crategate verify", ""}, verify},
      {{"push", "", "Version tags of every cell, all or none; nothing is rebuilt.", "crategate push --dry-run", ""},
       push},
      {{"release", "release", "Moving tags (latest), only after every version tag is in place.", "crategate release",
        ""},
       release},
      {{"status", "", "What the last release of these images has done so far; read-only.", "crategate status", ""},
       status},
      {{"recover", "", "Finishes a release that was left open, or undoes it.", "crategate recover --back",
        "--forward (the default) points every tag at the release's images, --back at what it named before."},
       recover},
      {{"report", "", "One table for everything, the job summary and release.json.", "crategate report", ""}, report},
      {{"artifact upload", "artifact", "Uploads files as an artifact of this run.",
        "crategate artifact upload logs 'tests/logs/**' --retention-days 5", "", "NAME PATH...",
        std::numeric_limits<std::size_t>::max()},
       artifact_upload},
      {{"artifact download", "artifact", "Downloads and unpacks artifacts of this run, or of another one.",
        "crategate artifact download logs --path build/logs",
        "Without NAME and --pattern: all of them, each into a folder of its name.\n"
        "crategate artifact download NAME --repository OWNER/NAME --run-id NUMBER  takes another run's.",
        "[NAME]", 1},
       artifact_download},
      {{"artifact list", "artifact", "The artifacts of this run, or of another one.", "crategate artifact list --json",
        "", "[NAME]", 1},
       artifact_list},
      {{"registry ls", "registry", "The tags of a repository.", "crategate registry ls ghcr.io/owner/image", "",
        "REPOSITORY", 1},
       registry_ls},
      {{"registry inspect", "registry", "What an image in a registry or an OCI layout consists of.",
        "crategate registry inspect debian:trixie-slim", "", "IMAGE", 1},
       registry_inspect},
      {{"registry copy", "registry", "Copies an image byte for byte, with what refers to it.",
        "crategate registry copy ghcr.io/owner/image:v1 registry.example.com/image:v1",
        "FROM and TO are images in a registry, or oci:DIR[:NAME]. Within one registry nothing is downloaded.",
        "FROM TO", 2},
       registry_copy},
      {{"registry tag", "registry", "Points tags of the same repository at an image.",
        "crategate registry tag ghcr.io/owner/image:v1.2.3 v1.2 v1", "", "IMAGE TAG...",
        std::numeric_limits<std::size_t>::max()},
       registry_tag},
      {{"registry untag", "registry", "Removes tags; the images stay.",
        "crategate registry untag ghcr.io/owner/image:v1.3.0-rc1",
        "Also oci:DIR:NAME. Not every registry removes tags over its API; the message says so.", "IMAGE:TAG...",
        std::numeric_limits<std::size_t>::max()},
       registry_untag},
      {{"registry digest", "registry", "The digests of images, asked for side by side.",
        "crategate registry digest alpine debian:trixie-slim", "", "IMAGE...", std::numeric_limits<std::size_t>::max()},
       registry_digest},
      {{"registry auth-check", "registry", "Whether a registry takes the login, and what it may do in a repository.",
        "crategate registry auth-check ghcr.io/owner/image",
        "The right to push is tried by an upload that is cancelled at once.", "REGISTRY[/REPOSITORY]", 1},
       registry_auth_check},
      {{"resolve-set", "", "The images of a release set, by digest.",
        "crategate resolve-set ghcr.io/owner/release-set:latest --json",
        "Without REF: the release set of the plan, or that release.set names where there is none.\nREF is one in a "
        "registry, or oci:DIR:NAME.",
        "[REF]", 1},
       resolve_set},
      {{"ci-image resolve", "ci-image", "The CI image that this event's jobs run in, by digest.",
        "crategate ci-image resolve --event push --ref refs/heads/main",
        "As a stage of the action: resolve-image. Nothing is printed while the image is still to be built.\n"
        "docs/ci-image.md lists every event.",
        "", 0, false, "resolve-image"},
       ci_image_resolve},
      {{"ci-image wait", "ci-image",
        "Waits for the build of this event's own CI image, and prints the image by digest.", "crategate ci-image wait",
        "As a stage of the action: wait-image. Where nothing is built it is `ci-image resolve`.", "", 0, false,
        "wait-image"},
       ci_image_wait},
      {{"ci-image tags", "ci-image", "The CI image's tags of this event: used by its jobs, published by its build.",
        "crategate ci-image tags --event push --ref refs/heads/feature/x", "Asks no registry."},
       ci_image_tags},
      {{"ci-image comment", "ci-image", "A comment on the pull request about its CI image, updated in place.",
        "crategate ci-image comment --dry-run",
        "As a stage of the action: comment. Needs github-token, and permissions: pull-requests: write.", "", 0, false,
        "comment"},
       ci_image_comment},
      {{"ci-image build", "ci-image", "Builds the CI image; a job of an event that may, pushes it.",
        "crategate ci-image build",
        "As a stage of the action: build-ci-image. On your machine it stays in the engine, as IMAGE:local, with the "
        "builder's cache;\n--fresh=true takes nothing from a cache.",
        "", 0, false, "build-ci-image"},
       ci_image_build},
      {{"ci-image pull", "ci-image", "Pulls the CI image of the branch that is checked out; prints it by digest.",
        "crategate ci-image pull", "The variable DOCKER_CI_IMAGE names another one; so it does for gen and shell."},
       ci_image_pull},
      {{"ci-image gen", "ci-image", "Makes the generated files anew, by ci-image.generate in the CI image.",
        "crategate ci-image gen --local-image", "The files are yours: the command runs as you."},
       ci_image_gen},
      {{"ci-image shell", "ci-image", "A shell in the CI image, with the repository at /workspace.",
        "crategate ci-image shell", "Needs a terminal, and the docker command line."},
       ci_image_shell},
      {{"ci-image dev", "ci-image", "ci-image build, then ci-image gen with that image.", "crategate ci-image dev", ""},
       ci_image_dev},
      {{"ci-image load", "ci-image", "A fork's CI image, from its OCI layout into the engine; nothing is pushed.",
        "crategate ci-image load artifact/ci-image",
        "As a stage of the action: load-ci-image. PATH is the folder of the artifact ci-image (fork-image: artifact), "
        "or "
        "an\narchive of an OCI layout. The image is IMAGE:fork there, whatever it calls itself.",
        "PATH", 1, false, "load-ci-image"},
       ci_image_load},
      {{"ci-image regen-authorise", "ci-image",
        "Whether the comment /regen of this event is obeyed, for which commit and in which image.",
        "crategate ci-image regen-authorise --event issue_comment --payload event.json --dry-run",
        "As a stage of the action: authorise-regen. Needs github-token, and permissions: pull-requests: write and "
        "actions: read.",
        "", 0, false, "authorise-regen"},
       ci_image_regen_authorise},
      {{"ci-image regen-apply", "regen",
        "Commits what `ci-image regen` has made to the branch of the pull request, and answers the comment.",
        "crategate ci-image regen-apply --event issue_comment --payload event.json "
        "--pull-request 7 --sha COMMIT --regen-image IMAGE --dry-run",
        "As a stage of the action: apply-regen, the third job of /regen. Needs github-token, and permissions: "
        "contents:\n"
        "write and pull-requests: write.",
        "", 0, false, "apply-regen"},
       ci_image_regen_apply},
      {{"ci-image regen", "regen",
        "The generated files of one commit, made anew in the CI image without network or rights, as a patch.",
        "crategate ci-image regen --sha HEAD",
        "As a stage of the action: regen, the second job of /regen. The working tree stays as it is: the patch is\n"
        ".crategate/regen/regen.patch.",
        "", 0, false, "regen"},
       ci_image_regen},
      {{"ci-image prune", "ci-image", "Removes the tags pr-N of pull requests that were closed.",
        "crategate ci-image prune --yes",
        "As a stage of the action: prune-ci-image. Without --yes (input remove) they are only listed. What GitHub does "
        "not "
        "know\nis kept, and so is what has another tag in a package of GitHub's.",
        "", 0, false, "prune-ci-image"},
       ci_image_prune},
      {{"explain", "", "The settings in force and where they come from; or the policy row of an event.",
        "crategate explain policy --event push --ref refs/tags/v1.2.3",
        "crategate explain [SETTING]  prints a setting's value and where it was set.", "[SETTING | policy]", 1},
       explain},
  };
  return table;
}

}  // namespace

stages::Progress tool_lines() {
  constexpr int kMost = 20000;
  return [shown = std::make_shared<std::atomic<int>>(0)](std::string_view line) {
    const int number = ++*shown;
    if (number <= kMost) log::info(line);
    if (number == kMost) log::warning("more output follows; the log file has it");
  };
}

const std::vector<CommandInfo>& command_table() {
  static const std::vector<CommandInfo> table = [] {
    std::vector<CommandInfo> infos;
    for (const auto& row : rows()) infos.push_back(row.info);
    return infos;
  }();
  return table;
}

const CommandInfo* find_command(std::string_view name) {
  for (const auto& info : command_table()) {
    if (info.name == name) return &info;
  }
  return nullptr;
}

void show_plan(Application& app, const pipeline::Plan& plan) {
  if (!app.line().json) return app.console().result(render::policy_table(plan));
  for (const auto& warning : plan.policy.warnings) log::warning(warning);
}

std::string repeat_cell(const Application& app, const pipeline::Cell& cell, std::string_view stage) {
  if (!app.in_runner()) return app.repeat(concat(stage, " --cell ", cell.key));
  std::vector<std::string> items;
  for (const auto& [axis, value] : cell.axes) items.push_back(concat(axis, "=", value));
  return app.repeat(concat("run --only ", join(items, ",")));
}

Error with_repeat(Error error, const Application& app, const pipeline::Cell& cell, std::string_view stage) {
  if (error.hint.empty()) error.hint = repeat_cell(app, cell, stage);
  return error;
}

void warn_of_moves(Application& app, const pipeline::ChangeSet& changes) {
  for (const auto& move : changes.moves) {
    if (!move.warning) continue;
    const std::string text = concat(move.repository, ":", move.tag, ": ", move.note);
    log::warning(text);
    app.workflow().annotate(
        {.severity = actions::Severity::warning, .title = "crategate", .message = text, .location = {}});
  }
}

void show_report(Application& app, const render::Report& report) {
  if (app.line().json) return app.console().document(render::release_json(report));
  app.console().result(render::terminal_table(report, app.console().options().color, 0));
}

Result<void> run_command(Application& app) {
  for (const auto& row : rows()) {
    if (row.info.name == app.line().command) return row.run(app);
  }
  return fail(ErrorCode::internal, concat("command ", quote(app.line().command), " has no row"));
}

}  // namespace crategate::app
