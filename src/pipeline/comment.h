// A comment that is updated in place (C-7): which one is ours, and whether there is anything to write.
// Belongs here: marker, author and text → what to do.  Not here: what a comment says (render/ci_comment), asking (github).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace crategate::pipeline {

/// The first line of a comment, which nobody sees. One for each kind and subject: comments of several images stand side by
/// side.
std::string comment_marker(std::string_view kind, std::string_view subject);

/// Only as the first line: a comment that quotes one is none of its kind.
bool has_marker(std::string_view body, std::string_view marker);

struct SeenComment {
  std::int64_t id = 0;
  std::optional<std::int64_t> author;
  std::string body;
};

struct CommentFacts {
  std::vector<SeenComment> seen;     ///< of the pull request; others than those with the marker may be among them
  std::optional<std::int64_t> self;  ///< the account that we write as; nullopt = nobody could tell
  std::string marker, text;          ///< text begins with marker
  std::string lasting;               ///< how a line begins that the older one keeps when text has none; empty = none
  /// An older one whose lasting line has this text says more than `text` does, and stays; "" is in each, also in none.
  std::optional<std::string> stays_with;
};

enum class CommentAction : unsigned char {
  create,
  update,
  keep,  ///< it says the same already
  leave  ///< one has the marker, and nobody can tell whether it is ours
};

struct CommentDecision {
  CommentAction action = CommentAction::create;
  std::int64_t id = 0;    ///< of the comment to update, keep or leave
  std::size_t older = 0;  ///< further ones of our own, which stay as they are
  std::string text;       ///< what it says then
  bool operator==(const CommentDecision&) const = default;
};

/// Ours has marker and author (A39); the newest of several counts. Line ends and white space at the end, which GitHub and its
/// editor change, are no difference.
CommentDecision decide_comment(const CommentFacts& facts);

}  // namespace crategate::pipeline
