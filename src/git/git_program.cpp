// Running git: only plumbing that reads, never a hook, an external program or the network.
#include <algorithm>
#include <filesystem>

#include "base/strings.h"
#include "git/invocation.h"
#include "git/repository.h"
#include "git/revision.h"
#include "sys/cancel.h"

namespace crategate::git {
namespace {

constexpr std::chrono::seconds kTimeLimit{120};
constexpr std::size_t kOutputLimit = 64u << 20;
constexpr std::string_view kTagPrefix = "refs/tags/";

/// The first line, without its line feed.
std::string first_line(std::string_view text) { return std::string(text.substr(0, text.find('\n'))); }

bool is_not_a_repository(const sys::ProcessOutcome& outcome) {
  return outcome.err.find("not a git repository") != std::string::npos;
}

Failure failed(std::string_view doing, const sys::ProcessOutcome& outcome) {
  if (is_not_a_repository(outcome))
    return fail(ErrorCode::bad_input, concat("cannot ", doing, ": this is not a git repository"),
                "check the project out with git");
  if (outcome.err.find("dubious ownership") != std::string::npos)
    return fail(ErrorCode::bad_input, concat("cannot ", doing, ": the repository belongs to another user"),
                "run crategate in the top directory of the checkout, or as its owner");
  return fail(ErrorCode::bad_input,
              concat("cannot ", doing, ": git ended with ", outcome.exit_code, ", ", quoted(trim(outcome.err), 300)),
              "run `git fsck`, or check the project out anew");
}

/// scheme://user:password@host/… without the user and the password.
std::string without_credentials(const std::string& url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string::npos) return url;
  const std::size_t start = scheme + 3;
  const std::size_t at = url.substr(0, url.find('/', start)).rfind('@');
  return at == std::string::npos || at < start ? url : url.substr(0, start) + url.substr(at + 1);
}

}  // namespace

GitProgram::GitProgram(sys::ProcessRunner& processes, const sys::Environment& environment, sys::Path directory,
                       std::optional<std::string> prefix)
    : processes_(processes),
      environment_(local_environment(environment, directory)),
      directory_(std::move(directory)),
      prefix_(std::move(prefix)) {
  std::error_code error;
  const sys::Path real = std::filesystem::canonical(directory_.empty() ? "." : directory_, error);
  if (!error) directory_ = real;
  options_ = safe_options(environment, directory_);
}

Result<sys::ProcessOutcome> GitProgram::git(std::vector<std::string> arguments,
                                            const std::map<std::string, std::string>& variables) {
  sys::Command command{.program = "git", .arguments = options_, .environment = environment_};
  command.arguments.insert(command.arguments.end(), {"-C", directory_.string()});
  command.arguments.insert(command.arguments.end(), arguments.begin(), arguments.end());
  command.environment.insert(variables.begin(), variables.end());
  auto outcome = processes_.run(command, {.timeout = kTimeLimit, .capture_limit = kOutputLimit});
  if (!outcome) return fail(std::move(outcome).error().within("asking git"));
  if (outcome->cancelled) CG_CHECK(sys::check_cancelled());
  if (outcome->timed_out || outcome->cancelled)
    return fail(ErrorCode::unavailable,
                concat("git ", arguments.front(), " took longer than ", format_duration(kTimeLimit.count() * 1000)),
                "see whether the disk of the checkout answers");
  return outcome;
}

Result<std::optional<std::string>> GitProgram::head() {
  CG_TRY(const auto outcome, git({"rev-parse", "--verify", "--quiet", "--end-of-options", "HEAD^{commit}"}));
  if (outcome.exit_code == 0) return first_line(outcome.out);
  if (outcome.exit_code == 1 || is_not_a_repository(outcome)) return std::nullopt;
  return failed("read HEAD", outcome);
}

Result<std::string> GitProgram::head_ref() {
  CG_TRY(const auto outcome, git({"symbolic-ref", "--quiet", "HEAD"}));
  if (outcome.exit_code == 0) return first_line(outcome.out);
  if (outcome.exit_code == 1) return std::string();
  return failed("read the branch of HEAD", outcome);
}

Result<bool> GitProgram::is_shallow() {
  std::error_code ignored;  // of the usual checkout a file tells; a worktree has another folder
  if (std::filesystem::is_directory(directory_ / ".git", ignored)) {
    return std::filesystem::exists(directory_ / ".git" / "shallow", ignored);
  }
  CG_TRY(const auto outcome, git({"rev-parse", "--is-shallow-repository"}));
  if (outcome.exit_code != 0) return failed("tell whether the clone is shallow", outcome);
  return first_line(outcome.out) == "true";
}

Result<Repository::Position> GitProgram::position(const std::string& tag) {
  if (tag.empty()) {
    CG_TRY(auto only, head());
    return Position{std::move(only), std::nullopt};
  }
  const std::string name = concat(kTagPrefix, tag);
  CG_CHECK(check_revision(name));
  CG_TRY(const auto outcome,
         git({"rev-parse", "--revs-only", "--end-of-options", "HEAD^{commit}", name + "^{commit}"}));
  if (is_not_a_repository(outcome)) return Position{};
  if (outcome.exit_code != 0) return failed("read HEAD", outcome);
  const auto lines = split(trim(outcome.out), '\n');
  Position found;
  if (!lines.front().empty()) found.head = lines.front();
  if (lines.size() > 1) found.tag = lines.back();
  return found;
}

/// Variables that take the programs of filters away: comparing a file would run them. A variable names any key exactly.
Result<std::map<std::string, std::string>> GitProgram::without_filters() {
  CG_TRY(const auto outcome,
         git({"config", "--name-only", "--null", "--get-regexp", "^filter[.].*[.](clean|process|required)$"}));
  if (outcome.exit_code != 0 && outcome.exit_code != 1) return failed("read the filters", outcome);
  std::map<std::string, std::string> variables;
  std::size_t count = 0;
  for (const std::string& key : split(outcome.out, '\0')) {
    if (key.empty()) continue;
    variables[concat("GIT_CONFIG_KEY_", count)] = key;
    variables[concat("GIT_CONFIG_VALUE_", count++)] = key.ends_with(".required") ? "false" : "";
  }
  if (count > 0) variables["GIT_CONFIG_COUNT"] = std::to_string(count);
  return variables;
}

Result<bool> GitProgram::is_modified() {
  CG_TRY(const auto variables, without_filters());
  CG_TRY(const auto outcome,
         git({"status", "--porcelain", "--untracked-files=no", "--ignore-submodules=none"}, variables));
  if (outcome.exit_code != 0) return failed("compare the files with HEAD", outcome);
  return !outcome.out.empty();
}

Result<std::optional<std::string>> GitProgram::resolve(const std::string& revision) {
  CG_CHECK(check_revision(revision));
  CG_TRY(const auto outcome, git({"rev-parse", "--verify", "--quiet", "--end-of-options", revision + "^{commit}"}));
  if (outcome.exit_code == 0) return first_line(outcome.out);
  // 128 for what is there but is no commit; anything wrong with the repository shows in `head` as well.
  if (outcome.exit_code == 1) return std::nullopt;
  CG_TRY(const auto commit, head());
  if (!commit) return failed(concat("find ", quoted(revision)), outcome);
  return std::nullopt;
}

Result<std::optional<bool>> GitProgram::is_ancestor(const std::string& commit, const std::string& of) {
  CG_TRY(const auto older, resolve(commit));
  CG_TRY(const auto newer, resolve(of));
  if (!older || !newer) return std::nullopt;
  CG_TRY(const auto outcome, git({"merge-base", "--is-ancestor", "--end-of-options", *older, *newer}));
  if (outcome.exit_code == 0) return true;
  if (outcome.exit_code != 1) return failed("compare two commits", outcome);
  CG_TRY(const bool shallow, is_shallow());
  if (shallow) return std::nullopt;
  return false;
}

Result<std::string> GitProgram::commit_time(const std::string& commit) {
  CG_TRY(const auto known, resolve(commit));
  if (!known)
    return fail(ErrorCode::bad_input, concat("the commit ", quoted(commit), " is not in this clone"),
                "fetch it, or check it out");
  CG_TRY(const auto outcome,
         git({"rev-list", "--max-count=1", "--no-commit-header", "--format=%ct", "--end-of-options", *known}));
  if (outcome.exit_code != 0 || !parse_unsigned(first_line(outcome.out)))
    return failed("read the time of a commit", outcome);
  return first_line(outcome.out);
}

Result<std::optional<std::string>> GitProgram::tag_at_head() {
  CG_TRY(const auto outcome, git({"for-each-ref", "--points-at=HEAD", "--format=%(refname)", "refs/tags/"}));
  if (outcome.exit_code != 0) return failed("list the tags at HEAD", outcome);
  std::vector<std::string> tags;
  for (const std::string& line : split(outcome.out, '\n'))
    if (line.starts_with(kTagPrefix)) tags.push_back(line.substr(kTagPrefix.size()));
  if (tags.empty()) return std::nullopt;
  if (tags.size() == 1) return tags.front();
  return fail(ErrorCode::bad_input, concat("more than one tag at HEAD, expected one: ", quoted(join(tags, ", "), 300)),
              "delete the tags that do not name the version, or take the version from a file");
}

Result<std::string> GitProgram::remote_url() {
  CG_TRY(const auto outcome, git({"config", "--get", "remote.origin.url"}));
  if (outcome.exit_code == 1) return std::string();
  if (outcome.exit_code != 0) return failed("read the address of origin", outcome);
  return without_credentials(first_line(outcome.out));
}

Result<std::optional<std::vector<std::string>>> GitProgram::source_files() {
  CG_TRY(const auto outcome, git({"ls-files", "-z", "--cached", "--others", "--exclude-standard"}));
  if (is_not_a_repository(outcome)) return std::nullopt;
  if (outcome.exit_code != 0 || outcome.dropped > 0) return failed("list the source files", outcome);
  std::vector<std::string> paths = split(outcome.out, '\0');
  std::erase(paths, std::string());
  return paths;
}

}  // namespace crategate::git
