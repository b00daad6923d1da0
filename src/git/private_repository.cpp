#include "git/private_repository.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <utility>

#include "base/strings.h"
#include "git/invocation.h"
#include "git/ref_failure.h"
#include "git/revision.h"
#include "sys/cancel.h"

namespace crategate::git {
namespace {

constexpr std::chrono::milliseconds kGraceOfPuttingAway{200};
constexpr std::size_t kMostOutput = 32u << 20;
constexpr int kTries = 5;  ///< of a push that met another one's lock
constexpr std::string_view kMemory = "/dev/shm";
constexpr std::string_view kLocalRef = "refs/heads/read";
constexpr std::string_view kNoSuchRef = "couldn't find remote ref";
constexpr std::string_view kMayRead =
    "Give the job `permissions: contents: read`, and check out with its token or give it as github-token: a private "
    "repository looks like none to a login that may not read it. Else correct the remote's address.";
constexpr std::chrono::minutes kTimeForFiles{10};  ///< of a commit, there or back

/// Of what git was sending when it was stopped.
bool may_have_arrived(ErrorCode code) {
  return code == ErrorCode::unavailable || code == ErrorCode::interrupted || code == ErrorCode::terminated;
}

/// What servers say that hand out only what a ref names, each in its protocol.
bool wants_a_ref(std::string_view said) {
  constexpr std::array<std::string_view, 2> kAnswers = {"not our ref", "unadvertised object"};
  return std::ranges::any_of(kAnswers, [said](auto answer) { return said.find(answer) != std::string_view::npos; });
}

std::vector<std::string> fetch_arguments(const std::vector<std::string>& options,
                                         const std::vector<std::string>& refspecs) {
  std::vector<std::string> arguments = {"fetch",
                                        "--quiet",
                                        "--no-tags",
                                        "--no-auto-gc",
                                        "--no-write-fetch-head",
                                        "--no-prune",
                                        "--no-recurse-submodules"};
  arguments.insert(arguments.end(), options.begin(), options.end());
  arguments.emplace_back(kRemoteName);
  arguments.insert(arguments.end(), refspecs.begin(), refspecs.end());
  return arguments;
}

/// What became of a push, as its porcelain says: " ", "*", "=" done; "!" with the reason in brackets at the end.
struct Pushed {
  bool done = false;
  bool refused = false;  ///< by the server, in words
  std::string reason;
};
Pushed read_push(const sys::ProcessOutcome& outcome, const std::string& ref) {
  Pushed pushed;
  for (const std::string& row : split(outcome.out, '\n')) {
    const auto words = split(row, '\t');
    if (words.size() < 3 || !words[1].ends_with(concat(":", ref))) continue;
    pushed.done = words[0] != "!" && outcome.exit_code == 0;
    pushed.refused = words[0] == "!" && words[2].starts_with("[remote rejected]");
    if (words[0] == "!") pushed.reason = words[2];
  }
  return pushed;
}

/// Two pushes at one time: the one that finds the other's lock has not been judged.
bool met_a_lock(std::string_view reason) {
  return reason.find("lock") != std::string_view::npos || reason.find("failed to update ref") != std::string_view::npos;
}

}  // namespace

PrivateRepository::PrivateRepository(sys::ProcessRunner& processes, const sys::Environment& environment,
                                     sys::Path checkout, std::string remote, Secret token, Holds holds)
    : processes_(processes),
      environment_(environment),
      checkout_(std::move(checkout)),
      remote_(std::move(remote)),
      token_(std::move(token)),
      holds_(holds) {
  std::error_code error;
  const sys::Path real = std::filesystem::canonical(checkout_.empty() ? "." : checkout_, error);
  if (!error) checkout_ = real;
}

Result<void> PrivateRepository::prepare() {
  if (!access_) {
    const Use use = holds_ == Holds::history ? Use::history : Use::exchange;
    CG_TRY(access_, find_remote_access(processes_, environment_, checkout_, remote_, token_, use));
  }
  if (directory_) return {};
  CG_TRY(auto made, make_directory());
  sys::Command command{.program = "git",
                       .arguments = {"init", "--quiet", "--bare", "--template=", made.path().string()},
                       .environment = local_environment(environment_, checkout_)};
  CG_TRY(const auto outcome, processes_.run(command, {.timeout = kTimeLimit}));
  if (outcome.cancelled) CG_CHECK(sys::check_cancelled());
  if (outcome.exit_code != 0)
    return fail(ErrorCode::internal,
                concat("git init: expected exit 0, found ", outcome.exit_code, ": ", quoted(trim(outcome.err), 300)));
  directory_ = std::move(made);
  return {};
}

/// Commits are too large for memory, where there is another place: some runners' RUNNER_TEMP is /tmp itself.
Result<sys::PrivateDirectory> PrivateRepository::make_directory() const {
  std::vector<sys::Path> not_below = {checkout_, environment_.get("RUNNER_TEMP").value_or("")};
  if (holds_ != Holds::texts) {
    auto on_disk = not_below;
    on_disk.emplace_back(kMemory);
    auto made = sys::PrivateDirectory::create(on_disk);
    if (made) return made;
  }
  return sys::PrivateDirectory::create(not_below);
}

Result<sys::ProcessOutcome> PrivateRepository::git(std::vector<std::string> arguments, std::string input,
                                                   std::chrono::milliseconds limit) {
  CG_CHECK(prepare());
  const std::string what = arguments.front();
  sys::Command command{.program = "git",
                       .arguments = safe_options(environment_, checkout_),
                       .directory = directory_->path(),
                       .environment = access_->variables,
                       .input = std::move(input)};
  command.environment["GIT_DIR"] = directory_->path().string();
  command.arguments.insert(command.arguments.end(), arguments.begin(), arguments.end());
  // While what a cancelled run has made is being put away, git works for that, as long as a runner lets us live.
  const bool putting_away = sys::cancellation().has_value() && sys::check_cancelled().has_value();
  sys::RunOptions options{.timeout = limit, .capture_limit = kMostOutput, .ignore_cancellation = putting_away};
  if (putting_away) {
    options.timeout = left_to_put_away_;
    options.grace = kGraceOfPuttingAway;
  }
  const auto too_slow = [&] {
    return fail(ErrorCode::unavailable,
                concat("git ", what, ": ", place(), " took longer than ",
                       format_duration((putting_away ? kPuttingAway : limit).count())),
                "Run the same command again.");
  };
  if (putting_away && left_to_put_away_ <= std::chrono::milliseconds(0)) return too_slow();
  auto outcome = processes_.run(command, options);
  if (!outcome) return fail(std::move(outcome).error().within("asking git"));
  if (putting_away) left_to_put_away_ -= outcome->elapsed;
  if (outcome->cancelled) CG_CHECK(sys::check_cancelled());
  if (outcome->timed_out) return too_slow();
  return outcome;
}

Result<std::string> PrivateRepository::line(std::vector<std::string> arguments, std::string input) {
  const std::string what = arguments.front();
  CG_TRY(const auto outcome, git(std::move(arguments), std::move(input)));
  if (outcome.exit_code == 0) return outcome.out.substr(0, outcome.out.find('\n'));
  const bool full = outcome.err.find("No space left") != std::string::npos;
  return fail(
      full ? ErrorCode::no_space : ErrorCode::internal,
      concat("git ", what, ": expected exit 0, found ", outcome.exit_code, ": ", quoted(trim(outcome.err), 300)),
      full ? "Free space for temporary files." : "Report this, with git's version.");
}

void PrivateRepository::ask_as(Secret token) {
  token_ = std::move(token);
  access_.reset();
}

Result<std::optional<std::string>> PrivateRepository::look(const std::string& ref) {
  CG_TRY(const auto outcome, git({"ls-remote", "--quiet", "--refs", std::string(kRemoteName), ref}));
  if (outcome.exit_code != 0) return fail(remote_error(concat("read ", ref), outcome.err));
  for (const std::string& row : split(outcome.out, '\n')) {
    const auto tab = row.find('\t');  // a pattern matches the end of longer names, too
    if (tab != std::string::npos && row.substr(tab + 1) == ref && is_oid(row.substr(0, tab))) return row.substr(0, tab);
  }
  return std::nullopt;
}

Result<bool> PrivateRepository::has(const std::string& oid) {
  CG_TRY(const auto outcome, git({"cat-file", "-e", concat(oid, "^{commit}")}));
  return outcome.exit_code == 0;
}

Result<std::optional<std::string>> PrivateRepository::fetch(const std::string& ref) {
  CG_TRY(const auto outcome, git(fetch_arguments({"--depth=1"}, {concat("+", ref, ":", kLocalRef)})));
  if (outcome.exit_code != 0) {
    // Between the look and the fetch somebody may have removed it.
    if (outcome.err.find(kNoSuchRef) != std::string::npos) return std::nullopt;
    return fail(remote_error(concat("read ", ref), outcome.err));
  }
  CG_TRY(const std::string oid, line({"rev-parse", "--verify", "--end-of-options", concat(kLocalRef, "^{commit}")}));
  return oid;
}

Result<bool> PrivateRepository::fetch_commit(const CommitQuery& query) {
  if (!is_oid(query.commit)) {
    return fail(ErrorCode::bad_input, concat("the commit: expected 40 hex digits, found ", quoted(query.commit)));
  }
  const auto fetch_as = [&](const std::string& name) {
    auto refspecs = query.also;
    refspecs.push_back(concat("+", name, ":", kLocalRef));
    return git(fetch_arguments(query.options, refspecs), {}, kTimeForFiles);
  };
  CG_TRY(auto outcome, fetch_as(query.commit));
  if (outcome.exit_code != 0 && wants_a_ref(outcome.err) && !query.hint_ref.empty()) {
    CG_CHECK(check_revision(query.hint_ref));
    CG_TRY(outcome, fetch_as(query.hint_ref));
    if (outcome.exit_code != 0 && outcome.err.find(concat(kNoSuchRef, " ", query.hint_ref)) != std::string::npos)
      return false;
  }
  if (outcome.exit_code != 0) {
    Error error = remote_error(concat("read ", query.commit), outcome.err);
    if (outcome.err.find(kNoSuchRef) != std::string::npos) {
      error.code = ErrorCode::not_found;
      error.hint = "Was the branch deleted?";
    } else if (error.code != ErrorCode::unavailable) {
      error.hint = kMayRead;
    }
    return fail(std::move(error));
  }
  return has(query.commit);
}

Result<bool> PrivateRepository::swap(const std::string& ref, const std::optional<std::string>& expected,
                                     const std::string& next) {
  for (int tried = 1;; ++tried) {
    const auto outcome = git({"push", "--porcelain", "--no-verify", "--no-signed", "--no-follow-tags",
                              "--recurse-submodules=no", concat("--force-with-lease=", ref, ":", expected.value_or("")),
                              std::string(kRemoteName), concat(next, ":", ref)},
                             {}, holds_ == Holds::texts ? kTimeLimit : kTimeForFiles);
    if (!outcome && !may_have_arrived(outcome.error().code)) return fail(outcome.error());
    const Pushed pushed = outcome ? read_push(*outcome, ref) : Pushed{};
    if (pushed.done) return true;
    // Refused, lost on the way, or done with a lost answer: the ref itself decides, also for whoever ends this process.
    std::optional<sys::CancellationPause> pause;
    if (!outcome) pause.emplace();
    auto now = look(ref);
    if (!now) return fail(outcome ? std::move(now).error() : outcome.error());
    if (*now == next) return true;
    if (*now != expected) return false;
    if (!outcome) return fail(outcome.error());
    if (tried < kTries && met_a_lock(pushed.reason)) continue;
    if (pushed.refused && !met_a_lock(pushed.reason))
      return fail(refused_push(ref, access_->address, pushed.reason, outcome->err));
    return fail(remote_error(concat("write ", ref), pushed.reason.empty() ? outcome->err : pushed.reason));
  }
}

Error PrivateRepository::remote_error(std::string_view doing, std::string_view said) const {
  return remote_failure(doing, access_->address, said);
}

}  // namespace crategate::git
