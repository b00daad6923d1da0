// libFuzzer target: any bytes as a patch. What is applied changes what it names and nothing else, our own patch of the same
// change makes the same tree, and what the policy refuses has a harmless text.
#include <cstdint>
#include <memory>

#include "fuzz/patch_property.h"
#include "fuzz/property.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // Every patch leaves objects: now and then the repository is a fresh one.
  constexpr int kEach = 5000;
  static int left = 0;
  static std::unique_ptr<crategate::fuzz::PatchProperty> property;
  if (left-- == 0) {
    property = std::make_unique<crategate::fuzz::PatchProperty>();
    left = kEach;
  }
  property->accepts(crategate::fuzz::text_of(data, size));
  return 0;
}
