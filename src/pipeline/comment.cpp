#include "pipeline/comment.h"

#include <algorithm>
#include <utility>

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

constexpr std::size_t kLongestLasting = 500;

/// The line that begins with `lasting`; empty = there is none.
std::string lasting_line(std::string_view body, std::string_view lasting) {
  if (lasting.empty()) return {};
  for (const auto& line : split(replace_all(std::string(body), "\r\n", "\n"), '\n'))
    if (line.starts_with(lasting) && line.size() <= kLongestLasting) return line;
  return {};
}

/// `text`, and `line` unless `text` has one of its kind.
std::string with_lasting_line(std::string text, const std::string& line, std::string_view lasting) {
  if (line.empty() || !lasting_line(text, lasting).empty()) return text;
  return concat(text, "\n", line, "\n");
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
  CommentDecision decision{.action = CommentAction::create, .id = 0, .older = 0, .text = facts.text};
  if (newest == nullptr) return decision;
  const std::string lasting = lasting_line(newest->body, facts.lasting);
  decision.text = with_lasting_line(std::move(decision.text), lasting, facts.lasting);
  decision.action = CommentAction::update;
  decision.id = newest->id;
  decision.older = ours - 1;
  const bool same = plain(newest->body) == plain(decision.text);
  const bool stays = facts.stays_with && lasting.find(*facts.stays_with) != std::string::npos;
  if (same || stays) {
    decision.action = CommentAction::keep;
  } else if (!facts.self) {
    decision.action = CommentAction::leave;
  }
  if (!facts.self) decision.older = 0;
  return decision;
}

}  // namespace crategate::pipeline
