#include "pipeline/regen_request.h"

#include <algorithm>
#include <utility>

#include "base/strings.h"
#include "json/value.h"

namespace crategate::pipeline {
namespace {

using Kind = RegenCommand::Kind;

constexpr std::string_view kCommand = "/regen", kBlanks = " \t", kOpen = "open", kBot = "Bot", kBotSuffix = "[bot]";
constexpr std::string_view kLook = "Look at the newest commit, and name it after `/regen`.", kAgain = "Comment again.";
constexpr std::size_t kFewestDigits = 7, kMostDigits = 40;

// clang-format off
constexpr std::array<RegenRow, kRegenRows> kTable = {{
    {RegenReason::not_created, "not-created", RegenOutcome::ignored, "the comment was edited or deleted, not written"},
    {RegenReason::not_a_pull_request, "not-a-pull-request", RegenOutcome::ignored, "it is about an issue"},
    {RegenReason::no_command, "no-command", RegenOutcome::ignored, "its first line does not begin with the word `/regen`"},
    {RegenReason::bot, "bot", RegenOutcome::ignored, "an app wrote it that `regen.bots` does not name"},
    {RegenReason::unclear, "unclear", RegenOutcome::refused, "the event, or what GitHub says of the pull request, leaves something open"},
    {RegenReason::sender, "sender", RegenOutcome::refused, "who caused the event is not who wrote the comment"},
    {RegenReason::argument, "argument", RegenOutcome::refused, "after `/regen` there is something else than one commit of 7 to 40 digits"},
    {RegenReason::permission, "permission", RegenOutcome::refused, "who wrote it may not write to this repository now"},
    {RegenReason::permission_unknown, "permission-unknown", RegenOutcome::refused, "GitHub does not tell what they may do"},
    {RegenReason::merged, "merged", RegenOutcome::refused, "the pull request was merged"},
    {RegenReason::closed, "closed", RegenOutcome::refused, "it is not open"},
    {RegenReason::head_gone, "head-gone", RegenOutcome::refused, "the repository of its branch was deleted"},
    {RegenReason::sha_needed, "sha-needed", RegenOutcome::refused, "it comes from a fork, and the comment names no commit"},
    {RegenReason::sha_differs, "sha-differs", RegenOutcome::refused, "the commit that the comment names is not the newest one"},
    {RegenReason::head_newer, "head-newer", RegenOutcome::refused, "the branch's repository was pushed to after the comment, which names no whole commit"},
    {RegenReason::head_moved, "head-moved", RegenOutcome::refused, "the branch was pushed to since the command was accepted (exit code 50)"},
}};
// clang-format on

const RegenRow& row_of(RegenReason reason) { return kTable[static_cast<std::size_t>(reason)]; }

RegenVerdict verdict(RegenReason reason, std::string text, std::string_view hint = {}, std::string comment = {}) {
  return {.outcome = row_of(reason).outcome,
          .reason = reason,
          .text = std::move(text),
          .hint = std::string(hint),
          .comment = std::move(comment),
          .target = {}};
}

RegenVerdict proceed(RegenOutcome outcome) {
  return {.outcome = outcome, .reason = RegenReason::none, .text = {}, .hint = {}, .comment = {}, .target = {}};
}

bool is_hex(std::string_view text) { return text.find_first_not_of("0123456789abcdef") == std::string_view::npos; }

/// All digits: of fewer the author of a fork can make a second commit.
std::string with_commit(std::string_view sha) { return concat(kCommand, " ", sha.substr(0, kMostDigits)); }

// --- the payload ---------------------------------------------------------------------------------------------------

Result<std::optional<std::int64_t>> number_at(const std::optional<json::Reader>& object, std::string_view key) {
  if (!object) return std::nullopt;
  CG_TRY(const auto found, object->find(key));
  if (!found) return std::nullopt;
  CG_TRY(const auto number, found->as_integer());
  return number;
}

Result<std::optional<json::Reader>> object_at(const std::optional<json::Reader>& object, std::string_view key) {
  if (!object) return std::nullopt;
  return object->find(key);
}

Result<void> read_author(RegenComment& comment, const json::Reader& written) {
  CG_TRY(const auto user, written.find("user"));
  if (!user) return {};
  CG_TRY(comment.author, number_at(user, "id"));
  CG_TRY(comment.login, user->string_or("login", ""));
  CG_TRY(comment.type, user->string_or("type", ""));
  return {};
}

// --- the comment alone ---------------------------------------------------------------------------------------------

bool is_bot(const RegenComment& comment) { return comment.type == kBot || comment.login.ends_with(kBotSuffix); }

bool is_complete(const RegenComment& comment) {
  return comment.repository && comment.pull_request && comment.id && comment.author && comment.sender &&
         !comment.login.empty() && !comment.type.empty();
}

/// nullopt: it is ours, and complete.
std::optional<RegenVerdict> judge_comment(const RegenFacts& facts, const RegenCommand& command) {
  const RegenComment& comment = facts.comment;
  if (comment.action != "created") {
    return verdict(RegenReason::not_created, concat("a comment was ", quoted(comment.action), ", not written"));
  }
  if (!comment.on_pull_request) return verdict(RegenReason::not_a_pull_request, "a comment on an issue");
  if (command.kind == Kind::none) {
    return verdict(RegenReason::no_command, concat("a comment whose first line is not ", kCommand));
  }
  if (is_bot(comment) && std::ranges::find(facts.bots, comment.login) == facts.bots.end()) {
    return verdict(RegenReason::bot, concat(quoted(comment.login), " is an app that regen.bots does not name"));
  }
  if (!is_complete(comment)) {
    return verdict(RegenReason::unclear, "The event does not say who wrote which comment, and where.",
                   "Comment again; the workflow must run on `issue_comment`.", std::string(kCommand));
  }
  if (comment.author != comment.sender) {
    return verdict(RegenReason::sender, concat("The comment is by ", quoted(comment.login), ", the event by another."),
                   "Comment yourself.", std::string(kCommand));
  }
  return std::nullopt;
}

/// GitHub does not say what an app may do: the list does.
bool needs_permission(const RegenFacts& facts) { return facts.comment.type != kBot; }

// --- who, and what -------------------------------------------------------------------------------------------------

std::optional<RegenVerdict> judge_permission(const RegenComment& comment, const RegenPermission& permission) {
  if (!permission.unknown.empty() || permission.user != comment.author) {
    return verdict(RegenReason::permission_unknown,
                   concat("Nobody can tell what ", quoted(comment.login), " may do in this repository: ",
                          permission.unknown.empty() ? std::string("GitHub's answer is about another account")
                                                     : neutralise(permission.unknown),
                          "."));
  }
  if (permission.may_write) return std::nullopt;
  return verdict(RegenReason::permission,
                 concat(quoted(comment.login), " may not write to this repository",
                        permission.role.empty() ? std::string() : concat(" (", quoted(permission.role), ")"), "."),
                 "Ask somebody who may to write the comment.");
}

std::optional<RegenVerdict> judge_state(const RegenPull& pull) {
  if (pull.merged) return verdict(RegenReason::merged, "The pull request was merged.");
  if (pull.state != kOpen) return verdict(RegenReason::closed, "The pull request is not open.", "Reopen it first.");
  if (!pull.head_repository_id) {
    return verdict(RegenReason::head_gone, "The repository of the pull request's branch was deleted.");
  }
  return std::nullopt;
}

/// Only of those who may ask: a stranger's words are not repeated.
std::optional<RegenVerdict> judge_argument(const RegenCommand& command) {
  if (command.kind != Kind::wrong_argument) return std::nullopt;
  return verdict(RegenReason::argument,
                 concat("Expected one commit of ", kFewestDigits, " to ", kMostDigits,
                        " hexadecimal digits or nothing, found ", quoted(command.argument), "."),
                 "What is made and how is in crategate.yml of the default branch.", std::string(kCommand));
}

RegenTarget target_of(const RegenFacts& facts) {
  const RegenPull& pull = *facts.pull;
  return {.pull_request = *facts.comment.pull_request,
          .sha = pull.head_sha,
          .head_branch = pull.head_branch,
          .head_repository = pull.head_repository,
          .head_repository_id = pull.head_repository_id,
          .is_fork = pull.head_repository_id != pull.base_repository_id};
}

/// A whole commit in the comment is the one that its author has seen; without one, time must say that they have (A32). Of
/// an abbreviation, too: whoever pushes can find another commit that begins so.
std::optional<RegenVerdict> judge_commit(const RegenFacts& facts, const std::string& given, bool is_fork) {
  const RegenPull& pull = *facts.pull;
  const std::string comment = with_commit(pull.head_sha);
  if (!pull.head_sha.starts_with(given)) {
    return verdict(RegenReason::sha_differs,
                   concat("The newest commit of the pull request is ", pull.head_sha, ", not ", given, "."), kLook,
                   comment);
  }
  if (given.size() == kMostDigits) return std::nullopt;
  if (given.empty() && is_fork) {
    return verdict(RegenReason::sha_needed,
                   "The pull request comes from a fork, where the branch can change between look and comment.", kLook,
                   comment);
  }
  if (!facts.commented_at || !pull.pushed_at) {
    return verdict(RegenReason::unclear, "Nobody can tell whether the branch is older than the comment.", kLook,
                   comment);
  }
  if (*pull.pushed_at <= *facts.commented_at) return std::nullopt;
  return verdict(RegenReason::head_newer, "The branch's repository was pushed to after the comment was written.", kLook,
                 comment);
}

RegenVerdict judge_pull(const RegenFacts& facts, const RegenCommand& command) {
  const RegenPull& pull = *facts.pull;
  if (auto refused = judge_state(pull)) return *std::move(refused);
  if (!pull.base_repository_id || pull.base_repository_id != facts.comment.repository ||
      pull.head_sha.size() < kMostDigits || !is_hex(pull.head_sha) || pull.head_branch.empty()) {
    return verdict(RegenReason::unclear, "What GitHub says of the pull request does not fit to the event.", kAgain,
                   std::string(kCommand));
  }
  RegenTarget target = target_of(facts);
  if (auto refused = judge_commit(facts, command.sha, target.is_fork)) return *std::move(refused);
  RegenVerdict accepted = proceed(RegenOutcome::accepted);
  accepted.text = concat(quoted(facts.comment.login), " may ask: pull request ", target.pull_request, " at ",
                         target.sha, target.is_fork ? " of a fork" : "");
  accepted.target = std::move(target);
  return accepted;
}

}  // namespace

const std::array<RegenRow, kRegenRows>& regen_table() { return kTable; }

std::string_view RegenVerdict::id() const { return reason == RegenReason::none ? "accepted" : row_of(reason).id; }

RegenCommand parse_regen_command(std::string_view comment) {
  const std::string_view line = comment.substr(0, comment.find_first_of("\r\n"));
  if (!line.starts_with(kCommand)) return {};
  std::string_view rest = line.substr(kCommand.size());
  if (!rest.empty() && kBlanks.find(rest.front()) == std::string_view::npos) return {};
  rest.remove_prefix(std::min(rest.find_first_not_of(kBlanks), rest.size()));
  rest = rest.substr(0, rest.find_last_not_of(kBlanks) + 1);
  if (rest.empty()) return {.kind = Kind::command, .sha = {}, .argument = {}};
  std::string sha = to_lower(rest);
  if (sha.size() >= kFewestDigits && sha.size() <= kMostDigits && is_hex(sha)) {
    return {.kind = Kind::command, .sha = std::move(sha), .argument = {}};
  }
  return {.kind = Kind::wrong_argument, .sha = {}, .argument = std::string(rest)};
}

Result<RegenComment> parse_regen_comment(std::string_view payload, const std::string& name) {
  CG_TRY(const auto document, json::Document::parse(payload, name));
  const json::Reader root = document.root();
  if (!root.is_object()) return root.expected("an object");
  RegenComment comment;
  CG_TRY(comment.action, root.string_or("action", ""));
  CG_TRY(const auto repository, root.find("repository"));
  CG_TRY(comment.repository, number_at(repository, "id"));
  CG_TRY(const auto sender, root.find("sender"));
  CG_TRY(comment.sender, number_at(sender, "id"));
  CG_TRY(const auto issue, root.find("issue"));
  CG_TRY(comment.pull_request, number_at(issue, "number"));
  CG_TRY(const auto marker, object_at(issue, "pull_request"));
  comment.on_pull_request = marker.has_value();
  CG_TRY(const auto written, root.find("comment"));
  if (!written) return comment;
  CG_TRY(comment.id, number_at(written, "id"));
  CG_TRY(comment.body, written->string_or("body", ""));
  CG_TRY(comment.created_at, written->string_or("created_at", ""));
  CG_CHECK(read_author(comment, *written));
  return comment;
}

bool may_ask(const RegenFacts& facts) {
  if (judge_comment(facts, parse_regen_command(facts.comment.body))) return false;
  return !needs_permission(facts) || (facts.permission && !judge_permission(facts.comment, *facts.permission));
}

RegenVerdict judge_regen(const RegenFacts& facts) {
  const RegenCommand command = parse_regen_command(facts.comment.body);
  if (auto settled = judge_comment(facts, command)) return *std::move(settled);
  if (needs_permission(facts)) {
    if (!facts.permission) return proceed(RegenOutcome::ask_permission);
    if (auto refused = judge_permission(facts.comment, *facts.permission)) return *std::move(refused);
  }
  if (auto refused = judge_argument(command)) return *std::move(refused);
  if (!facts.pull) return proceed(RegenOutcome::ask_pull_request);
  return judge_pull(facts, command);
}

RegenVerdict regen_head_moved(const RegenTarget& target) {
  return verdict(RegenReason::head_moved,
                 concat("The pull request has moved on from ", target.sha, " since the command was accepted."),
                 target.is_fork ? kLook : kAgain, target.is_fork ? std::string() : std::string(kCommand));
}

std::optional<RegenVerdict> judge_regen_again(const RegenTarget& target, const RegenPull& now) {
  if (auto refused = judge_state(now)) return refused;
  const bool same = now.head_sha == target.sha && now.head_branch == target.head_branch &&
                    now.head_repository_id == target.head_repository_id;
  if (same) return std::nullopt;
  return regen_head_moved(target);
}

}  // namespace crategate::pipeline
