#include "render/ci_comment.h"

#include <algorithm>

#include "base/strings.h"
#include "base/utf8.h"
#include "render/line.h"
#include "render/markdown.h"

namespace crategate::render {
namespace {

constexpr std::size_t kNameLimit = 400;  ///< characters of one value: a path may be as long as a comment
constexpr std::string_view kFence = "```";
constexpr std::string_view kRest = "\nThe rest was left out: a comment has at most 65,536 characters.\n";

std::string span(std::string_view text) { return markdown_span(cut(one_line(text), kNameLimit)); }

std::string item(std::string_view name, std::string_view markdown) { return concat("- ", name, ": ", markdown, "\n"); }

std::string spans(const std::vector<std::string>& texts) {
  std::vector<std::string> all;
  for (const std::string& text : texts) all.push_back(span(text));
  return join(all, ", ");
}

std::string difference(std::uint64_t bytes, const CiImageComment::Base& base) {
  std::string text = bytes == base.bytes  ? std::string("as large as ")
                     : bytes > base.bytes ? concat(format_bytes(bytes - base.bytes), " more than ")
                                          : concat(format_bytes(base.bytes - bytes), " less than ");
  return concat(text, span(base.tagged), " of branch ", span(base.branch));
}

std::string size_text(const CiImageComment& comment) {
  std::string text = concat(format_bytes(comment.size->bytes), " to download for ", span(comment.size->platform));
  if (comment.base) text += concat(", ", difference(comment.size->bytes, *comment.base));
  return text;
}

std::string shell_block(const std::vector<std::string>& lines) {
  return concat(kFence, "sh\n", join(lines, "\n"), "\n", kFence, "\n");
}

std::string facts(const CiImageComment& comment) {
  std::string text = item("by digest", span(comment.by_digest));
  text += item("built from", span(comment.commit));
  text += item("because", span(comment.reason));
  if (comment.size) text += item("size", size_text(comment));
  if (!comment.platforms.empty()) text += item("platforms", spans(comment.platforms));
  return text;
}

bool ends_in_block(std::string_view text) {
  const auto lines = split(text, '\n');
  return std::ranges::count_if(lines, [](const std::string& line) { return line.starts_with(kFence); }) % 2 == 1;
}

/// Up to the last line end that is not before the middle; else up to the last whole character.
std::size_t end_of_lines(std::string_view text) {
  const std::size_t line = text.rfind('\n');
  if (line != std::string_view::npos && line >= text.size() / 2) return line + 1;
  std::size_t end = text.size();
  while (end > 0 && (static_cast<unsigned char>(text[end - 1]) & 0xC0U) == 0x80U) --end;
  return end > 0 && static_cast<unsigned char>(text[end - 1]) >= 0xC0U ? end - 1 : end;
}

std::string generating(const CiImageComment& comment) {
  if (!comment.generates) return {};
  const std::string chosen = concat("DOCKER_CI_IMAGE=", comment.by_digest);
  return concat("\nTo make generated files with it, by the repository's Makefile or without one:\n\n",
                shell_block({concat(chosen, " make gen"), concat(chosen, " crategate ci-image gen")}));
}

}  // namespace

std::string ci_image_comment(const CiImageComment& comment) {
  const std::string& image = comment.by_digest;
  const std::string text = concat(
      comment.marker, "\n### CI image ", span(comment.tagged), "\n\n",
      "The checks of this pull request run in an image of its own.\n\n", facts(comment),
      "\nTo run something in it, at the top of the repository:\n\n",
      shell_block({concat("docker pull ", image),
                   concat(R"sh(docker run --rm -it --user "$(id -u):$(id -g)" -v "$PWD:/workspace" -w /workspace )sh",
                          image, " sh")}),
      generating(comment), "\nEach push updates this comment. The tag moves with it, the digest does not.\n");
  return fit_comment(text);
}

std::string fit_comment(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return std::string(text);
  const std::size_t spare = kRest.size() + kFence.size() + 2;
  std::string_view kept = text.substr(0, limit - std::min(limit, spare));
  kept = kept.substr(0, end_of_lines(kept));
  std::string cut_text(kept);
  if (!cut_text.ends_with('\n')) cut_text += '\n';
  if (ends_in_block(kept)) cut_text += concat(kFence, "\n");
  return cut_text + std::string(kRest);
}

}  // namespace crategate::render
