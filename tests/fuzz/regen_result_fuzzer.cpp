// libFuzzer target: any bytes as regen.json.
#include "fuzz/regen_result_property.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  crategate::fuzz::accepts_regen_result(crategate::fuzz::text_of(data, size));
  return 0;
}
