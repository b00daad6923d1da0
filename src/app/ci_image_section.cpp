#include "app/ci_image_section.h"

#include <filesystem>

#include "actions/names.h"
#include "base/log.h"
#include "base/strings.h"
#include "json/value.h"

namespace crategate::app {
namespace {

constexpr std::string_view kFile = "crategate.yml", kDockerHub = "docker.io";

/// The nearest directory above with a configuration; empty = none.
sys::Path project_above(const sys::Path& directory) {
  std::error_code ignored;
  for (sys::Path above = directory; above.has_relative_path();) {
    above = above.parent_path();
    if (std::filesystem::is_regular_file(above / kFile, ignored)) return above;
  }
  return {};
}

Failure no_file(const sys::Path& directory) {
  const sys::Path above = project_above(directory);
  return fail(ErrorCode::bad_input,
              concat("ci-image: expected ", kFile, " in ", quoted(directory.string()), ", found none",
                     above.empty() ? std::string() : concat("; there is one in ", quoted(above.string()))),
              above.empty()
                  ? concat("Run in the repository's top directory or give --workspace; else ", stages::kCiImageExample)
                  : concat("Run there, or give --workspace=", above.string(), "."));
}

/// Not a mistake where the registry's login is known from elsewhere: the one given is for base images then.
void warn_of_unused_login(Application& app, const config::CiImage& settings) {
  const auto& given = app.invocation();
  if (given.username.empty() || !given.registry.empty()) return;
  const auto repository = ci_image_repository(settings);
  if (!repository || repository->registry == kDockerHub) return;
  const auto login = app.credentials(repository->registry);
  if (!login || *login) return;
  log::warning(concat("username: without registry it is for ", kDockerHub, ", and ", repository->registry,
                      " is asked without a login; give registry=", repository->registry));
}

}  // namespace

Result<const config::CiImage*> require_ci_image(const Application& app) {
  const auto& settings = app.configuration().ci_image;
  if (settings) return &*settings;
  const std::string& file = app.loaded().file;
  if (file.empty()) return no_file(app.workspace().root);
  return fail(ErrorCode::bad_input,
              concat("ci-image: expected a section that says which image in ", quoted(file), ", found none"),
              std::string(stages::kCiImageExample));
}

Result<oci::Repository> ci_image_repository(const config::CiImage& settings) {
  if (settings.image.empty())
    return fail(ErrorCode::bad_input, "ci-image.image: expected a repository, found none",
                std::string(stages::kCiImageExample));
  auto repository = oci::parse_repository(settings.image);
  if (repository) return repository;
  return fail(std::move(repository).error().within("ci-image.image"));
}

stages::PlanInputs plan_inputs(const Application& app) {
  return {.configuration = app.configuration(),
          .invocation = app.invocation(),
          .workspace = app.workspace(),
          .destination = {},
          .in_action = app.in_runner()};
}

Result<std::optional<stages::PullRequestApi>> pull_request_api(Application& app) {
  const auto repository = app.environment().get(actions::kRepository);
  if (!repository || repository->empty() || !app.has_github_token()) return std::nullopt;
  CG_TRY(auto name, github::RepositoryName::parse(*repository));
  CG_TRY(github::GitHubClient* const client, app.github());
  return stages::PullRequestApi{*client, std::move(name)};
}

Result<registry::HttpRegistry*> ci_image_registry(Application& app, const config::CiImage& settings) {
  warn_of_unused_login(app, settings);
  return app.registry();
}

void show_dry_run(Application& app, const std::vector<std::string>& lines) {
  if (app.line().json) {
    app.console().document(json::Value::object({{"would", json::Value::array_of(lines)}}).pretty());
    return;
  }
  app.console().lines(concat(join(lines, "\n"), "\n"));
}

}  // namespace crategate::app
