#include "stages/logged_build.h"

#include <utility>

#include "base/strings.h"
#include "stages/project_command.h"

namespace crategate::stages {

Result<docker::BuildOutcome> run_logged_build(const LoggedBuildInputs& in, docker::ImageBuilder& builder,
                                              sys::FileSystem& files, const docker::ProgressLine& on_line) {
  CG_CHECK(files.make_directories((in.workspace.state() / in.log).parent_path()));
  CG_TRY(auto log, sys::LogFile::create(in.workspace.state(), in.log, kLogLimit));
  bool begun = false;
  auto outcome = builder.build(in.request, in.timeout, [&](std::string_view line) {
    begun = true;
    static_cast<void>(log.write(concat(line, "\n")));  // a full disk shows in the build itself
    on_line(line);
  });
  if (outcome) {
    CG_CHECK(log.close());
    return outcome;
  }
  Error error = std::move(outcome).error();
  if (begun) error.message += concat("; log: ", (in.workspace.state_name / in.log).string());
  return fail(std::move(error));
}

}  // namespace crategate::stages
