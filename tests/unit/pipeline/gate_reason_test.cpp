// docs/gate.md: a section for each reason, no other one, and in each what a reader needs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>

#include "base/strings.h"
#include "pipeline/gate_reason.h"

namespace crategate::pipeline {
namespace {

using ::testing::HasSubstr;

/// Heading → text, of the sections below `## Reasons`.
std::map<std::string, std::string> sections() {
  std::ifstream file(std::string(CRATEGATE_SOURCE_DIR) + "/docs/gate.md");
  std::stringstream text;
  text << file.rdbuf();
  std::map<std::string, std::string> found;
  std::string* section = nullptr;
  bool inside = false;
  for (const auto& line : split(text.str(), '\n')) {
    if (line.starts_with("## ")) {
      inside = line == "## Reasons";
    } else if (inside && line.starts_with("### ")) {
      section = &found[line.substr(4)];
    } else if (inside && section != nullptr) {
      *section += line + "\n";
    }
  }
  return found;
}

TEST(GateReason, HaveASectionEachAndNoSectionIsLeftOver) {
  const auto documented = sections();
  for (const Reason reason : kReasons) {
    const std::string id(to_string(reason));
    EXPECT_TRUE(documented.contains(id)) << id;
    EXPECT_THAT(help_address(reason), ::testing::EndsWith(concat("/docs/gate.md#", id)));
  }
  EXPECT_EQ(documented.size(), kReasons.size());
}

TEST(GateReason, AreDocumentedWithCauseAndRemedy) {
  for (const auto& [id, text] : sections()) {
    for (const std::string part : {"- Expected: ", "- Found: ", "- Likely causes: ", "- Remedy: "})
      EXPECT_THAT(text, HasSubstr(part)) << id;
  }
}

TEST(GateReason, HaveDifferentIds) {
  std::map<std::string, int> ids;
  for (const Reason reason : kReasons) ++ids[std::string(to_string(reason))];
  EXPECT_EQ(ids.size(), kReasons.size());
}

}  // namespace
}  // namespace crategate::pipeline
