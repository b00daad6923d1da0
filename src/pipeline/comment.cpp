#include "pipeline/comment.h"

#include <algorithm>

#include "base/strings.h"

namespace crategate::pipeline {
namespace {

/// A comment of HTML ends at, and by older rules has no, two hyphens. '%' is in no image's name.
std::string without_double_hyphens(std::string_view subject) { return replace_all(std::string(subject), "--", "-%2D"); }

std::string plain(std::string_view body) {
  std::string text = replace_all(std::string(body), "\r\n", "\n");
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text;
}

}  // namespace

std::string comment_marker(std::string_view kind, std::string_view subject) {
  return concat("<!-- crategate:", kind, " ", without_double_hyphens(subject), " -->");
}

bool has_marker(std::string_view body, std::string_view marker) {
  if (!body.starts_with(marker)) return false;
  const std::string_view rest = body.substr(marker.size());
  return rest.empty() || rest.starts_with("\n") || rest.starts_with("\r\n");
}

CommentDecision decide_comment(const CommentFacts& facts) {
  const SeenComment* newest = nullptr;
  std::size_t ours = 0;
  for (const SeenComment& comment : facts.seen) {
    if (!has_marker(comment.body, facts.marker) || (facts.self && comment.author != facts.self)) continue;
    ++ours;
    if (newest == nullptr || comment.id > newest->id) newest = &comment;
  }
  if (newest == nullptr) return {};
  const bool same = plain(newest->body) == plain(facts.text);
  CommentDecision decision{.action = CommentAction::update, .id = newest->id, .older = ours - 1};
  if (same) {
    decision.action = CommentAction::keep;
  } else if (!facts.self) {
    decision.action = CommentAction::leave;
  }
  if (!facts.self) decision.older = 0;
  return decision;
}

}  // namespace crategate::pipeline
