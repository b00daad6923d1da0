// Which changes a commit of `/regen` may make.
// Belongs here: the verdict over a difference of trees, and its reasons (docs/regen.md).  Not here: reading the trees (git).
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/tree_change.h"
#include "config/configuration.h"

namespace crategate::pipeline {

/// Stable ids; each has a row in docs/regen.md, "Refused changes".
enum class RegenRefusal : unsigned char {
  unsafe_path,
  protected_path,
  not_a_regular_file,
  mode_change,
  outside_allow,
  case_collision,
  too_many_files,
  too_large,
};
inline constexpr std::array kRegenRefusals = {RegenRefusal::unsafe_path,        RegenRefusal::protected_path,
                                              RegenRefusal::not_a_regular_file, RegenRefusal::mode_change,
                                              RegenRefusal::outside_allow,      RegenRefusal::case_collision,
                                              RegenRefusal::too_many_files,     RegenRefusal::too_large};
std::string_view to_string(RegenRefusal refusal);  ///< `unsafe-path`

/// Files that decide over a commit of `/regen` and are none of it, from the top of the repository.
struct DecidingFiles {
  std::string configuration;               ///< crategate's
  std::vector<std::string> of_image = {};  ///< that the CI image is built from, in which the others are made
};

/// Of a project in the folder `inside` of the repository (`app/`; empty = at its top), with the configuration file of that name there: a
/// watched path is one of the project or, outside of it, of the repository.
DecidingFiles deciding_files(const config::CiImage& image, const std::string& configuration, const std::string& inside);

struct RegenFinding {
  RegenRefusal refusal = RegenRefusal::unsafe_path;
  std::string path;  ///< as git has it; empty where it is about all of them
  std::string text;  ///< harmless, with the path
};

/// Every change that may not be made, the first reason of each in the order of RegenRefusal; one refuses the commit. Of too
/// many files nothing else is said. Empty: all may be made.
///
/// `paths`: all of the tree that would be committed.
std::vector<RegenFinding> judge_regen(const std::vector<TreeChange>& changes, const std::vector<std::string>& paths,
                                      const config::Regen& regen, const DecidingFiles& deciding);

}  // namespace crategate::pipeline
