// ci-image regen-apply: asks again, commits, answers.
#include <chrono>

#include "actions/names.h"
#include "app/ci_image_section.h"
#include "app/github_place.h"
#include "app/hand_over.h"
#include "app/regen_commands.h"
#include "base/log.h"
#include "base/strings.h"
#include "git/tree_store.h"
#include "json/value.h"
#include "pipeline/regen_result.h"
#include "render/applied_regen.h"
#include "stages/apply_regen.h"
#include "stages/authorise_regen.h"
#include "sys/cancel.h"

namespace crategate::app {
namespace {

using Reply = render::AppliedRegenReply;

/// What came of it, and the error that ends the job, if it is one.
struct Ending {
  stages::AppliedRegen applied;
  Reply::Outcome outcome = Reply::Outcome::failed;
  std::string text, hint;
  std::string said;  ///< by the job before
  std::optional<Error> failure;
};

Ending failed(const Error& error) {
  return {.applied = {},
          .outcome = Reply::Outcome::failed,
          .text = describe(error),
          .hint = error.hint,
          .said = {},
          .failure = error};
}

/// Only what `generate` has named by its digest: code of the pull request may have uploaded another one.
Result<std::optional<stages::RegenPatch>> take_patch(Application& app) {
  const auto bundle = stages::regen_bundle(app.workspace(), app.configuration().regen);
  if (app.hands_over()) {
    CG_TRY(const auto expected, stages::parse_expected(app.invocation().artifact_digests));
    if (!expected.contains(bundle.name)) return std::nullopt;
  }
  CG_CHECK(take(app, {bundle}));
  return stages::read_regen_patch(app.workspace(), app.configuration().regen, app.files());
}

Ending ending_of(stages::AppliedRegen applied, const pipeline::RegenTarget& target, bool dry_run) {
  Ending ending{.applied = std::move(applied),
                .outcome = Reply::Outcome::committed,
                .text = {},
                .hint = {},
                .said = {},
                .failure = {}};
  if (!ending.applied.findings.empty()) {
    ending.outcome = Reply::Outcome::refused;
    const auto& first = ending.applied.findings.front();
    ending.failure = Error{.code = ErrorCode::gate_refused,
                           .message = concat("/regen: ", to_string(first.refusal), ": ", first.text),
                           .hint = "docs/regen.md says what each reason means. Nothing was committed."};
  } else if (ending.applied.files.empty()) {
    ending.outcome = Reply::Outcome::unchanged;
  } else if (target.is_fork) {
    ending.outcome = Reply::Outcome::patch_only;
  } else if (dry_run) {
    ending.outcome = Reply::Outcome::planned;
  }
  return ending;
}

/// Where the name of the image is a secret, it does not get here; nobody but this job can say so.
Error lost_image() {
  return {
      .code = ErrorCode::bad_input,
      .message = "input regen-image: expected the image that the job authorise has found, found none",
      .hint = "GitHub drops an output that holds a secret: give a user name as the input username, not as a secret."};
}

/// Why, that job may say. Its word is a stranger's, and nothing depends on it.
Ending no_artifact(const Application& app) {
  auto ending = failed({.code = ErrorCode::not_found,
                        .message = "artifact regen: expected one that the job generate has named, found none",
                        .hint = "The log of the job generate says why."});
  ending.said = app.invocation().regen_failure;
  return ending;
}

Ending apply(Application& app, const RegenPins& pins, const pipeline::RegenTarget& target) {
  if (pins.image.empty()) return failed(lost_image());
  const auto patch = take_patch(app);
  if (!patch) return failed(patch.error());
  if (!*patch) return no_artifact(app);
  const auto inside = app.repository().prefix();
  if (!inside) return failed(inside.error());
  const auto transfer = app.pushing_transfer(app.configuration().regen.remote);
  const auto now = std::chrono::duration_cast<std::chrono::seconds>(app.clock().now().time_since_epoch()).count();
  auto applied = stages::apply_regen(
      **patch,
      {.settings = app.configuration().regen,
       .deciding = pipeline::deciding_files(*app.configuration().ci_image, app.configuration_file(), *inside),
       .target = target,
       .image = pins.image,
       .seconds = now,
       .dry_run = app.invocation().dry_run},
      {.transfer = *transfer, .open = git::open_tree_store});
  app.end_pushing();
  if (!applied) return failed(applied.error());
  return ending_of(*std::move(applied), target, app.invocation().dry_run);
}

Reply reply_of(const Application& app, const RegenPins& pins, const pipeline::RegenComment& comment,
               const Ending& ending) {
  const std::string address = place_of(app).address;
  const auto variable = [&app](std::string_view name) { return app.environment().get(name).value_or(""); };
  Reply reply{.marker = stages::regen_marker(*app.configuration().ci_image),
              .outcome = ending.outcome,
              .text = ending.text,
              .hint = ending.hint,
              .said = ending.said,
              .request = concat(address, "/pull/", pins.pull_request, "#issuecomment-", comment.id.value_or(0)),
              .run = concat(address, "/actions/runs/", variable(actions::kRunId)),
              .pull_request = pins.pull_request,
              .sha = pins.sha,
              .image = pins.image,
              .commit = ending.applied.commit,
              .commit_url = concat(address, "/commit/", ending.applied.commit),
              .starts_checks = app.has_push_token(),
              .files = {},
              .refusals = {}};
  for (const auto& file : ending.applied.files)
    reply.files.push_back({file.path, std::string(pipeline::to_string(file.change))});
  for (const auto& finding : ending.applied.findings)
    reply.refusals.push_back({std::string(to_string(finding.refusal)), finding.path, finding.text});
  return reply;
}

/// Another request has committed the files of the same commit: that answer is this one's, too.
stages::OlderReply stays_with(const Ending& ending, const std::string& sha) {
  if (ending.failure && ending.failure->code == ErrorCode::conflict) return render::committed_on(sha);
  return stages::kReplaced;
}

void show(Application& app, const Ending& ending) {
  const auto& applied = ending.applied;
  for (const auto& finding : applied.findings) log::warning(concat(to_string(finding.refusal), ": ", finding.text));
  log::info(concat("/regen: ", render::describe_outcome(ending.outcome, applied.files.size())));
  if (app.line().json) {
    app.console().document(
        json::Value::object({{"commit", applied.commit}, {"files", static_cast<std::int64_t>(applied.files.size())}})
            .pretty());
  } else if (!applied.commit.empty()) {
    app.console().lines(concat(applied.commit, "\n"));
  }
}

}  // namespace

Result<void> ci_image_regen_apply(Application& app) {
  CG_TRY(const auto pins, regen_pins(app));
  CG_TRY(const auto repository, repository_of(app));
  CG_TRY(const auto answer, regen_answer(app, repository));
  CG_TRY(github::GitHubClient* const client, app.github());
  const auto services = app.plan_services();
  // Facts: what has become of commenter and pull request meanwhile.
  CG_TRY(const auto asked,
         stages::authorise_regen_again({.plan = plan_inputs(app), .place = place_of(app), .repository = repository},
                                       {pins.pull_request, pins.sha},
                                       {.plan = services, .github = *client, .answer = *answer}));
  if (!asked.accepted()) {
    CG_CHECK(app.workflow().set_output("commit", ""));
    if (asked.failure) return fail(*asked.failure);
    log::info(concat(asked.reason_id, ": ", asked.reason));
    return {};
  }
  const auto ending = apply(app, pins, asked.verdict.target);
  CG_CHECK(app.workflow().set_output("commit", ending.applied.commit));
  const auto reply = reply_of(app, pins, asked.comment, ending);
  const sys::CancellationPause pause;  // what is pushed is also told
  CG_CHECK(
      answer->reply(pins.pull_request, reply.marker, render::applied_regen_reply(reply), stays_with(ending, pins.sha)));
  show(app, ending);
  if (ending.failure) return fail(*ending.failure);
  return {};
}

}  // namespace crategate::app
