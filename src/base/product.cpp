// The version that the build passes in.
#include "base/product.h"

namespace crategate {

std::string_view product_version() { return CRATEGATE_VERSION; }

}  // namespace crategate
