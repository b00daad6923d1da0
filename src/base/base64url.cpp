#include "base/base64url.h"

#include <algorithm>

#include "base/strings.h"

namespace crategate {

std::string base64url(std::string_view bytes) {
  std::string text = replace_all(replace_all(base64(bytes), "+", "-"), "/", "_");
  text.resize(std::min(text.size(), text.find('=')));
  return text;
}

}  // namespace crategate
