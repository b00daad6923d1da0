#include "stages/comment.h"

#include <optional>
#include <utility>

#include "base/log.h"
#include "base/strings.h"
#include "oci/reference.h"
#include "pipeline/ci_tags.h"
#include "pipeline/comment.h"
#include "render/ci_comment.h"
#include "stages/image_size.h"

namespace crategate::stages {
namespace {

using pipeline::CommentAction;

constexpr std::string_view kKind = "ci-image";
constexpr std::string_view kTitle = "crategate comment";

bool ends_the_process(ErrorCode code) { return code == ErrorCode::interrupted || code == ErrorCode::terminated; }

/// What a person or a defect is to blame for; everything else is GitHub's, and passes.
bool counts(ErrorCode code) {
  return ends_the_process(code) || code == ErrorCode::bad_input || code == ErrorCode::internal;
}

void warn(actions::Workflow& workflow, const std::string& text) {
  log::warning(text);
  workflow.annotate({.severity = actions::Severity::warning,
                     .title = std::string(kTitle),
                     .message = text,
                     .location = std::nullopt});
}

/// The base branch's image, for the same platform. Only good to know: without it the comment is one number shorter.
Result<std::optional<render::CiImageComment::Base>> base_of(const std::string& branch, const ImageSize& own,
                                                            const config::CiImage& settings,
                                                            const oci::Repository& repository,
                                                            registry::RegistryReader& reader) {
  if (branch.empty()) return std::nullopt;
  const oci::Reference tag{repository, pipeline::branch_tag(branch, settings), std::nullopt};
  const auto size = image_size(tag, own.platform, reader);
  if (!size && ends_the_process(size.error().code)) return fail(size.error());
  if (!size) log::info(concat("the size of ", tag.familiar(), " is not known: ", describe(size.error())));
  if (!size || !*size || (*size)->platform != own.platform) return std::nullopt;
  return render::CiImageComment::Base{.tagged = tag.familiar(), .branch = branch, .bytes = (*size)->bytes};
}

Result<render::CiImageComment> describe_image(const ResolvedImage& resolved, const std::string& base_branch,
                                              const config::CiImage& settings, registry::RegistryReader& reader) {
  CG_TRY(const auto image, oci::parse_reference(resolved.image));
  render::CiImageComment comment{.marker = pipeline::comment_marker(kKind, image.repository.familiar()),
                                 .tagged = resolved.reference,
                                 .by_digest = resolved.image,
                                 .commit = resolved.decision.revision,
                                 .reason = resolved.decision.reason,
                                 .generates = !settings.generate.empty(),
                                 .platforms = {},
                                 .size = std::nullopt,
                                 .base = std::nullopt};
  CG_TRY(const auto size, image_size(image, {}, reader));
  if (!size) return comment;
  for (const auto& platform : size->platforms) comment.platforms.push_back(platform.text());
  comment.size = {size->bytes, size->platform.text()};
  CG_TRY(comment.base, base_of(base_branch, *size, settings, image.repository, reader));
  return comment;
}

/// The account that the token writes as; nullopt where nobody can tell.
Result<std::optional<std::int64_t>> self_of(github::CommentClient& client) {
  const auto account = client.viewer();
  if (account) return account->id;
  if (counts(account.error().code)) return fail(account.error());
  log::info(concat("no comment is taken for our own: ", describe(account.error())));
  return std::nullopt;
}

struct Place {
  const PreparedComment& comment;
  const github::RepositoryName& repository;
  github::CommentClient& client;
};

/// One that was deleted between reading and writing is made anew.
Result<PostedComment> update(const Place& place, std::int64_t id, const std::string& text) {
  auto updated = place.client.update_comment(place.repository, id, text);
  if (updated) return PostedComment{CommentOutcome::updated, updated->url};
  if (updated.error().code != ErrorCode::not_found) return fail(std::move(updated).error());
  CG_TRY(const auto created, place.client.create_comment(place.repository, place.comment.pull_request, text));
  return PostedComment{CommentOutcome::created, created.url};
}

std::string url_of(const std::vector<github::IssueComment>& comments, std::int64_t id) {
  for (const auto& comment : comments) {
    if (comment.id == id) return comment.url;
  }
  return {};
}

Result<PostedComment> upsert(const Place& place, actions::Workflow& workflow) {
  const PreparedComment& comment = place.comment;
  // Facts
  CG_TRY(const auto self, self_of(place.client));
  CG_TRY(const auto comments,
         place.client.issue_comments(place.repository, comment.pull_request, [&](const github::IssueComment& each) {
           return pipeline::has_marker(each.body, comment.marker) && (!self || each.author == self);
         }));
  pipeline::CommentFacts facts{.seen = {},
                               .self = self,
                               .marker = comment.marker,
                               .text = comment.text,
                               .lasting = comment.lasting,
                               .stays_with = comment.stays_with};
  for (const auto& each : comments) facts.seen.push_back({each.id, each.author, each.body});
  // Decision
  const auto decision = pipeline::decide_comment(facts);
  // Effects
  if (decision.older > 0)
    log::info(concat(decision.older, " older comments with the same marker stay as they are: delete them by hand"));
  switch (decision.action) {
    case CommentAction::create: {
      CG_TRY(const auto created, place.client.create_comment(place.repository, comment.pull_request, decision.text));
      return PostedComment{CommentOutcome::created, created.url};
    }
    case CommentAction::update:
      return update(place, decision.id, decision.text);
    case CommentAction::keep:
      return PostedComment{CommentOutcome::unchanged, url_of(comments, decision.id)};
    case CommentAction::leave:
      break;
  }
  warn(workflow, concat("comment ", url_of(comments, decision.id),
                        " is an older one and stays: GitHub does not tell whose token this is, and a comment of "
                        "somebody else is not changed. See docs/github.md"));
  return PostedComment{CommentOutcome::left, {}};
}

}  // namespace

std::string_view to_string(CommentOutcome outcome) {
  constexpr std::string_view kWords[] = {"created", "updated", "unchanged", "left", "failed"};
  return kWords[static_cast<std::size_t>(outcome)];
}

Result<PreparedComment> prepare_comment(const PlanInputs& in, const PlanServices& svc, registry::RegistryReader& reader,
                                        const PullRequestApi* api) {
  CG_TRY(auto decision, decide_ci_image(in, svc, api));
  CG_TRY(const auto event, read_event(in, svc));
  PreparedComment prepared{
      .pull_request = event.pull_request.value_or(0), .marker = {}, .text = {}, .reason = decision.reason};
  if (decision.event != pipeline::CiEvent::pull_request_changed || !event.pull_request) return prepared;
  CG_TRY(const auto resolved, look_up_image(std::move(decision), *in.configuration.ci_image, reader));
  if (resolved.image.empty()) {
    return fail(
        ErrorCode::not_found,
        concat("CI image ", resolved.reference, ": expected one of commit ", resolved.decision.revision,
               ", found none"),
        "Let this job need the one that builds the image, or waits for it; after a newer push its own run comments.");
  }
  CG_TRY(const auto comment, describe_image(resolved, event.base_branch, *in.configuration.ci_image, reader));
  prepared.marker = comment.marker;
  prepared.text = render::ci_image_comment(comment);
  return prepared;
}

Result<PostedComment> post_comment(const PreparedComment& comment, const github::RepositoryName& repository,
                                   github::CommentClient& client, actions::Workflow& workflow) {
  auto posted = upsert({comment, repository, client}, workflow);
  if (posted) return posted;
  CG_CHECK(only_warn(posted.error(), "no comment was written", workflow));
  return PostedComment{};
}

Result<void> only_warn(const Error& error, std::string_view what, actions::Workflow& workflow) {
  if (counts(error.code)) return fail(error);
  warn(workflow, concat(what, ": ", describe(error), error.hint.empty() ? "" : "; ", error.hint));
  return {};
}

}  // namespace crategate::stages
