// What the suite leaves in real registries, for other clients to judge: the file named by CRATEGATE_LEFT_BEHIND.
#pragma once

#include <string>

namespace crategate::conformance {

struct LeftBehind {
  std::string registry, reference, digest, media_type;
  std::string dangles;  ///< why it names what is not there; empty = it does not
};

void add_left_behind(LeftBehind left);
/// Effects: writes the file, where the variable is set.
void write_left_behind();

}  // namespace crategate::conformance
