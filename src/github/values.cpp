// Which names are names.
#include "github/values.h"

#include <algorithm>

#include "base/strings.h"

namespace crategate::github {
namespace {

bool is_part(std::string_view text) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  };
  return !text.empty() && text.size() <= 100 && std::all_of(text.begin(), text.end(), good) && text != "." &&
         text != "..";
}

}  // namespace

Result<RepositoryName> RepositoryName::parse(std::string_view text) {
  const std::size_t slash = std::min(text.find('/'), text.size());
  if (is_part(text.substr(0, slash)) && slash < text.size() && is_part(text.substr(slash + 1)))
    return RepositoryName(std::string(text));
  return fail(ErrorCode::bad_input, concat(quoted(text), ": expected a repository as owner/name"),
              "write it as in its address on GitHub, without the server");
}

}  // namespace crategate::github
