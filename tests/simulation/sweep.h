// What the sweeps share: how much of them to do, how a cell is judged, and the line that each family prints at its end.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <utility>

#include "simulation/judge.h"
#include "simulation/process.h"

namespace crategate::simulation {

/// CRATEGATE_SWEEP=whole.
bool is_whole_sweep();

/// Counts the cells of a family and prints `simulation: NAME: …` when it ends.
class Family {
 public:
  explicit Family(std::string name) : name_(std::move(name)) {}
  Family(const Family&) = delete;
  Family& operator=(const Family&) = delete;
  ~Family();
  void count(const std::string& what, std::size_t more = 1) { counts_[what] += more; }
  std::size_t of(const std::string& what) { return counts_[what]; }
  /// Too many failures to go on: each one prints a history.
  bool is_hopeless() const { return failures_ >= 3; }
  /// A failure of the test, with the history that led there.
  void fails(const World& world, const std::string& cell, const std::string& why);
  /// The judge's word.
  void judge(const World& world, const std::string& cell, const Circumstances& circumstances = {});

 private:
  std::string name_;
  std::map<std::string, std::size_t> counts_;
  int failures_ = 0;
};

std::string name_of(pipeline::protocol::Goal goal);
/// Whether docs/errors.md knows it as an end of a publication.
bool is_documented(int code);
/// Every tag of the release, save those that a person wrote last, names what was wanted.
bool is_new(const World& world, std::size_t release);
/// The error and the details, for messages.
std::string words_of(const Process& process);

}  // namespace crategate::simulation
