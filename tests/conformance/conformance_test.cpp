// Every case on every registry. What a registry lacks is in the table of subjects.cpp; no case is left out.
#include <gtest/gtest.h>

#include "conformance/bench.h"
#include "conformance/left_behind.h"

namespace crategate::conformance {
namespace {

std::vector<Case> all_cases() {
  std::vector<Case> all;
  for (const auto& group :
       {blob_cases(), mount_cases(), manifest_cases(), removal_cases(), list_cases(), login_cases(), copy_cases()})
    all.insert(all.end(), group.begin(), group.end());
  return all;
}

class Conformance : public testing::TestWithParam<std::tuple<Subject, Case>> {};

TEST_P(Conformance, HoldsFor) {
  const auto& [subject, each] = GetParam();
  Bench bench(subject, each.name);
  each.run(bench);
  bench.leave_all();
}

INSTANTIATE_TEST_SUITE_P(Registries, Conformance,
                         testing::Combine(testing::ValuesIn(subjects()), testing::ValuesIn(all_cases())),
                         [](const auto& each) {
                           return std::get<0>(each.param).name + "_" + std::get<1>(each.param).name;
                         });

class WritesLeftBehind final : public testing::Environment {
 public:
  void TearDown() override { write_left_behind(); }
};

const testing::Environment* const kWriter = testing::AddGlobalTestEnvironment(new WritesLeftBehind);

}  // namespace
}  // namespace crategate::conformance
