#include "app/ci_image_local.h"

#include <algorithm>

#include "actions/names.h"
#include "app/ci_image_section.h"
#include "base/log.h"
#include "base/strings.h"
#include "json/value.h"
#include "oci/reference.h"
#include "stages/build_ci_image.h"
#include "stages/ci_container.h"
#include "stages/local_change.h"
#include "stages/resolve_image.h"
#include "sys/ownership.h"
#include "sys/terminal_program.h"

namespace crategate::app {
namespace {

constexpr std::string_view kOverride = "DOCKER_CI_IMAGE";

/// A person's choice, by name, or by the engine's id; empty = there is none.
Result<std::string> chosen_by_hand(const Application& app) {
  std::string image = app.environment().get(kOverride).value_or("");
  if (image.empty() || oci::Digest::parse(image) || oci::parse_reference(image)) return image;
  return fail(ErrorCode::bad_input, concat(kOverride, ": expected the name of an image, found ", quote(image)),
              concat("Write it as for docker pull, or unset ", kOverride, "."));
}

/// By digest: what CI would run this working tree in.
Result<std::string> image_of_ci(Application& app, const config::CiImage& settings) {
  CG_TRY(registry::HttpRegistry* const client, ci_image_registry(app, settings));
  CG_TRY(const auto api, pull_request_api(app));
  auto resolved = stages::resolve_image(plan_inputs(app), app.plan_services(), *client, api ? &*api : nullptr);
  if (!resolved) {
    auto error = std::move(resolved).error();
    if (is_transient(error.code) && error.hint.empty())
      error.hint =
          concat("Without the registry: ", kOverride, "=IMAGE, or `crategate ci-image build` and --local-image.");
    return fail(std::move(error));
  }
  log::info(resolved->decision.reason);
  CG_CHECK(warn_of_local_change(app, resolved->reference));
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

std::string describe_pull(const std::string& image) { return concat("docker pull ", image); }

/// What a container is to run, and whether the engine has it already.
struct ChosenImage {
  std::string name;
  bool present = false;
  bool moves = false;  ///< a tag of the CI image in its registry, as `pr-7`: it may name another one by now
};

Result<ChosenImage> find_in_engine(Application& app, std::string name) {
  CG_TRY(docker::Engine* const engine, app.engine());
  CG_TRY(const auto found, engine->find_image(name));
  return ChosenImage{std::move(name), found.has_value()};
}

Result<ChosenImage> local_image(Application& app, const config::CiImage& settings) {
  CG_CHECK(ci_image_repository(settings));
  CG_TRY(auto image, find_in_engine(app, stages::local_ci_image(settings)));
  if (image.present) return image;
  return fail(ErrorCode::not_found,
              concat("--local-image: expected an image ", image.name, " in the engine, found none"),
              "Build it with `crategate ci-image build`.");
}

bool is_moving_tag(const std::string& image, const config::CiImage& settings) {
  const auto reference = oci::parse_reference(image);
  const auto ours = oci::parse_repository(settings.image);
  return reference && ours && reference->repository == *ours && !reference->digest &&
         image != stages::local_ci_image(settings);
}

/// The image that gen and shell run in. Nothing is pulled yet.
Result<ChosenImage> choose_image(Application& app, const config::CiImage& settings) {
  if (app.line().local_image) return local_image(app, settings);
  CG_TRY(std::string image, chosen_by_hand(app));
  if (image.empty()) {
    CG_TRY(image, image_of_ci(app, settings));
  }
  CG_TRY(auto chosen, find_in_engine(app, std::move(image)));
  chosen.moves = is_moving_tag(chosen.name, settings);
  return chosen;
}

/// What a digest names does not change, nor what a person has made: that is pulled where it is missing only.
Result<void> provide(Application& app, const ChosenImage& image) {
  if (image.present && !image.moves) return {};
  auto pulled = pull(app, image.name);
  if (pulled || !image.present || !is_transient(pulled.error().code)) return pulled;
  log::warning(
      concat(image.name, ": the engine's copy is used, which may be an older one: ", describe(pulled.error())));
  return {};
}

/// The command that opens a shell in the same image.
std::string repeat_shell(const Application& app, bool local) {
  const std::string by_hand = local ? std::string() : chosen_by_hand(app).value_or("");
  return concat(by_hand.empty() ? std::string() : concat(kOverride, "=", by_hand, " "),
                app.repeat(local ? "ci-image shell --local-image" : "ci-image shell"));
}

Result<stages::CiContainerInputs> container_inputs(Application& app, const config::CiImage& settings,
                                                   const std::string& image) {
  CG_TRY(auto user, container_user(app));
  return stages::CiContainerInputs{.image = image,
                                   .generate = settings.generate,
                                   .workspace = app.workspace(),
                                   .user = std::move(user),
                                   .shell = repeat_shell(app, image == stages::local_ci_image(settings))};
}

/// In a dry run: what would be pulled, and the container that would run.
void show_container(Application& app, const ChosenImage& image, std::string container) {
  std::vector<std::string> lines;
  if (!image.present || image.moves) lines.push_back(describe_pull(image.name));
  lines.push_back(std::move(container));
  show_dry_run(app, lines);
}

Result<void> generate(Application& app, const stages::CiContainerInputs& in) {
  CG_TRY(docker::Engine* const engine, app.engine());
  log::info(concat("ci-image gen: ", stages::describe_command(in.generate), " in ", in.image));
  const auto progress = app.progress("gen");
  CG_TRY(const auto result, stages::run_ci_generate(in, *engine, app.files(), progress));
  log::info(concat("ci-image gen: done in ", format_duration(result.elapsed.count())));
  if (!app.line().json) return {};
  app.console().document(json::Value::object({{"image", in.image}, {"duration_ms", result.elapsed.count()}}).pretty());
  return {};
}

/// The docker command line's, and the engine that the rest of this process talks to, whatever context that selects.
std::map<std::string, std::string> docker_environment(const Application& app) {
  auto variables = sys::tool_environment(app.environment(), app.workspace().root,
                                         {"DOCKER_HOST", "DOCKER_CONFIG", "TERM", "XDG_RUNTIME_DIR"});
  auto& host = variables["DOCKER_HOST"];
  if (host.empty()) host = "unix:///var/run/docker.sock";
  return variables;
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

bool has_event(const Application& app) {
  const auto& options = app.invocation();
  return !options.event.empty() || !options.ref.empty() ||
         !app.environment().get(actions::kEventName).value_or("").empty();
}

}  // namespace

Result<void> warn_of_local_change(Application& app, const std::string& image) {
  if (has_event(app)) return {};
  CG_TRY(const auto* const settings, require_ci_image(app));
  CG_TRY(const auto change, stages::find_local_change(*settings, app.repository()));
  if (change.file.empty()) return {};
  log::warning(concat(change.file, " is not as in ", change.branch,
                      ": a pull request of it has an image of its own, and ", image,
                      " is another one. Build it with `crategate ci-image build` and use --local-image, or name "
                      "the pull request's: ",
                      kOverride, "=", settings->image, ":pr-NUMBER"));
  return {};
}

Result<void> provide_ci_image(Application& app, const std::string& image) {
  CG_TRY(const auto chosen, find_in_engine(app, image));
  return provide(app, chosen);
}

Result<std::string> ci_image_name(Application& app, const config::CiImage& settings) {
  CG_TRY(auto chosen, choose_image(app, settings));
  return std::move(chosen.name);
}

// Root of a rootless engine is the person whose engine it is.
Result<std::string> container_user(Application& app) {
  CG_TRY(docker::Engine* const engine, app.engine());
  CG_TRY(const auto info, engine->info());
  return info.rootless ? std::string("0:0") : sys::owner_of_new_files(app.workspace().root.string());
}

Result<void> ci_image_pull(Application& app) {
  CG_TRY(const auto* const settings, require_ci_image(app));
  CG_TRY(std::string image, chosen_by_hand(app));
  if (image.empty()) {
    CG_TRY(image, image_of_ci(app, *settings));
  }
  if (app.invocation().dry_run) {
    show_dry_run(app, {describe_pull(image)});
    return {};
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
  CG_TRY(const auto* const settings, require_ci_image(app));
  CG_CHECK(stages::require_ci_generate(settings->generate));
  CG_TRY(const auto image, choose_image(app, *settings));
  CG_TRY(const auto in, container_inputs(app, *settings, image.name));
  if (app.invocation().dry_run) {
    show_container(app, image, stages::describe_container(stages::ci_generate_container(in)));
    return {};
  }
  CG_CHECK(provide(app, image));
  return generate(app, in);
}

Result<void> ci_image_shell(Application& app) {
  CG_TRY(const auto* const settings, require_ci_image(app));
  const bool dry = app.invocation().dry_run;
  if (!dry && !sys::has_terminal()) {
    return fail(ErrorCode::bad_input, "ci-image shell: expected a terminal at standard input and output, found none",
                "Run it in a terminal; for a command without one there is `crategate ci-image gen`.");
  }
  CG_TRY(const auto image, choose_image(app, *settings));
  CG_TRY(const auto in, container_inputs(app, *settings, image.name));
  const auto command = stages::ci_shell(in, docker_environment(app));
  if (dry) {
    show_container(app, image, command.text());
    return {};
  }
  CG_CHECK(provide(app, image));
  return sys::become(command);
}

Result<void> ci_image_dev(Application& app) {
  CG_TRY(const auto* const settings, require_ci_image(app));
  CG_CHECK(stages::require_ci_generate(settings->generate));
  if (app.invocation().dry_run) {
    CG_TRY(auto lines, describe_local_build(app));
    CG_TRY(const auto in, container_inputs(app, *settings, stages::local_ci_image(*settings)));
    lines.push_back(stages::describe_container(stages::ci_generate_container(in)));
    show_dry_run(app, lines);
    return {};
  }
  CG_TRY(const auto image, build_local_image(app));
  if (!app.line().json) app.console().lines(concat(image, "\n"));
  CG_TRY(const auto in, container_inputs(app, *settings, image));
  return generate(app, in);
}

}  // namespace crategate::app
