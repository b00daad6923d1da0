#include "simulation/sweep.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <iostream>
#include <string_view>

#include "base/strings.h"

namespace crategate::simulation {

bool is_whole_sweep() {
  const char* wanted = std::getenv("CRATEGATE_SWEEP");
  return wanted != nullptr && std::string_view(wanted) == "whole";
}

Family::~Family() {
  std::string line = concat("simulation: ", name_, ":");
  for (const auto& [what, count] : counts_) line += concat(" ", count, " ", what, ",");
  line.pop_back();
  std::cout << line << std::endl;
}

void Family::fails(const World& world, const std::string& cell, const std::string& why) {
  ++failures_;
  ADD_FAILURE() << name_ << ", " << cell << ": " << why << "\n" << text_of(world.scene(), world.history);
}

void Family::judge(const World& world, const std::string& cell, const Circumstances& circumstances) {
  const auto broken = simulation::judge(world.scene(), world.history, circumstances);
  if (!broken.empty()) fails(world, cell, join(broken, "; "));
}

std::string name_of(pipeline::protocol::Goal goal) {
  using pipeline::protocol::Goal;
  if (goal == Goal::publish) return "publish";
  return goal == Goal::forward ? "recover --forward" : "recover --back";
}

bool is_documented(int code) {
  constexpr std::array kCodes = {0, 20, 21, 22, 23, 24, 25, 31, 41, 50, 51, 52, 130, 143};
  return std::ranges::find(kCodes, code) != kCodes.end();
}

bool is_new(const World& world, std::size_t release) {
  const auto& scene = world.scene();
  return std::ranges::all_of(scene.releases[release].wanted, [&](const Wanted& wanted) {
    const auto last = std::ranges::find_if(
        world.history.entries.rbegin(), world.history.entries.rend(),
        [&](const Entry& entry) { return entry.kind == Entry::Kind::wrote && entry.tag == wanted.tag; });
    const bool persons = last != world.history.entries.rend() && last->run == kPerson;
    return persons || world.names(wanted.tag) == wanted.content;
  });
}

std::string words_of(const Process& process) {
  const auto& ending = process.ending();
  return concat(ending.error ? describe(*ending.error) : std::string("no error"), "\n", join(ending.details, "\n"));
}

}  // namespace crategate::simulation
