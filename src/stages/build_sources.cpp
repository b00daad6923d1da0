#include "stages/build_sources.h"

#include <filesystem>

#include "base/strings.h"
#include "dockerfile/frontend.h"
#include "dockerfile/ignore_file.h"
#include "git/credentials.h"
#include "pipeline/plan.h"

namespace crategate::stages {
namespace {

constexpr std::string_view kGitConfiguration = ".git/config";
constexpr std::string_view kIgnoreFile = ".dockerignore";
constexpr std::string_view kFrontendArgument = "BUILDKIT_SYNTAX=";

Result<void> check_frontend(const Sources& in, const std::string& dockerfile) {
  const auto& build = in.build;
  std::vector<std::string> frontends;
  if (const auto named = dockerfile::find_frontend(dockerfile)) frontends.push_back(*named);
  for (const auto& argument : build.build_args) {
    if (argument.starts_with(kFrontendArgument)) frontends.push_back(argument.substr(kFrontendArgument.size()));
  }
  for (const auto& frontend : frontends) {
    if (dockerfile::is_trusted_frontend(frontend, build.frontends)) continue;
    return fail(Error{
        .code = ErrorCode::bad_input,
        .message = concat(in.subject, ": expected the frontend docker/dockerfile, or one of build.frontends, found ",
                          quote(frontend)),
        .hint = "A frontend sees and makes everything of a build. Remove `# syntax=`, or name the image "
                "by digest in build.frontends.",
        .context = {},
        .location = Location{in.dockerfile, 1, 0},
        .http = {}});
  }
  return {};
}

/// The runner's own variables: inputs with their tokens, and what reaches its services.
bool is_of_the_runner(std::string_view name) {
  return name.starts_with("INPUT_") || name.starts_with("ACTIONS_") || name.starts_with("STATE_");
}

Result<void> check_variables(const Sources& in) {
  std::vector<std::string> names;
  for (const auto& argument : in.build.build_args) {
    if (argument.find('=') == std::string::npos) names.push_back(argument);
  }
  for (const auto& secret : in.build.secrets) {
    for (const auto& option : split(secret, ',')) {
      if (option.starts_with("env=")) names.push_back(option.substr(4));
      if (option.starts_with("id=")) names.push_back(option.substr(3));  // without a source buildx takes that variable
    }
  }
  for (const auto& name : names) {
    if (!is_of_the_runner(name) && (name.empty() || name != in.key_variable)) continue;
    return fail(ErrorCode::bad_input,
                concat(in.subject, ": expected variables that a build may see, found ", quote(name),
                       ", which is the runner's or the gate's"),
                "Give the value to a variable of its own (env: of the step), and name that one.");
  }
  return {};
}

/// What a pull request names is in its own files: other files of the machine hold the job's credentials.
Result<void> check_inside(const Sources& in, std::string_view what, const std::string& path) {
  const sys::Path whole = (in.workspace.root / path).lexically_normal();
  const auto relative = whole.lexically_relative(in.workspace.root);
  std::error_code ignored;
  const auto real = std::filesystem::weakly_canonical(whole, ignored).lexically_relative(in.workspace.root);
  const auto leaves = [](const sys::Path& from) { return from.empty() || *from.begin() == ".."; };
  if (!leaves(relative) && !leaves(real)) return {};
  return fail(ErrorCode::bad_input,
              concat(in.subject, ": ", what, ": expected a path in the workspace, found ", quote(path)),
              "By pull request rules a build sees no other file of the machine.");
}

bool is_local(const std::string& context) {
  return context.find("://") == std::string::npos && !context.starts_with("git@") && context != "-";
}

/// The file that a secret is read from, as buildx finds it: `src`, `source`, in any case; without it and `env` the id
/// itself. Empty = none. What is quoted is not looked into: the whole text is taken for a path, which leaves the workspace.
std::string secret_file(const std::string& secret) {
  if (secret.find('"') != std::string::npos) return concat("/", secret);
  std::string id;
  bool from_variable = false;
  for (const auto& option : split(secret, ',')) {
    const std::size_t equals = option.find('=');
    const std::string key = to_lower(trim(std::string_view(option).substr(0, equals)));
    std::string value = equals == std::string::npos ? "" : option.substr(equals + 1);
    if (key == "src" || key == "source") return value;
    if (key == "env") from_variable = true;
    if (key == "id") id = value;
  }
  return from_variable ? std::string() : id;
}

/// BuildKit prefers the ignore file that is named after the Dockerfile.
Result<std::string> read_ignore_file(const Sources& in, const sys::Path& context, const sys::FileSystem& files) {
  CG_TRY(auto own, files.read_below(in.workspace.root, concat(in.dockerfile, kIgnoreFile)));
  if (own) return *std::move(own);
  CG_TRY(auto common, files.read_below(context, kIgnoreFile));
  return std::move(common).value_or("");
}

Result<void> check_context(const Sources& in, const std::string& name, const sys::FileSystem& files) {
  const sys::Path context = (in.workspace.root / name).lexically_normal();
  CG_TRY(const auto configuration, files.read_below(context, kGitConfiguration));
  if (!configuration || !git::holds_credentials(*configuration)) return {};
  CG_TRY(const std::string ignored, read_ignore_file(in, context, files));
  if (dockerfile::is_ignored(ignored, kGitConfiguration)) return {};
  return fail(ErrorCode::bad_input,
              concat(in.subject, ": expected a build context without credentials, found some in ", kGitConfiguration),
              "Write `.git` into .dockerignore, or check out with `persist-credentials: false`.");
}

}  // namespace

Result<void> check_sources(const Sources& in, const sys::FileSystem& files) {
  CG_TRY(const auto text, files.read_below(in.workspace.root, in.dockerfile));
  if (!text) {
    return fail(ErrorCode::bad_input,
                concat(in.subject, ": expected the Dockerfile ", quote(in.dockerfile), ", found none"), in.remedy);
  }
  CG_CHECK(check_frontend(in, *text));
  CG_CHECK(check_variables(in));
  const auto& build = in.build;
  std::vector<std::string> contexts = {build.context};
  for (const auto& named : build.build_contexts) contexts.push_back(named.substr(named.find('=') + 1));
  std::erase_if(contexts, [](const std::string& context) { return !is_local(context); });
  if (in.guarded) {
    for (const auto& context : contexts) CG_CHECK(check_inside(in, "build context", context));
    for (const auto& secret : build.secrets) CG_CHECK(check_inside(in, "build secret", secret_file(secret)));
  }
  for (const auto& context : contexts) CG_CHECK(check_context(in, context, files));
  return {};
}

Result<void> check_sources(const BuildInputs& in, const sys::FileSystem& files) {
  return check_sources(Sources{.subject = concat("cell ", in.cell.key),
                               .dockerfile = in.cell.dockerfile,
                               .build = in.configuration.build,
                               .workspace = in.workspace,
                               .key_variable = in.configuration.gate.hmac_secret_env,
                               .guarded = in.in_action && in.plan.policy.trigger == pipeline::kPullRequestTrigger,
                               .remedy = "Run `crategate generate` first (or commit the Dockerfile)."},
                       files);
}

}  // namespace crategate::stages
