#include "render/regen_reply.h"

#include "base/strings.h"
#include "render/ci_comment.h"
#include "render/line.h"
#include "render/markdown.h"

namespace crategate::render {
namespace {

constexpr std::size_t kSentence = 600;  ///< characters; an error of GitHub may be longer

std::string paragraph(std::string_view text) {
  return text.empty() ? std::string() : concat(markdown_text(cut(text, kSentence)), "\n\n");
}

}  // namespace

std::string regen_refusal(const RegenRefusal& refusal) {
  std::string text =
      concat(refusal.marker, "\n### Nothing was regenerated\n\n", paragraph(refusal.text), paragraph(refusal.hint));
  if (!refusal.comment.empty()) text += concat("```\n", one_line(refusal.comment), "\n```\n\n");
  text += concat("Asked by ", markdown_span(cut(refusal.login, kSentence)), "; reason ", markdown_span(refusal.reason),
                 ".\n");
  return fit_comment(text);
}

}  // namespace crategate::render
