// A template as a flat list of tokens whose sections are matched.
// Belongs here: mustache's grammar and every refusal that needs no variables.  Not here: values (template.cpp).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/result.h"

namespace crategate::dockerfile {

enum class Comparison : std::uint8_t { none, less, less_equal, greater, greater_equal, equal, not_equal };

struct Token {
  enum class Kind : std::uint8_t { text, variable, section, inverted, close };
  Kind kind = Kind::text;
  std::string_view text;  ///< text: the bytes to write; else the name of the variable
  Comparison comparison = Comparison::none;
  std::string_view operand;  ///< right side of a comparison: a dotted version
  std::size_t offset = 0;    ///< of the tag in the template
  std::size_t end = 0;       ///< section, inverted: index of the closing token
};

/// The tokens of `text`; views point into it.
///
/// A section tag or comment that is alone on its line takes the whole line with it, as
/// https://github.com/mustache/spec says; every other byte stays.
///
/// Errors: bad_input at file:line:column for whatever is no tag, a section that is not closed or crosses another one,
/// partials, set-delimiter tags, a comparison with what is no version
Result<std::vector<Token>> tokenize(std::string_view text, std::string_view file_name);

/// Line and column (in characters) of a byte.
Location locate(std::string_view text, std::size_t offset, std::string_view file_name);

}  // namespace crategate::dockerfile
