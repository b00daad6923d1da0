#include "stages/authorise_regen.h"

#include <utility>

#include "base/strings.h"
#include "render/applied_regen.h"
#include "render/regen_reply.h"
#include "stages/ci_container.h"

namespace crategate::stages {
namespace {

using github::Reaction;
using pipeline::RegenOutcome;
using pipeline::RegenReason;
using pipeline::RegenVerdict;

constexpr std::string_view kEvent = "issue_comment";

pipeline::RegenPull pull_facts(const github::PullRequest& pull) {
  return {.state = pull.state,
          .merged = pull.merged,
          .head_sha = pull.head.sha,
          .head_branch = pull.head.ref,
          .head_repository = pull.head.repository,
          .head_repository_id = pull.head.repository_id,
          .base_repository_id = pull.base.repository_id,
          .pushed_at = sys::parse_rfc3339(pull.head.pushed_at)};
}

Result<pipeline::RegenComment> read_comment(const AuthoriseInputs& in, const PlanServices& svc) {
  CG_TRY(const auto event, read_event_facts(in.plan, svc));
  if (event.name == kEvent && !event.payload.empty()) {
    return pipeline::parse_regen_comment(event.payload, event.payload_name);
  }
  return fail(ErrorCode::bad_input,
              event.payload.empty() ? concat("event ", quoted(event.name), ": expected its payload, found none")
                                    : concat("event: expected ", kEvent, ", found ", quoted(event.name)),
              "Run this in a workflow `on: {issue_comment: {types: [created]}}`; elsewhere give --event issue_comment "
              "and --payload FILE.");
}

bool ends_the_process(ErrorCode code) { return code == ErrorCode::interrupted || code == ErrorCode::terminated; }

class Authorisation {
 public:
  /// `wait`: null where it is asked again.
  Authorisation(const AuthoriseInputs& in, const AuthoriseServices& svc, const WaitServices* wait,
                pipeline::RegenComment comment)
      : in_(in), svc_(svc), wait_(wait) {
    facts_.bots = in.plan.configuration.regen.bots;
    facts_.commented_at = sys::parse_rfc3339(comment.created_at);
    facts_.comment = std::move(comment);
  }

  Result<AuthorisedRegen> run() {
    RegenVerdict verdict = pipeline::judge_regen(facts_);
    if (verdict.outcome == RegenOutcome::ignored) return settled(std::move(verdict));
    CG_TRY(const auto settings, ci_image_settings(in_.plan.configuration));
    marker_ = regen_marker(settings);
    auto authorised = decide(std::move(verdict));
    if (authorised || ends_the_process(authorised.error().code)) return authorised;
    return give_up(authorised.error());
  }

 private:
  Result<AuthorisedRegen> decide(RegenVerdict verdict) {
    while (verdict.outcome == RegenOutcome::ask_permission || verdict.outcome == RegenOutcome::ask_pull_request) {
      CG_CHECK(verdict.outcome == RegenOutcome::ask_permission ? ask_permission() : ask_pull_request());
      verdict = pipeline::judge_regen(facts_);
    }
    if (verdict.outcome != RegenOutcome::accepted) return refuse(std::move(verdict));
    if (wait_ == nullptr) return settled(std::move(verdict));
    CG_CHECK(require_ci_generate(in_.plan.configuration.ci_image->generate));
    auto image = wait_for_image(in_.plan, in_.place, *wait_, &*pull_);
    if (!image && image.error().code == ErrorCode::conflict) return refuse(regen_head_moved(verdict.target));
    if (!image) return fail(std::move(image).error());
    CG_TRY(const auto now, svc_.github.pull_request(in_.repository, verdict.target.pull_request));
    if (auto later = pipeline::judge_regen_again(verdict.target, pull_facts(now))) return refuse(*std::move(later));
    AuthorisedRegen authorised = settled(std::move(verdict));
    authorised.reason += concat("; ", image->decision.reason);
    authorised.image = *std::move(image);
    return authorised;
  }

  Result<void> ask_permission() {
    const auto& comment = facts_.comment;
    const auto asked = svc_.github.permission_of(in_.repository, comment.login);
    if (!asked && asked.error().code != ErrorCode::not_found) return fail(asked.error());
    facts_.permission = asked ? pipeline::RegenPermission{.user = asked->user,
                                                          .may_write = asked->may_write(),
                                                          .role = asked->role,
                                                          .unknown = {}}
                              : pipeline::RegenPermission{.user = std::nullopt,
                                                          .may_write = false,
                                                          .role = {},
                                                          .unknown = "GitHub does not know of them there"};
    return {};
  }

  /// By now it is somebody's who may: they see that it was heard.
  Result<void> ask_pull_request() {
    if (wait_ != nullptr) CG_CHECK(svc_.answer.react(*facts_.comment.id, Reaction::eyes));
    CG_TRY(pull_, svc_.github.pull_request(in_.repository, *facts_.comment.pull_request));
    facts_.pull = pull_facts(*pull_);
    return {};
  }

  AuthorisedRegen settled(RegenVerdict verdict) const {
    AuthorisedRegen authorised{.comment = facts_.comment,
                               .verdict = std::move(verdict),
                               .reason_id = {},
                               .reason = {},
                               .image = {},
                               .failure = {}};
    authorised.reason_id = authorised.verdict.id();
    authorised.reason = authorised.verdict.text;
    return authorised;
  }

  Result<AuthorisedRegen> refuse(RegenVerdict verdict) {
    if (wait_ == nullptr && verdict.reason == RegenReason::sha_differs) verdict = head_moved();
    AuthorisedRegen authorised = settled(std::move(verdict));
    CG_CHECK(answer(authorised));
    if (authorised.verdict.reason == RegenReason::head_moved) {
      authorised.failure =
          Error{.code = ErrorCode::conflict, .message = authorised.verdict.text, .hint = authorised.verdict.hint};
    }
    return authorised;
  }

  /// Asked again, the commit of the command is the one that was pinned, and not one that somebody wrote.
  std::string pinned() const {
    return wait_ == nullptr ? pipeline::parse_regen_command(facts_.comment.body).sha : pull_->head.sha;
  }

  RegenVerdict head_moved() const {
    pipeline::RegenTarget target;
    target.sha = pinned();
    target.is_fork = facts_.pull->head_repository_id != facts_.pull->base_repository_id;
    return regen_head_moved(target);
  }

  /// Nobody is left without an answer, and no unknown is a yes.
  Result<AuthorisedRegen> give_up(const Error& error) {
    AuthorisedRegen authorised{.comment = facts_.comment,
                               .verdict = {},
                               .reason_id = std::string(name(error.code)),
                               .reason = describe(error),
                               .image = {},
                               .failure = error};
    authorised.verdict.text = concat("It could not be done: ", describe(error));
    authorised.verdict.hint = error.hint;
    CG_CHECK(answer(authorised));
    return authorised;
  }

  Result<void> answer(const AuthorisedRegen& authorised) {
    const auto& comment = facts_.comment;
    if (comment.id) CG_CHECK(svc_.answer.react(*comment.id, Reaction::thumbs_down));
    if (!comment.pull_request) return {};
    return svc_.answer.reply(*comment.pull_request, marker_,
                             render::regen_refusal({.marker = marker_,
                                                    .login = comment.login,
                                                    .reason = authorised.reason_id,
                                                    .text = authorised.verdict.text,
                                                    .hint = authorised.verdict.hint,
                                                    .comment = authorised.verdict.comment}),
                             stays_with(authorised.verdict));
  }

  /// Whoever may not ask does not overwrite what was answered to those who may; nor does a request that came too late, for
  /// another one has committed the files of the same commit.
  OlderReply stays_with(const RegenVerdict& verdict) const {
    if (!pipeline::may_ask(facts_)) return kKept;
    if (verdict.reason == RegenReason::head_moved) return render::committed_on(pinned());
    return kReplaced;
  }

  const AuthoriseInputs& in_;
  const AuthoriseServices& svc_;
  const WaitServices* wait_;
  pipeline::RegenFacts facts_;
  std::optional<github::PullRequest> pull_;
  std::string marker_;
};

}  // namespace

Result<AuthorisedRegen> authorise_regen(const AuthoriseInputs& in, const AuthoriseServices& svc,
                                        const WaitServices& wait) {
  CG_TRY(auto comment, read_comment(in, svc.plan));
  return Authorisation(in, svc, &wait, std::move(comment)).run();
}

Result<AuthorisedRegen> authorise_regen_again(const AuthoriseInputs& in, const PinnedRegen& pinned,
                                              const AuthoriseServices& svc) {
  CG_TRY(auto comment, read_comment(in, svc.plan));
  if (comment.pull_request && comment.pull_request != pinned.pull_request) {
    return fail(ErrorCode::bad_input,
                concat("pull-request: expected ", *comment.pull_request, ", which the comment is on, found ",
                       pinned.pull_request),
                "Give the output pull_request of authorise-regen.");
  }
  comment.body = concat("/regen ", pinned.sha);
  return Authorisation(in, svc, nullptr, std::move(comment)).run();
}

Result<void> publish_authorised(const AuthorisedRegen& authorised, actions::Workflow& workflow) {
  const bool accepted = authorised.accepted();
  const auto& target = authorised.verdict.target;
  CG_CHECK(workflow.set_output("authorised", accepted ? "true" : "false"));
  CG_CHECK(workflow.set_output("pull_request", accepted ? std::to_string(target.pull_request) : std::string()));
  CG_CHECK(workflow.set_output("sha", target.sha));
  CG_CHECK(workflow.set_output("head_ref", target.head_branch));
  CG_CHECK(workflow.set_output("fork", target.is_fork ? "true" : "false"));
  CG_CHECK(workflow.set_output("image", authorised.image ? authorised.image->image : std::string()));
  CG_CHECK(workflow.set_output("reason", concat(authorised.reason_id, ": ", authorised.reason)));
  if (authorised.image) notice_unvalidated(authorised.image->decision, workflow);
  return {};
}

}  // namespace crategate::stages
