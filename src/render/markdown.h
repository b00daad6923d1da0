// GitHub-flavoured Markdown out of untrusted text (https://github.github.com/gfm/).
// Belongs here: escaping and tables.  Not here: what a summary says.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace crategate::render {

/// One line of text that renders as itself: no markup, HTML, link or mention comes out of it; secrets redacted.
std::string markdown_text(std::string_view text);
/// The same as an inline code element, which also holds pipes and backticks inside tables.
std::string markdown_code(std::string_view text);
/// The same as a code span of backticks, in which GitHub looks for nothing at all; for comments, where an issue's number or
/// an address would become a link. Not for tables: a pipe would end a cell. Empty text is one space.
std::string markdown_span(std::string_view text);
/// A table; the cells are Markdown already. Every row has as many cells as `header`.
std::string markdown_table(const std::vector<std::string>& header, const std::vector<std::vector<std::string>>& rows);

}  // namespace crategate::render
