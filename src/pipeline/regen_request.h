// `/regen` (C-8): what a comment asks for, and whether whoever wrote it may have it (A29 to A33, A37).
// Belongs here: the command's grammar, facts → ignored, refused or accepted; docs/regen.md has the table.  Not here: asking
// (stages/authorise_regen), how a refusal reads on the page (render/regen_reply), what may be committed (regen_policy).
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace crategate::pipeline {

/// What the first line of a comment says.
struct RegenCommand {
  enum class Kind : unsigned char { none, command, wrong_argument };
  Kind kind = Kind::none;
  std::string sha;       ///< 7 to 40 digits in lower case; empty = the bare form
  std::string argument;  ///< as it was written, when it is wrong
  bool operator==(const RegenCommand&) const = default;
};

/// Exactly `/regen` at the start of the comment, then blanks and at most one commit: quotes, code and look-alikes are none.
RegenCommand parse_regen_command(std::string_view comment);

/// The payload of `issue_comment`. It has neither head nor commit, and what it says of the author is not believed.
struct RegenComment {
  std::string action, body;
  bool on_pull_request = false;
  std::optional<std::int64_t> repository, pull_request, id, author, sender;
  std::string login, type;  ///< of the author
  std::string created_at;   ///< RFC 3339
};

/// What is missing stays empty, which is a refusal later.
/// Errors: bad_input for what is no JSON, or of another shape.
Result<RegenComment> parse_regen_comment(std::string_view payload, const std::string& name);

using RegenTime = std::chrono::system_clock::time_point;

/// What the API says that the author may do. As it stands it denies.
struct RegenPermission {
  std::optional<std::int64_t> user;  ///< that the answer is about
  bool may_write = false;
  std::string role;     ///< for people
  std::string unknown;  ///< why it cannot be told; empty = it was told
};

/// A pull request as the API has it.
struct RegenPull {
  std::string state;
  bool merged = false;
  std::string head_sha, head_branch, head_repository;
  std::optional<std::int64_t> head_repository_id;  ///< nullopt = the repository was deleted
  std::optional<std::int64_t> base_repository_id;
  std::optional<RegenTime> pushed_at;  ///< when anything was pushed to the head's repository last
};

struct RegenFacts {
  RegenComment comment;
  std::vector<std::string> bots;              ///< that may ask, by login
  std::optional<RegenTime> commented_at;      ///< nullopt = it cannot be told
  std::optional<RegenPermission> permission;  ///< nullopt = not asked yet
  std::optional<RegenPull> pull;              ///< nullopt = not asked yet
};

enum class RegenOutcome : unsigned char {
  ignored,  ///< it is none of our business: no answer
  refused,  ///< with an answer
  ask_permission,
  ask_pull_request,
  accepted
};

enum class RegenReason : unsigned char {
  not_created,
  not_a_pull_request,
  no_command,
  bot,
  unclear,
  sender,
  argument,
  permission,
  permission_unknown,
  merged,
  closed,
  head_gone,
  sha_needed,
  sha_differs,
  head_newer,
  head_moved,
  none  ///< nothing speaks against it so far
};

/// A row of the table.
struct RegenRow {
  RegenReason reason;
  std::string_view id;  ///< stable
  RegenOutcome outcome;
  std::string_view when;
};

inline constexpr std::size_t kRegenRows = static_cast<std::size_t>(RegenReason::none);
const std::array<RegenRow, kRegenRows>& regen_table();

/// Exactly what the later jobs work on.
struct RegenTarget {
  std::int64_t pull_request = 0;
  std::string sha, head_branch, head_repository;
  std::optional<std::int64_t> head_repository_id;
  bool is_fork = false;
};

struct RegenVerdict {
  RegenOutcome outcome = RegenOutcome::refused;
  RegenReason reason = RegenReason::unclear;
  std::string text;             ///< a sentence; names that a stranger has chosen are quoted
  std::string hint;             ///< what to do; may be empty
  std::string comment;          ///< that would be accepted, as far as one knows; empty = none would
  RegenTarget target;           ///< when accepted
  std::string_view id() const;  ///< of the reason; `accepted` without one
};

/// Fail-closed: what is not known refuses. Asks for one fact after the other, the cheapest first: with the facts of the
/// payload alone it says whether there is anything to ask.
RegenVerdict judge_regen(const RegenFacts& facts);

/// Whether it is known, by what was asked so far, that the command is of somebody who may.
bool may_ask(const RegenFacts& facts);

/// The same pull request once more, before anything follows from the verdict: nullopt = it is as it was.
std::optional<RegenVerdict> judge_regen_again(const RegenTarget& target, const RegenPull& now);

/// The refusal of a head that has moved, whoever noticed it.
RegenVerdict regen_head_moved(const RegenTarget& target);

}  // namespace crategate::pipeline
