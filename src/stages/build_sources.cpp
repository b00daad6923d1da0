#include "stages/build_sources.h"

#include "base/strings.h"
#include "dockerfile/frontend.h"
#include "dockerfile/ignore_file.h"
#include "git/credentials.h"

namespace crategate::stages {
namespace {

constexpr std::string_view kGitConfiguration = ".git/config";
constexpr std::string_view kIgnoreFile = ".dockerignore";
constexpr std::string_view kFrontendArgument = "BUILDKIT_SYNTAX=";

Result<void> check_frontend(const BuildInputs& in, const std::string& dockerfile) {
  const auto& build = in.configuration.build;
  std::vector<std::string> frontends;
  if (const auto named = dockerfile::find_frontend(dockerfile)) frontends.push_back(*named);
  for (const auto& argument : build.build_args) {
    if (argument.starts_with(kFrontendArgument)) frontends.push_back(argument.substr(kFrontendArgument.size()));
  }
  for (const auto& frontend : frontends) {
    if (dockerfile::is_trusted_frontend(frontend, build.frontends)) continue;
    return fail(Error{.code = ErrorCode::bad_input,
                      .message = concat("cell ", in.cell.key,
                                        ": expected the frontend docker/dockerfile, or one of build.frontends, found ",
                                        quote(frontend)),
                      .hint = "A frontend sees and makes everything of a build. Remove `# syntax=`, or name the image "
                              "by digest in build.frontends.",
                      .context = {},
                      .location = Location{in.cell.dockerfile, 1, 0},
                      .http = {}});
  }
  return {};
}

bool is_local(const std::string& context) {
  return context.find("://") == std::string::npos && !context.starts_with("git@") && context != "-";
}

/// BuildKit prefers the ignore file that is named after the Dockerfile.
Result<std::string> read_ignore_file(const BuildInputs& in, const sys::Path& context, const sys::FileSystem& files) {
  CG_TRY(auto own, files.read_below(in.workspace.root, concat(in.cell.dockerfile, kIgnoreFile)));
  if (own) return *std::move(own);
  CG_TRY(auto common, files.read_below(context, kIgnoreFile));
  return std::move(common).value_or("");
}

Result<void> check_context(const BuildInputs& in, const sys::FileSystem& files) {
  if (!is_local(in.configuration.build.context)) return {};
  const sys::Path context = (in.workspace.root / in.configuration.build.context).lexically_normal();
  CG_TRY(const auto configuration, files.read_below(context, kGitConfiguration));
  if (!configuration || !git::holds_credentials(*configuration)) return {};
  CG_TRY(const std::string ignored, read_ignore_file(in, context, files));
  if (dockerfile::is_ignored(ignored, kGitConfiguration)) return {};
  return fail(
      ErrorCode::bad_input,
      concat("cell ", in.cell.key, ": expected a build context without credentials, found some in ", kGitConfiguration),
      "Write `.git` into .dockerignore, or check out with `persist-credentials: false`.");
}

}  // namespace

Result<void> check_sources(const BuildInputs& in, const sys::FileSystem& files) {
  CG_TRY(const auto text, files.read_below(in.workspace.root, in.cell.dockerfile));
  if (!text) {
    return fail(ErrorCode::bad_input,
                concat("cell ", in.cell.key, ": expected the Dockerfile ", quote(in.cell.dockerfile), ", found none"),
                "Run `crategate generate` first (or commit the Dockerfile).");
  }
  CG_CHECK(check_frontend(in, *text));
  return check_context(in, files);
}

}  // namespace crategate::stages
