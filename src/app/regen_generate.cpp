// ci-image regen.
#include "app/regen_commands.h"

#include "app/ci_image_local.h"
#include "app/ci_image_section.h"
#include "app/commands.h"
#include "app/hand_over.h"
#include "base/log.h"
#include "base/strings.h"
#include "git/revision.h"
#include "git/tree_store.h"
#include "oci/reference.h"
#include "pipeline/regen_result.h"
#include "stages/regen.h"
#include "stages/regen_self_check.h"

namespace crategate::app {
namespace {

constexpr std::string_view kHead = "HEAD";
constexpr std::string_view kOwnRepository = ".";

/// What is to be made anew, of whom and where.
struct Request {
  std::string commit, image;
  std::string remote;  ///< that has the commit
};

Failure lacks(std::string_view input, std::string_view expected, const std::string& found) {
  return fail(ErrorCode::bad_input,
              concat("input ", input, ": expected ", expected, ", found ", found.empty() ? "none" : quote(found)),
              concat("Give what the stage authorise-regen has as output, as regen.yml does."));
}

Result<Request> request_of_person(Application& app, const config::CiImage& settings) {
  const auto& given = app.invocation();
  Request request{.commit = {},
                  .image = given.regen_image,
                  .remote = given.pull_request > 0 ? app.configuration().regen.remote : std::string(kOwnRepository)};
  const std::string revision = given.sha.empty() ? std::string(kHead) : given.sha;
  if (git::is_oid(revision)) {
    request.commit = revision;
  } else {
    CG_TRY(const auto commit, app.repository().resolve(revision));
    if (!commit)
      return fail(ErrorCode::bad_input, concat("--sha: expected a commit, found ", quote(revision)),
                  "Name one of this clone.");
    request.commit = *commit;
  }
  if (request.image.empty()) {
    CG_TRY(request.image, ci_image_name(app, settings));
  }
  return request;
}

Result<void> require_harmless_job(Application& app) {
  stages::SelfCheckServices svc{
      .environment = app.environment(), .processes = app.processes(), .files = app.files(), .may_push = nullptr};
  if (app.has_github_token()) {
    svc.may_push = [&app](const github::RepositoryName& repository) { return app.may_push(repository); };
  }
  return stages::check_surroundings(app.workspace(), app.has_push_token(), svc);
}

Result<Request> request_of(Application& app, const config::CiImage& settings) {
  if (!app.in_runner()) return request_of_person(app, settings);
  CG_TRY(const auto pins, regen_pins(app));
  if (pins.image.empty()) return lacks("regen-image", "an image by its digest", "");
  if (!app.invocation().dry_run) CG_CHECK(require_harmless_job(app));
  return Request{.commit = pins.sha, .image = pins.image, .remote = app.configuration().regen.remote};
}

Result<void> show(Application& app, const stages::Regenerated& made) {
  const auto& result = made.result;
  CG_CHECK(app.workflow().set_output("changed", result.changed() ? "true" : "false"));
  log::info(concat("ci-image regen: ", result.files.size(), result.files.size() == 1 ? " file" : " files", " of ",
                   result.sha, " changed; the command took ", format_duration(made.elapsed.count())));
  if (app.line().json) {
    app.console().document(pipeline::to_json(result));
    return {};
  }
  std::string text;
  for (const auto& file : result.files)
    text += concat(pipeline::to_string(file.change), "  ", neutralise(file.path), "\n");
  if (!text.empty()) app.console().lines(text);
  if (result.changed() && !app.in_runner())
    log::info(concat("to take them over: git apply ", (app.workspace().state_name / stages::kRegenPatchFile).string()));
  return {};
}

}  // namespace

Result<RegenPins> regen_pins(const Application& app) {
  const auto& given = app.invocation();
  if (!git::is_oid(given.sha)) return lacks("sha", "40 hex digits of a commit", given.sha);
  if (given.pull_request == 0) return lacks("pull-request", "its number", "");
  const auto image = oci::parse_reference(given.regen_image);
  if (!given.regen_image.empty() && (!image || !image->digest))
    return lacks("regen-image", "an image by its digest", given.regen_image);
  return RegenPins{.sha = given.sha, .image = given.regen_image, .pull_request = given.pull_request};
}

Result<void> ci_image_regen(Application& app) {
  CG_TRY(const auto* const settings, require_ci_image(app));
  CG_TRY(const auto request, request_of(app, *settings));
  CG_TRY(auto user, container_user(app));
  const stages::RegenInputs in{.commit = request.commit,
                               .pull_request = app.invocation().pull_request,
                               .image = request.image,
                               .generate = settings->generate,
                               .settings = app.configuration().regen,
                               .workspace = app.workspace(),
                               .user = std::move(user)};
  if (app.invocation().dry_run) {
    CG_TRY(const auto text, stages::describe_regen(in));
    show_dry_run(app, {text});
    return {};
  }
  CG_CHECK(withdraw(app, stages::regen_bundle(app.workspace(), app.configuration().regen)));
  CG_CHECK(provide_ci_image(app, request.image));
  CG_TRY(docker::Engine* const engine, app.engine());
  const auto transfer = app.commit_transfer(request.remote);
  const auto progress = tool_lines();
  log::info(concat("ci-image regen: ", stages::describe_command(in.generate), " in ", in.image));
  app.workflow().begin_group("ci-image regen");
  const auto made =
      stages::run_regen(in, {.transfer = *transfer,
                             .open = git::open_tree_store,
                             .engine = *engine,
                             .files = app.files(),
                             .free_space = [&app](const sys::Path& folder) { return app.files().free_space(folder); },
                             .progress = progress});
  app.workflow().end_group();
  if (!made) return fail(made.error());
  CG_CHECK(show(app, *made));
  return give_bound(app, stages::regen_bundle(app.workspace(), app.configuration().regen));
}

}  // namespace crategate::app
