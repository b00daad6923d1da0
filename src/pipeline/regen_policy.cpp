#include "pipeline/regen_policy.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <utility>

#include "base/file_name.h"
#include "base/strings.h"
#include "base/utf8.h"

namespace crategate::pipeline {
namespace {

constexpr std::size_t kLongestComponent = 255;
constexpr std::size_t kDeepest = 64;
constexpr std::size_t kShown = 200;

/// What is wrong with a component wherever it is checked out.
std::optional<std::string_view> fault_of_characters(std::string_view component) {
  for (std::size_t i = 0; i < component.size();) {
    const CodePoint point = code_point_at(component, i);
    if (!point.valid) return "is not UTF-8";
    if (is_control(point.value)) return "has a control character";
    if (is_invisible(point.value)) return "has a character without width or one that turns the direction of text";
    if (point.value == '\\') return "has a backslash";
    if (point.value == ':') return "has a colon";
    i += point.length;
  }
  return std::nullopt;
}

/// `CON`, `com1.txt`: devices on Windows, with any extension.
bool is_device(std::string_view component) {
  const std::string stem = to_lower(trim(component.substr(0, component.find('.'))));
  for (const std::string_view device : {"con", "prn", "aux", "nul", "conin$", "conout$", "clock$"}) {
    if (stem == device) return true;
  }
  if (!stem.starts_with("com") && !stem.starts_with("lpt")) return false;
  const std::string_view number = std::string_view(stem).substr(3);
  const bool superscript = number == "\xC2\xB9" || number == "\xC2\xB2" || number == "\xC2\xB3";
  return superscript || (number.size() == 1 && number.front() >= '0' && number.front() <= '9');
}

/// `GITHUB~1`, `CRATEG~1.YML`: what NTFS may call another file.
bool is_short_name(std::string_view component) {
  constexpr std::size_t kStem = 8, kExtension = 3;
  const auto dot = component.find('.');
  const std::string_view stem = component.substr(0, dot);
  const auto tilde = stem.rfind('~');
  if (tilde == std::string_view::npos || tilde == 0 || stem.size() > kStem) return false;
  if (dot != std::string_view::npos && component.size() - dot - 1 > kExtension) return false;
  return parse_unsigned(stem.substr(tilde + 1)).has_value();
}

std::optional<std::string_view> fault_of_component(std::string_view component) {
  if (component.empty()) return "has an empty component";
  if (component == "." || component == "..") return "has the component \".\" or \"..\"";
  if (component.size() > kLongestComponent) return "has a component of more than 255 bytes";
  if (const auto fault = fault_of_characters(component)) return fault;
  if (component.back() == '.' || component.back() == ' ') return "has a component that ends with a dot or a blank";
  if (is_device(component)) return "has the name of a device on Windows";
  if (is_short_name(component)) return "has a name that NTFS may give to another file";
  return std::nullopt;
}

std::optional<std::string_view> fault_of_path(std::string_view path) {
  if (path.size() > kLongestTreePath) return "has more than 4096 bytes";
  const auto components = split(path, '/');
  if (components.size() > kDeepest) return "is more than 64 folders deep";
  for (const std::string& component : components) {
    if (const auto fault = fault_of_component(component)) return fault;
  }
  return std::nullopt;
}

std::vector<std::string> folded(std::string_view path) {
  std::vector<std::string> components;
  for (const std::string& component : split(path, '/')) components.push_back(folded_component(component));
  return components;
}

/// What git, GitHub or crategate obey. `.gitkeep` only keeps a folder.
std::optional<std::string> protection_of(std::string_view path, const DecidingFiles& deciding) {
  const auto components = folded(path);
  for (const std::string& component : components) {
    if (component.starts_with(".git") && component != ".gitkeep")
      return concat(quoted(component), " is git's or GitHub's");
    if (component == "git~1") return "it may be git's own folder";
  }
  const std::string plain = join(components, "/");
  if (plain == "crategate.yml") return "it is crategate's configuration";
  const auto is = [&plain](const std::string& file) { return plain == join(folded(file), "/"); };
  if (is(deciding.configuration)) return "it is crategate's configuration";
  if (std::ranges::any_of(deciding.of_image, is)) return "the CI image is built from it";
  if (plain == "codeowners" || plain == "docs/codeowners") return "it says who must approve";
  return std::nullopt;
}

bool is_regular(std::optional<EntryMode> mode) {
  return !mode || mode == EntryMode::file || mode == EntryMode::executable;
}

std::string_view kind_of(EntryMode mode) {
  switch (mode) {
    case EntryMode::symlink:
      return "a symbolic link";
    case EntryMode::submodule:
      return "a submodule";
    case EntryMode::executable:
      return "an executable file";
    case EntryMode::file:
      break;
  }
  return "a file";
}

/// The first thing that is wrong with one change, whatever the others are.
std::optional<RegenFinding> judge_change(const TreeChange& change, const config::Regen& regen,
                                         const DecidingFiles& deciding) {
  const auto refuse = [&](RegenRefusal refusal, const auto&... why) {
    return RegenFinding{refusal, change.path, neutralise(concat(quoted(change.path, kShown), " ", why...))};
  };
  if (const auto fault = fault_of_path(change.path)) return refuse(RegenRefusal::unsafe_path, *fault);
  if (const auto why = protection_of(change.path, deciding))
    return refuse(RegenRefusal::protected_path, "is protected: ", *why);
  for (const auto& mode : {change.before, change.after}) {
    if (!is_regular(mode)) return refuse(RegenRefusal::not_a_regular_file, "is ", kind_of(*mode));
  }
  if (change.before && change.after && change.before != change.after)
    return refuse(RegenRefusal::mode_change, "was ", kind_of(*change.before), " and would be ", kind_of(*change.after));
  const auto allows = [&](const std::string& pattern) { return glob_matches(pattern, change.path); };
  if (!regen.allow.empty() && std::ranges::none_of(regen.allow, allows))
    return refuse(RegenRefusal::outside_allow, "matches no pattern of regen.allow");
  return std::nullopt;
}

/// Calls `visit` with the folders of a path and itself, the outermost first, and with what each is folded to, until it
/// answers true.
template <class Visit>
void visit_prefixes(std::string_view path, const Visit& visit) {
  std::string key;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    if (begin > 0) key += '/';
    key += folded_component(path.substr(begin, end - begin));
    if (visit(path.substr(0, end), key)) return;
    begin = end + 1;
  }
}

/// Names that new files and their folders have, as file systems fold them, with their spellings. Those of the tree are
/// compared with them and not kept, because a tree may be large and new files are few.
class NewNames {
 public:
  void add(const std::string& path) {
    visit_prefixes(path, [&](std::string_view prefix, const std::string& key) {
      spellings_[key].emplace(prefix, std::string());
      return false;
    });
  }

  void compare(const std::string& path) {
    visit_prefixes(path, [&](std::string_view prefix, const std::string& key) {
      const auto found = spellings_.find(key);
      if (found == spellings_.end()) return true;  // then nothing below is new either
      for (auto& [spelling, other] : found->second) {
        if (spelling != prefix && other.empty()) other = prefix;
      }
      return false;
    });
  }

  /// Another spelling of the path or of a folder of it; empty: none.
  std::string other_of(const std::string& path) const {
    std::string other;
    visit_prefixes(path, [&](std::string_view prefix, const std::string& key) {
      other = spellings_.at(key).find(prefix)->second;
      return !other.empty();
    });
    return other;
  }

 private:
  /// Folded name → spelling → another one of it.
  std::map<std::string, std::map<std::string, std::string, std::less<>>> spellings_;
};

void judge_collisions(const std::vector<TreeChange>& changes, const std::vector<std::string>& paths,
                      std::vector<std::optional<RegenFinding>>& findings) {
  const auto is_judged = [&](std::size_t i) { return !findings[i] && !changes[i].before && changes[i].after; };
  NewNames names;
  for (std::size_t i = 0; i < changes.size(); ++i) {
    if (is_judged(i)) names.add(changes[i].path);
  }
  for (const std::string& path : paths) names.compare(path);
  for (const TreeChange& change : changes) {
    if (change.after) names.compare(change.path);
  }
  for (std::size_t i = 0; i < changes.size(); ++i) {
    if (!is_judged(i)) continue;
    if (const std::string other = names.other_of(changes[i].path); !other.empty())
      findings[i] = {RegenRefusal::case_collision, changes[i].path,
                     neutralise(concat(quoted(changes[i].path, kShown), " and ", quoted(other, kShown),
                                       " are one name where case or accents do not count"))};
  }
}

}  // namespace

std::string_view to_string(RegenRefusal refusal) {
  switch (refusal) {
    case RegenRefusal::unsafe_path:
      return "unsafe-path";
    case RegenRefusal::protected_path:
      return "protected-path";
    case RegenRefusal::not_a_regular_file:
      return "not-a-regular-file";
    case RegenRefusal::mode_change:
      return "mode-change";
    case RegenRefusal::outside_allow:
      return "outside-allow";
    case RegenRefusal::case_collision:
      return "case-collision";
    case RegenRefusal::too_many_files:
      return "too-many-files";
    case RegenRefusal::too_large:
      break;
  }
  return "too-large";
}

DecidingFiles deciding_files(const config::CiImage& image, const std::string& configuration,
                             const std::string& inside) {
  DecidingFiles deciding{.configuration = concat(inside, configuration), .of_image = image.watch};
  if (inside.empty()) return deciding;
  for (const auto& file : image.watch) deciding.of_image.push_back(concat(inside, file));
  return deciding;
}

std::vector<RegenFinding> judge_regen(const std::vector<TreeChange>& changes, const std::vector<std::string>& paths,
                                      const config::Regen& regen, const DecidingFiles& deciding) {
  if (changes.size() > static_cast<std::size_t>(regen.max_files))
    return {{RegenRefusal::too_many_files, "",
             concat("expected at most ", regen.max_files, " changed files (regen.max-files), found ", changes.size())}};
  std::vector<std::optional<RegenFinding>> each;
  std::uint64_t size = 0;
  const std::uint64_t most = static_cast<std::uint64_t>(regen.max_mib) << 20U;
  for (const TreeChange& change : changes) {
    each.push_back(judge_change(change, regen, deciding));
    size = std::min(most + 1, size + std::min(most + 1, change.size));
  }
  judge_collisions(changes, paths, each);
  std::vector<RegenFinding> findings;
  for (auto& finding : each) {
    if (finding) findings.push_back(*std::move(finding));
  }
  if (size > most)
    findings.push_back({RegenRefusal::too_large, "",
                        concat("expected at most ", regen.max_mib, " MiB of new content (regen.max-mib), found more")});
  return findings;
}

}  // namespace crategate::pipeline
