// libFuzzer target: any bytes as a Link header. What is read can be written and read again; the next page is one host.
#include "net/link.h"

#include "base/strings.h"
#include "fuzz/property.h"

namespace links = crategate::net;

namespace crategate::fuzz {
namespace {

std::string printed(const std::vector<links::Link>& all) {
  std::string text;
  for (const links::Link& link : all) {
    text += concat(text.empty() ? "" : ", ", "<", link.target, ">");
    for (const auto& [name, value] : link.parameters)
      text += concat("; ", name, "=\"", replace_all(replace_all(value, "\\", "\\\\"), "\"", "\\\""), "\"");
  }
  return text;
}

void read(std::string_view header) {
  const auto parsed = links::parse_links(header);
  if (!parsed) return require(!parsed.error().message.empty());
  const auto again = links::parse_links(printed(*parsed));
  require(again.has_value() && again->size() == parsed->size());
  for (std::size_t i = 0; i < parsed->size(); ++i) {
    require(again->at(i).target == parsed->at(i).target && again->at(i).parameters == parsed->at(i).parameters);
    check_address(parsed->at(i).target);
  }
  const auto next = links::next_page({{"Link", std::string(header)}});
  if (next && *next) check_address(**next);
}

}  // namespace
}  // namespace crategate::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  crategate::fuzz::read(crategate::fuzz::text_of(data, size));
  return 0;
}
