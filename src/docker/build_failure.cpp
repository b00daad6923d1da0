// Reads BuildKit's plain progress for the reason of a failure.
#include "docker/build_failure.h"

#include <algorithm>
#include <filesystem>
#include <optional>

#include "base/strings.h"

namespace crategate::docker {
namespace {

constexpr std::size_t kTailLines = 20;
constexpr std::size_t kLineLimit = 200, kReasonLimit = 1000;
constexpr int kKilled = 137;  ///< 128 + SIGKILL
constexpr std::size_t kCommandLimit = 120;
constexpr std::string_view kReason = "ERROR: ", kUnsolved = "failed to solve: ";
constexpr std::string_view kProcess = "process \"", kEndOfProcess = "\" did not complete successfully";

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

// "0.312 text" → "text"
std::string_view without_time(std::string_view line) {
  const auto end = line.find(' ');
  const std::string_view word = line.substr(0, end);
  const bool is_time = end != std::string_view::npos && word.find('.') != std::string_view::npos &&
                       std::all_of(word.begin(), word.end(), [](char c) { return is_digit(c) || c == '.'; });
  return is_time ? line.substr(end + 1) : line;
}

// "#8 0.312 text" and "#8 text" → "text"
std::string_view without_step(std::string_view line) {
  if (line.size() < 2 || line[0] != '#' || !is_digit(line[1])) return line;
  const auto space = line.find(' ');
  return space == std::string_view::npos ? line : without_time(line.substr(space + 1));
}

std::optional<int> line_number(std::string_view digits) {
  const auto end = std::find_if_not(digits.begin(), digits.end(), is_digit);
  const auto number = parse_unsigned(digits.substr(0, static_cast<std::size_t>(end - digits.begin())));
  if (!number || *number == 0 || *number > 1'000'000) return std::nullopt;
  return static_cast<int>(*number);
}

std::optional<int> line_after(std::string_view text, std::string_view marker) {
  const auto position = text.find(marker);
  if (position == std::string_view::npos) return std::nullopt;
  return line_number(text.substr(position + marker.size()));
}

// Lines of steps that went well.
bool is_routine(std::string_view text) {
  for (const std::string_view start : {"DONE ", "CACHED", "[internal]", "transferring ", "resolve ", "sha256:"}) {
    if (text.starts_with(start)) return true;
  }
  return false;
}

// "Dockerfile.cpu:12" alone on its line, whatever directory BuildKit shows.
std::optional<int> named_line(std::string_view text, const std::string& base_name) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || colon + 1 == text.size()) return std::nullopt;
  if (std::filesystem::path(text.substr(0, colon)).filename() != base_name) return std::nullopt;
  if (!std::all_of(text.begin() + static_cast<std::ptrdiff_t>(colon) + 1, text.end(), is_digit)) return std::nullopt;
  return line_number(text.substr(colon + 1));
}

int failing_line(const std::string& dockerfile, const OutputTail& tail) {
  const std::string base_name = std::filesystem::path(dockerfile).filename().string();
  for (auto line = tail.lines().rbegin(); line != tail.lines().rend(); ++line) {
    for (const auto& found : {named_line(*line, base_name), line_after(*line, "dockerfile parse error on line "),
                              line_after(*line, "dockerfile parse error line ")}) {
      if (found) return *found;
    }
  }
  return 0;
}

std::string reason(const OutputTail& tail) {
  for (auto line = tail.lines().rbegin(); line != tail.lines().rend(); ++line) {
    if (line->starts_with(kReason)) return line->substr(kReason.size());
  }
  return tail.lines().empty() ? std::string("it printed nothing") : tail.lines().back();
}

/// A command can be as long as a Dockerfile; the line that is named has all of it.
std::string with_short_command(std::string text) {
  const auto end = text.find(kEndOfProcess);
  if (!text.starts_with(kProcess) || end == std::string::npos || end <= kProcess.size() + kCommandLimit) return text;
  const auto kept = kProcess.size() + kCommandLimit;
  return concat(text.substr(0, kept), "…", text.substr(end));
}

std::string message_for(const std::string& dockerfile, int exit_code, const OutputTail& tail) {
  const std::string why = reason(tail);
  if (why.starts_with(kUnsolved)) {
    const std::string& last = tail.last_of_step();
    return concat("building ", dockerfile, ": ", neutralise(with_short_command(why.substr(kUnsolved.size()))),
                  last.empty() ? std::string() : concat("; last line: ", quoted(last, kLineLimit)));
  }
  return concat("building ", dockerfile, exit_code == kKilled ? " was killed, exit code " : " failed with exit code ",
                exit_code, ": ", neutralise(why),
                tail.lines().size() > 1 ? concat(" (last output: ", tail.condensed(), ")") : std::string());
}

bool mentions(const OutputTail& tail, std::string_view text) {
  return std::any_of(tail.lines().begin(), tail.lines().end(),
                     [text](const std::string& line) { return line.find(text) != std::string::npos; });
}

bool is_denied(const OutputTail& tail) {
  return mentions(tail, "401 Unauthorized") || mentions(tail, "403 Forbidden") || mentions(tail, "pull access denied");
}

/// The words of gRPC for a connection that ended.
bool lost_the_engine(const OutputTail& tail) {
  return mentions(tail, "code = Unavailable") || mentions(tail, "error reading from server: EOF") ||
         mentions(tail, "transport is closing");
}

constexpr std::string_view kStepKilled = "did not complete successfully: exit code: 137";

std::string hint_for(const OutputTail& tail) {
  if (mentions(tail, "no space left on device")) return "free disk space (e.g. docker system prune)";
  if (mentions(tail, "Cannot connect to the Docker daemon") || mentions(tail, "failed to connect to the docker API"))
    return "start the Docker engine, or set DOCKER_HOST";
  if (lost_the_engine(tail)) return "the Docker engine went away in the middle of the build; start it and run again";
  if (mentions(tail, "toomanyrequests") || mentions(tail, "429 Too Many Requests")) {
    return "the registry of a base image limits pulls: log in to it, or try again later";
  }
  if (is_denied(tail)) {
    return "check that the images and caches the build names exist and that the registry login may use them";
  }
  if (mentions(tail, "failed to resolve source metadata")) {
    return "check the name of the base image, and that its registry can be reached";
  }
  if (mentions(tail, "exec format error")) {
    return "the builder cannot run programs of that platform: set up emulation (docker/setup-qemu-action), use a "
           "builder "
           "that has it, or leave the platform out";
  }
  if (mentions(tail, "exporting cache") || mentions(tail, "cache export")) {
    return "check the right to push the cache image; cache errors can be ignored with build.cache-ignore-error";
  }
  return {};
}

}  // namespace

void OutputTail::add(std::string_view line) {
  const std::string_view text = trim(without_step(trim(line)));
  const bool is_rule = text.find_first_not_of('-') == std::string_view::npos;
  if (text.starts_with("> [") && text.ends_with(":")) {
    in_step_ = true;
    last_of_step_.clear();
  } else if (is_rule && !text.empty()) {
    in_step_ = false;
  } else if (in_step_ && !text.empty()) {
    last_of_step_ = without_time(text).substr(0, kLineLimit);
  }
  if (is_rule || is_routine(text)) return;
  if (!lines_.empty() && lines_.back() == text) return;
  lines_.emplace_back(text.substr(0, text.starts_with(kReason) ? kReasonLimit : kLineLimit));
  if (lines_.size() > kTailLines) lines_.pop_front();
}

std::string OutputTail::condensed() const {
  std::vector<std::string> safe;
  for (const std::string& line : lines_) safe.push_back(neutralise(line));
  return join(safe, " | ");
}

bool lost_its_cache(const OutputTail& tail) { return mentions(tail, "> exporting cache to ") && !is_denied(tail); }

Error build_failure(const std::string& dockerfile, int exit_code, const OutputTail& tail) {
  Error error;
  error.code = mentions(tail, "no space left on device") ? ErrorCode::no_space : ErrorCode::engine;
  error.message = message_for(dockerfile, exit_code, tail);
  error.hint = hint_for(tail);
  if (exit_code == kKilled || mentions(tail, kStepKilled)) {
    error.hint = "killed as when memory runs out: give the build more of it, or build fewer cells at once (--jobs)";
  }
  const int line = failing_line(dockerfile, tail);
  // Without a line it is the file's fault only where nothing else is known.
  if (line != 0 || (error.hint.empty() && reason(tail).starts_with(kUnsolved)))
    error.location = Location{dockerfile, line, 0};
  return error;
}

}  // namespace crategate::docker
