// A JSON list, written once.
#include "conformance/left_behind.h"

#include <cstdlib>
#include <fstream>
#include <vector>

#include "json/value.h"

namespace crategate::conformance {
namespace {

std::vector<json::Value>& entries() {
  static std::vector<json::Value> all;
  return all;
}

}  // namespace

void add_left_behind(LeftBehind left) {
  entries().push_back(json::Value::object({{"registry", std::move(left.registry)},
                                           {"reference", std::move(left.reference)},
                                           {"digest", std::move(left.digest)},
                                           {"media_type", std::move(left.media_type)},
                                           {"dangles", std::move(left.dangles)}}));
}

void write_left_behind() {
  const char* const file = std::getenv("CRATEGATE_LEFT_BEHIND");
  if (file != nullptr) std::ofstream(file) << json::Value::array(entries()).pretty();
}

}  // namespace crategate::conformance
