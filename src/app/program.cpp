#include "app/program.h"

#include <chrono>
#include <condition_variable>
#include <exception>
#include <iostream>
#include <mutex>
#include <new>
#include <thread>

#include "app/action_inputs.h"
#include "app/application.h"
#include "app/commands.h"
#include "app/console.h"
#include "app/options.h"
#include "base/product.h"
#include "base/strings.h"
#include "config/placement.h"
#include "render/failure.h"
#include "sys/cancel.h"
#include "sys/init_process.h"
#include "sys/private_directory.h"
#include "sys/process_guard.h"

namespace crategate::app {
namespace {

int report_failure(const Error& error) {
  for (const auto& line : render::error_lines(error)) std::cerr << line << '\n';
  std::cerr << std::flush;
  return exit_code(error.code);
}

void annotate(Application& app, const Error& error) {
  Error unplaced = error;  // the place is the annotation's own
  unplaced.location.reset();
  const std::string text = describe(unplaced);
  app.workflow().annotate({.severity = actions::Severity::error,
                           .title = concat("crategate: ", name(error.code)),
                           .message = error.hint.empty() ? text : concat(text, "\n", error.hint),
                           .location = error.location});
  const std::vector<std::pair<std::string_view, std::string>> outputs = {
      {"exit_code", std::to_string(exit_code(error.code))}, {"error", describe(error)}};
  for (const auto& [output, value] : outputs) static_cast<void>(app.workflow().set_output(output, value));
}

/// `--timeout` of the whole invocation: when it is over, everything is stopped as if the process had been told to end.
class TimeLimit {
 public:
  explicit TimeLimit(std::chrono::milliseconds limit) {
    if (limit.count() == 0) return;
    watcher_ = std::thread([this, limit] {
      std::unique_lock lock(mutex_);
      expired_ = !over_.wait_for(lock, limit, [this] { return ended_; });
      if (expired_) sys::request_cancellation(ErrorCode::terminated);
    });
  }
  ~TimeLimit() {
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
    }
    over_.notify_all();
    if (watcher_.joinable()) watcher_.join();
  }
  bool expired() {
    const std::lock_guard lock(mutex_);
    return expired_;
  }
  TimeLimit(const TimeLimit&) = delete;
  TimeLimit& operator=(const TimeLimit&) = delete;

 private:
  std::mutex mutex_;
  std::condition_variable over_;
  bool ended_ = false, expired_ = false;
  std::thread watcher_;
};

int print_and_end(std::string_view text) {
  const auto printed = check_printed(print_out(text));
  return printed ? 0 : report_failure(printed.error());
}

/// A tool that was stopped by our own cancellation reports its own failure; the cause is the cancellation. What a release
/// says of its tags is said all the same.
Error cancelled_error(Error cancelled, const Error& found) {
  if (found.code == cancelled.code) return found;
  const bool of_tags = found.code == ErrorCode::needs_person || found.code == ErrorCode::rolled_back;
  if (!of_tags) return cancelled;
  cancelled.message += concat("; ", describe(found));
  cancelled.hint = found.hint;
  return cancelled;
}

/// What the end of the time stopped says itself what it leaves behind.
Error timed_out(std::chrono::milliseconds timeout, const Error& stopped) {
  const std::string time = concat("timeout: expected an end within ", format_duration(timeout.count()), ", found none");
  const std::string remedy = "Give --timeout more, or find out what takes so long";
  if (stopped.code == ErrorCode::terminated && !stopped.hint.empty()) {
    Error error = stopped;
    error.hint = concat(remedy, ". ", stopped.hint);
    return std::move(error).within(time);
  }
  Error error{ErrorCode::terminated, time, concat(remedy, "; what is already proven is kept."), {}, {}, {}};
  return cancelled_error(std::move(error), stopped);
}

Result<void> load_and_run(Application& app) {
  CG_CHECK(app.load());
  const auto timeout = app.invocation().timeout;
  TimeLimit limit(timeout);
  auto done = run_command(app);
  if (done) done = app.console().check_results();
  if (done || !limit.expired()) return done;
  return fail(timed_out(timeout, done.error()));
}

Result<void> run_with(Application& app) {
  auto done = load_and_run(app);
  const auto cancelled = sys::check_cancelled();
  if (!done && !cancelled) done = fail(cancelled_error(cancelled.error(), done.error()));
  if (!done) done = fail(config::with_place(done.error(), app.loaded().in_force));
  if (!done) annotate(app, done.error());
  if (done) static_cast<void>(app.workflow().set_output("exit_code", "0"));
  return done;
}

int run(const std::vector<std::string>& arguments) {
  auto line = parse_command_line(arguments).and_then(
      [](CommandLine words) { return with_action_inputs(std::move(words), sys::SystemEnvironment{}); });
  if (!line) {
    annotate(*Application::create({}), line.error());
    return report_failure(line.error());
  }
  if (line->version) return print_and_end(concat("crategate ", product_version(), "\n"));
  if (line->help) {
    return print_and_end(line->group.empty() ? help_text(find_command(line->command)) : group_help(line->group));
  }
  if (line->command.empty()) {
    return report_failure({ErrorCode::bad_input,
                           "expected a command, found none",
                           "`crategate --help` lists the commands; `crategate run` is the whole pipeline.",
                           {},
                           {},
                           {}});
  }
  sys::install_cancellation();
  sys::PrivateDirectory::sweep();
  auto app = Application::create(*std::move(line));
  const auto done = run_with(*app);
  app.reset();  // the console leaves the live view before the last two lines
  return done ? 0 : report_failure(done.error());
}

}  // namespace

int run_program(const std::vector<std::string>& arguments) {
  sys::guard_process();
  try {
    if (const auto code = sys::run_as_init()) return *code;
    return run(arguments);
  } catch (const std::bad_alloc&) {
    return report_failure({ErrorCode::internal, "out of memory", "Give the process more memory.", {}, {}, {}});
  } catch (const std::exception& error) {
    return report_failure({ErrorCode::internal,
                           concat("unexpected failure: ", error.what()),
                           "This is a defect of crategate; please report it with the command line.",
                           {},
                           {},
                           {}});
  }
}

}  // namespace crategate::app
