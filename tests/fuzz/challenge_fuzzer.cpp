// libFuzzer target: any bytes as WWW-Authenticate. What is read can be written and read again; a realm is one host (A52).
#include "registry/challenge.h"

#include "base/strings.h"
#include "fuzz/property.h"

namespace crategate::registry {
namespace {

using fuzz::require;

std::string printed(const std::vector<Challenge>& challenges) {
  std::string text;
  for (const Challenge& challenge : challenges) {
    text += concat(text.empty() ? "" : ",", challenge.scheme, " ", challenge.token68);
    std::string_view separator;
    for (const auto& [name, value] : challenge.parameters) {
      text += concat(separator, name, "=\"", replace_all(replace_all(value, "\\", "\\\\"), "\"", "\\\""), "\"");
      separator = ",";
    }
  }
  return text;
}

void read(std::string_view header) {
  const auto challenges = parse_challenges(header);
  if (!challenges) return require(challenges.error().code == ErrorCode::integrity);
  require(header.size() <= 8192 && challenges->size() <= 8);
  for (const Challenge& challenge : *challenges) {
    require(!challenge.scheme.empty() && challenge.scheme == to_lower(challenge.scheme));
    require(challenge.token68.empty() || challenge.parameters.empty());
    fuzz::check_address(challenge.parameter("realm"));
  }
  const std::string text = printed(*challenges);
  if (text.size() > 8192) return;  // quoting made it longer
  const auto again = parse_challenges(text);
  require(again.has_value() && *again == *challenges);
}

}  // namespace
}  // namespace crategate::registry

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  crategate::registry::read(crategate::fuzz::text_of(data, size));
  return 0;
}
