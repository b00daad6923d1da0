#include "app/ci_image_local.h"

#include <algorithm>

#include "base/log.h"
#include "base/strings.h"
#include "json/value.h"
#include "oci/reference.h"
#include "stages/build_ci_image.h"
#include "stages/ci_container.h"
#include "stages/resolve_image.h"
#include "sys/ownership.h"
#include "sys/terminal_program.h"

namespace crategate::app {
namespace {

constexpr std::string_view kOverride = "DOCKER_CI_IMAGE";

/// A person's choice; empty = there is none.
std::string chosen_by_hand(const Application& app) { return app.environment().get(kOverride).value_or(""); }

Result<const config::CiImage*> require_section(const Application& app) {
  const auto& settings = app.configuration().ci_image;
  if (settings) return &*settings;
  return fail(ErrorCode::bad_input, "ci-image: expected a section that says which image, found none",
              "docs/ci-image.md shows the three lines that crategate.yml needs.");
}

/// By digest: what CI would run this working tree in.
Result<std::string> image_of_ci(Application& app) {
  const stages::PlanInputs in{.configuration = app.configuration(),
                              .invocation = app.invocation(),
                              .workspace = app.workspace(),
                              .destination = {},
                              .in_action = app.in_runner()};
  CG_TRY(registry::HttpRegistry* const client, app.registry());
  auto resolved = stages::resolve_image(in, app.plan_services(), *client);
  if (!resolved) {
    auto error = std::move(resolved).error();
    if (is_transient(error.code) && error.hint.empty())
      error.hint =
          concat("Without the registry: ", kOverride, "=IMAGE, or `crategate ci-image build` and --local-image.");
    return fail(std::move(error));
  }
  log::info(resolved->decision.reason);
  if (!resolved->image.empty()) return std::move(resolved->image);
  return fail(ErrorCode::not_found,
              concat("CI image ", resolved->reference, ": expected one built from ", resolved->decision.revision,
                     ", found none"),
              "Its build has not ended. Wait for it, or use --local-image after `crategate ci-image build`.");
}

/// With the login that is in force for its registry: the engine has none of its own.
Result<void> pull(Application& app, const std::string& image) {
  CG_TRY(docker::Engine* const engine, app.engine());
  CG_TRY(const auto reference, oci::parse_reference(image));
  const std::string& registry = reference.repository.registry;
  CG_TRY(const auto login, app.credentials(registry));
  log::info(concat("pulling ", image));
  if (!login || (login->username.empty() && login->identity_token.empty())) return engine->pull_image(image);
  return engine->pull_image_as(image, {.registry = registry,
                                       .username = login->username,
                                       .password = login->password,
                                       .identity_token = login->identity_token});
}

/// What a digest names does not change, and neither does what a person has chosen: only what is missing is pulled.
Result<void> provide(Application& app, const std::string& image) {
  CG_TRY(docker::Engine* const engine, app.engine());
  CG_TRY(const auto present, engine->find_image(image));
  if (present) return {};
  return pull(app, image);
}

Result<std::string> local_image(Application& app) {
  CG_TRY(const auto* const settings, require_section(app));
  std::string name = stages::local_ci_image(*settings);
  CG_TRY(docker::Engine* const engine, app.engine());
  CG_TRY(const auto present, engine->find_image(name));
  if (present) return name;
  return fail(ErrorCode::not_found, concat("--local-image: expected an image ", name, " in the engine, found none"),
              "Build it with `crategate ci-image build`.");
}

/// The image that gen and shell run in; the engine has it then.
Result<std::string> image_to_run(Application& app) {
  if (app.line().local_image) return local_image(app);
  std::string image = chosen_by_hand(app);
  if (image.empty()) {
    CG_TRY(image, image_of_ci(app));
  }
  CG_CHECK(provide(app, image));
  return image;
}

/// Root of a rootless engine is the person whose engine it is.
Result<std::string> user_of(Application& app) {
  CG_TRY(docker::Engine* const engine, app.engine());
  CG_TRY(const auto info, engine->info());
  return info.rootless ? std::string("0:0") : sys::owner_of_new_files(app.workspace().root.string());
}

Result<stages::CiContainerInputs> container_inputs(Application& app, std::string image) {
  CG_TRY(const auto* const settings, require_section(app));
  CG_TRY(auto user, user_of(app));
  return stages::CiContainerInputs{
      .image = std::move(image), .generate = settings->generate, .workspace = app.workspace(), .user = std::move(user)};
}

Result<void> generate_in(Application& app, std::string image) {
  CG_TRY(const auto in, container_inputs(app, std::move(image)));
  CG_TRY(docker::Engine* const engine, app.engine());
  log::info(concat("ci-image gen: ", stages::describe_command(in.generate), " in ", in.image));
  const auto progress = app.progress("gen");
  CG_TRY(const auto result, stages::run_ci_generate(in, *engine, app.files(), progress));
  log::info(concat("ci-image gen: done in ", format_duration(result.elapsed.count())));
  return {};
}

/// The name by which a registry knows what the engine has under `image`.
Result<std::string> by_digest(Application& app, const std::string& image) {
  CG_TRY(const auto reference, oci::parse_reference(image));
  if (reference.digest) return image;
  CG_TRY(docker::Engine* const engine, app.engine());
  CG_TRY(const auto found, engine->find_image(image));
  if (!found) return image;
  const auto same = std::ranges::find_if(found->repo_digests, [&](const std::string& name) {
    const auto parsed = oci::parse_reference(name);
    return parsed && parsed->repository == reference.repository;
  });
  return same == found->repo_digests.end() ? image : *same;
}

}  // namespace

Result<void> ci_image_pull(Application& app) {
  std::string image = chosen_by_hand(app);
  if (image.empty()) {
    CG_TRY(image, image_of_ci(app));
  }
  CG_CHECK(pull(app, image));
  CG_TRY(image, by_digest(app, image));
  if (app.line().json) {
    app.console().document(json::Value::object({{"image", image}}).pretty());
  } else {
    app.console().lines(concat(image, "\n"));
  }
  return {};
}

Result<void> ci_image_gen(Application& app) {
  CG_TRY(auto image, image_to_run(app));
  return generate_in(app, std::move(image));
}

Result<void> ci_image_shell(Application& app) {
  if (!sys::has_terminal()) {
    return fail(ErrorCode::bad_input, "ci-image shell: expected a terminal at standard input and output, found none",
                "Run it in a terminal; for a command without one there is `crategate ci-image gen`.");
  }
  CG_TRY(auto image, image_to_run(app));
  CG_TRY(const auto in, container_inputs(app, std::move(image)));
  auto variables = sys::tool_environment(app.environment(), app.workspace().root,
                                         {"DOCKER_HOST", "DOCKER_CONFIG", "TERM", "XDG_RUNTIME_DIR"});
  // The engine that the rest of this process talks to, whatever context the docker command line selects.
  auto& host = variables["DOCKER_HOST"];
  if (host.empty()) host = "unix:///var/run/docker.sock";
  return sys::become(stages::ci_shell(in, std::move(variables)));
}

Result<void> ci_image_dev(Application& app) {
  CG_CHECK(build_ci_image_here(app));
  CG_TRY(auto image, local_image(app));
  return generate_in(app, std::move(image));
}

}  // namespace crategate::app
