#include "render/applied_regen.h"

#include <algorithm>
#include <string_view>

#include "base/strings.h"
#include "base/utf8.h"
#include "render/ci_comment.h"
#include "render/line.h"
#include "render/markdown.h"

namespace crategate::render {
namespace {

constexpr std::size_t kNameLimit = 400;
constexpr std::size_t kSaidLimit = 600;     ///< characters
constexpr std::size_t kMostRows = 100;      ///< of files, and of refusals
constexpr std::size_t kMostBytes = 20'000;  ///< of each; what follows them must not be cut off
constexpr std::size_t kShortCommit = 7;
constexpr std::string_view kArtifact = "regen";

std::string span(std::string_view text) { return markdown_span(cut(one_line(text), kNameLimit)); }

/// An address that the product has made; what is none of https is shown as text.
std::string link(std::string_view text, std::string_view address) {
  const bool plain = address.starts_with("https://") && address.find_first_of(" ()<>\"'\\\n") == std::string_view::npos;
  return plain ? concat("[", text, "](", address, ")") : concat(text, " ", span(address));
}

std::string counted(std::size_t count, std::string_view thing) {
  return concat(count, " ", thing, count == 1 ? "" : "s");
}

/// At most kMostRows and about kMostBytes, with a last one for the rest.
template <class Row, class Text>
std::string rows(const std::vector<Row>& all, const Text& text_of) {
  std::string text;
  std::size_t shown = 0;
  for (; shown < std::min(all.size(), kMostRows) && text.size() < kMostBytes; ++shown)
    text += concat("- ", text_of(all[shown]), "\n");
  if (all.size() > shown) text += concat("- and ", all.size() - shown, " more\n");
  return text;
}

/// In a code span on a line of its own: neither the marker nor a line of this answer can be made of it.
std::string quotation(const AppliedRegenReply& reply) {
  const std::string line = one_line(reply.said);
  const std::string_view said = trim(line);
  if (said.empty()) return {};
  return concat("\nThe job `generate` says:\n\n> ", markdown_span(cut(said, kSaidLimit)), "\n");
}

std::string files(const AppliedRegenReply& reply) {
  if (reply.files.empty()) return {};
  return concat("\n", rows(reply.files, [](const auto& file) { return concat(span(file.path), " ", file.change); }));
}

std::string refusals(const AppliedRegenReply& reply) {
  if (reply.refusals.empty()) return {};
  return concat("\nNothing was committed:\n\n", rows(reply.refusals, [](const auto& refusal) {
                  const std::string where = refusal.path.empty() ? std::string() : concat(span(refusal.path), ": ");
                  return concat("`", refusal.reason, "` ", where, markdown_text(one_line(refusal.text)));
                }));
}

std::string made_from(const AppliedRegenReply& reply) {
  if (reply.sha.empty()) return {};
  std::string text = concat("\nMade from ", span(reply.sha));
  if (!reply.image.empty()) text += concat(" in ", span(reply.image));
  return text + ".\n";
}

/// What GitHub does not do by itself after a push by the job's own token.
std::string checks(const AppliedRegenReply& reply) {
  if (reply.outcome != AppliedRegenReply::Outcome::committed || reply.starts_checks) return {};
  return "\nGitHub starts no checks for this commit, for the workflow's own token has pushed it. To start them, close "
         "and "
         "reopen the pull request, or push to it; with a GitHub App that pushes (`push-app-id`) they start by "
         "themselves.\n";
}

std::string by_hand(const AppliedRegenReply& reply) {
  using enum AppliedRegenReply::Outcome;
  if (reply.outcome == patch_only) {
    return concat("\nNothing was pushed, for a fork is its owner's. The patch is the artifact `", kArtifact,
                  "` of the run; in a clone of the fork:\n\n```sh\ngit checkout --detach ", reply.sha,
                  "\ngit apply --index regen.patch\n```\n");
  }
  if (reply.image.empty()) return {};
  return concat("\nThe same on your machine, as a patch:\n\n```sh\ncrategate ci-image regen --pull-request ",
                reply.pull_request, " --sha ", reply.sha, " --image ", reply.image, "\n```\n");
}

std::string links(const AppliedRegenReply& reply) {
  std::vector<std::string> all;
  if (!reply.run.empty()) all.push_back(link("run", reply.run));
  if (!reply.request.empty()) all.push_back(link("request", reply.request));
  return all.empty() ? std::string() : concat("\n", join(all, " · "), "\n");
}

std::string last_commit(const AppliedRegenReply& reply) {
  if (reply.commit.empty()) return {};
  return concat("\n", kLastRegenCommit, link(reply.commit.substr(0, kShortCommit), reply.commit_url),
                committed_on(reply.sha), "\n");
}

}  // namespace

std::string committed_on(std::string_view sha) { return concat(" on top of ", span(sha)); }

std::string describe_outcome(AppliedRegenReply::Outcome outcome, std::size_t files) {
  using enum AppliedRegenReply::Outcome;
  switch (outcome) {
    case committed:
      return concat("committed ", counted(files, "file"));
    case planned:
      return concat("would commit ", counted(files, "file"));
    case unchanged:
      return "nothing to change";
    case patch_only:
      return concat("a patch of ", counted(files, "file"));
    case refused:
      return "refused";
    case failed:
      return "failed";
  }
  return {};
}

std::string applied_regen_reply(const AppliedRegenReply& reply) {
  std::string text = concat(reply.marker, "\n### /regen: ", describe_outcome(reply.outcome, reply.files.size()), "\n");
  for (const auto& sentence : {reply.text, reply.hint})
    if (!sentence.empty()) text += concat("\n", markdown_text(one_line(sentence)), "\n");
  return fit_comment(concat(text, quotation(reply), files(reply), refusals(reply), made_from(reply), checks(reply),
                            by_hand(reply), links(reply), last_commit(reply)));
}

}  // namespace crategate::render
