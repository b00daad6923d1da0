// Commands as values: their text for people, the environment they may see, and their output in lines.
#include <algorithm>
#include <array>
#include <utility>

#include "base/strings.h"
#include "sys/process.h"

namespace crategate::sys {
namespace {

constexpr std::array<std::string_view, 16> kInherited = {
    "PATH",       "HOME",          "LANG",         "TZ",
    "TMPDIR",     "SSL_CERT_FILE", "SSL_CERT_DIR", "SOURCE_DATE_EPOCH",
    "HTTP_PROXY", "http_proxy",    "HTTPS_PROXY",  "https_proxy",
    "NO_PROXY",   "no_proxy",      "ALL_PROXY",    "all_proxy"};

constexpr std::string_view kSystemPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Links followed, on both sides.
bool is_below(const Path& path, const Path& directory) {
  std::error_code ignored;
  const Path inner = std::filesystem::weakly_canonical(path, ignored);
  const Path outer = std::filesystem::weakly_canonical(directory, ignored);
  return std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end()).first == outer.end();
}

bool is_plain(char c) {
  const bool alphanumeric = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  return alphanumeric || std::string_view("_@%+:,./-").find(c) != std::string_view::npos;
}

/// A word for a POSIX shell; `=` stays bare except in the first word, where it would be an assignment.
std::string shell_word(const std::string& word, bool first) {
  const auto bare = [first](char c) { return is_plain(c) || (c == '=' && !first); };
  if (!word.empty() && std::all_of(word.begin(), word.end(), bare)) return word;
  return concat("'", replace_all(word, "'", "'\\''"), "'");
}

}  // namespace

std::string Command::text() const {
  std::string line = shell_word(program, true);
  for (const std::string& argument : arguments) line += " " + shell_word(argument, false);
  return line;
}

std::map<std::string, std::string> child_environment(const Environment& environment,
                                                     const std::vector<std::string>& keep) {
  std::map<std::string, std::string> variables = environment.all();
  std::erase_if(variables, [&keep](const auto& variable) {
    const std::string& name = variable.first;
    return std::find(kInherited.begin(), kInherited.end(), name) == kInherited.end() && !name.starts_with("LC_") &&
           std::find(keep.begin(), keep.end(), name) == keep.end();
  });
  return variables;
}

std::map<std::string, std::string> tool_environment(const Environment& environment, const Path& workspace,
                                                    const std::vector<std::string>& keep) {
  auto variables = child_environment(environment, keep);
  if (environment.get("GITHUB_ACTIONS").value_or("") != "true") return variables;
  const std::vector<Path> shared = {workspace, environment.get("RUNNER_TEMP").value_or(""), kSharedBySteps};
  std::vector<std::string> trusted;
  for (const std::string& entry : split(variables["PATH"], ':')) {
    const bool written_by_others = std::ranges::any_of(
        shared, [&entry](const Path& directory) { return !directory.empty() && is_below(entry, directory); });
    if (entry.starts_with('/') && !written_by_others) trusted.push_back(entry);
  }
  variables["PATH"] = trusted.empty() ? std::string(kSystemPath) : join(trusted, ":");
  return variables;
}

LineSplitter::LineSplitter(std::function<void(std::string_view)> line, std::size_t limit)
    : line_(std::move(line)), limit_(limit) {}

void LineSplitter::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    if (std::exchange(after_cr_, false) && bytes.front() == '\n') {
      bytes.remove_prefix(1);
      continue;
    }
    const std::size_t end = std::min(bytes.find_first_of("\r\n"), bytes.size());
    const std::size_t taken = std::min(end, limit_ - pending_.size());
    pending_ += bytes.substr(0, taken);
    bytes.remove_prefix(taken);
    const bool ended = taken == end && !bytes.empty();
    if (!ended && pending_.size() < limit_) continue;
    after_cr_ = ended && bytes.front() == '\r';
    if (ended) bytes.remove_prefix(1);
    line_(std::exchange(pending_, {}));
  }
}

void LineSplitter::finish() {
  if (!pending_.empty()) line_(std::exchange(pending_, {}));
}

}  // namespace crategate::sys
