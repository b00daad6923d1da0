#include "app/application.h"

#include <unistd.h>

#include <climits>
#include <filesystem>
#include <map>
#include <utility>

#include "actions/artifact_access.h"
#include "actions/artifact_names.h"
#include "actions/folder_artifact_store.h"
#include "actions/names.h"
#include "actions/service_artifact_store.h"
#include "app/action_inputs.h"
#include "app/push_app.h"
#include "app/secret_options.h"
#include "base/log.h"
#include "base/strings.h"
#include "net/certificates.h"
#include "net/transport.h"
#include "oci/reference.h"
#include "pipeline/agreement.h"
#include "registry/credential_helper.h"
#include "stages/artifact_journal.h"
#include "stages/git_journal.h"

namespace crategate::app {
namespace {

constexpr std::string_view kDefaultConfiguration = "crategate.yml";
constexpr std::chrono::milliseconds kBriefly{10'000};  ///< what is only good to know
constexpr std::chrono::milliseconds kHurry{1'500}, kHurryInAll{4'000};
constexpr std::string_view kDockerHub = "docker.io";
constexpr std::size_t kLongestVariable = 60;  ///< shorter than a secret of `openssl rand -hex 32`

std::vector<std::string> input_names() {
  std::vector<std::string> names;
  for (const auto& row : config::settings_table()) {
    names.push_back(config::option_name(row));
    if (!row.short_name.empty()) names.emplace_back(row.short_name);
  }
  for (const auto& row : config::seed_names()) names.emplace_back(row.name);
  return names;
}

Result<void> refuse_unknown_inputs(const sys::Environment& environment, const std::vector<std::string>& names) {
  std::vector<std::string> known = names;
  for (const auto& input : action_inputs()) known.emplace_back(input.name);
  known.insert(known.end(), {"args", "entrypoint"});  // the runner's own, of `uses: docker://…`
  const auto unknown = actions::find_unknown_inputs(environment, known);
  if (unknown.empty()) return {};
  const auto near = nearest(unknown.front(), known);
  return fail(ErrorCode::bad_input, concat("unknown input ", quote(unknown.front())),
              concat(near ? concat("Did you mean ", *near, "? ") : std::string(),
                     "docs/action.md and docs/configuration.md list the inputs."));
}

/// A login that nobody would use is a mistake that shows much later, as a refusal of the registry.
Result<void> check_login(const config::Invocation& given) {
  const bool name = !given.username.empty(), password = !given.password_text.empty();
  if (name != password) {
    return fail(ErrorCode::bad_input,
                concat("login: expected username and password, found only the ", name ? "username" : "password"),
                "Give both, or neither; an empty secret counts as none.");
  }
  if (given.registry.empty()) return {};
  const auto repository = oci::parse_repository(concat(given.registry, "/x"));
  if (repository && repository->registry == to_lower(given.registry)) return {};
  return fail(ErrorCode::bad_input,
              concat("registry: expected a host as in the names of images, found ", quote(given.registry)),
              "Write for example ghcr.io or localhost:5000, without https:// and path; docker.io for Docker Hub.");
}

/// A secret that stands where its variable's name belongs is not printed.
bool is_variable_name(std::string_view text) {
  constexpr std::string_view kAllowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";
  return text.size() <= kLongestVariable && text.find_first_not_of(kAllowed) == std::string_view::npos &&
         (text.front() < '0' || text.front() > '9');
}

}  // namespace

Application::Application(CommandLine line, std::unique_ptr<Console> console)
    : line_(std::move(line)), console_(std::move(console)) {}

std::unique_ptr<Application> Application::create(CommandLine line) {
  const sys::SystemEnvironment environment;
  const bool in_runner = environment.get(actions::kActions).value_or("") == "true";
  auto options = detect_console(line.no_color || !environment.get("NO_COLOR").value_or("").empty(), in_runner);
  // With --json, stdout carries the document and nothing else.
  // What prints a value for programs keeps everything else away from it.
  options.one_stream = in_runner && !line.json && !line.command.starts_with("registry ");
  const bool debug = environment.get(actions::kDebug).value_or("") == "1";
  options.verbose = line.verbose || debug;
  options.quiet = line.quiet;
  std::unique_ptr<Application> app(new Application(std::move(line), std::make_unique<Console>(options)));
  app->in_runner_ = in_runner;
  Console& console = *app->console_;
  log::configure({.threshold = debug ? log::Level::debug : log::Level::info,
                  .format = app->line_.log_format == "json" ? log::Format::json : log::Format::text,
                  .color = false},
                 [&console](log::Level level, std::string_view text) { console.log_line(level, text); });
  app->workflow_ = std::make_unique<actions::RunnerWorkflow>(
      app->environment_, app->files_, [&console](std::string_view command) { console.command(command); });
  return app;
}

Result<std::optional<config::File>> Application::read_configuration() const {
  const bool named = !line_.config_file.empty();
  const sys::Path path = named ? sys::Path(line_.config_file) : workspace_.root / kDefaultConfiguration;
  CG_TRY(auto text, files().read(path));
  if (text) return config::File{named ? line_.config_file : std::string(kDefaultConfiguration), *std::move(text)};
  if (!named) return std::nullopt;
  return fail(ErrorCode::bad_input,
              concat("--config: expected a configuration file, found nothing at ", quote(line_.config_file)),
              "Correct the path; without --config, crategate.yml in the workspace is read.");
}

std::string Application::configuration_file() const {
  std::error_code ignored;
  const sys::Path path = std::filesystem::weakly_canonical(
      line_.config_file.empty() ? workspace_.root / kDefaultConfiguration : sys::Path(line_.config_file), ignored);
  return path.lexically_relative(workspace_.root).generic_string();
}

Result<void> Application::load() {
  std::error_code ignored;
  const std::string chosen =
      line_.workspace.empty() && in_runner_ ? environment_.get(actions::kWorkspace).value_or("") : line_.workspace;
  workspace_.root = std::filesystem::weakly_canonical(chosen.empty() ? sys::Path(".") : sys::Path(chosen), ignored);
  if (ignored || !std::filesystem::is_directory(workspace_.root, ignored)) {
    return fail(ErrorCode::bad_input, concat("workspace: expected a directory, found none at ", quote(chosen)),
                "Correct --workspace (or GITHUB_WORKSPACE).");
  }
  CG_CHECK(workflow_->check_files());
  if (in_runner_ && std::filesystem::is_empty(workspace_.root, ignored)) {
    return fail(ErrorCode::bad_input,
                concat("workspace: expected the project's checkout, found an empty directory at ", quote(chosen)),
                "Check the project out before this step (actions/checkout), and mount it into the container.");
  }
  CG_TRY(const auto file, read_configuration());
  std::vector<config::Given> given = line_.given;
  CG_CHECK(fill_in_secrets(given, environment_));
  if (in_runner_) {
    CG_CHECK(refuse_unknown_inputs(environment_, input_names()));
    CG_TRY(const auto inputs, actions::read_inputs(environment_, input_names()));
    for (const auto& [name, value] : inputs) {
      given.push_back({name, value, {.kind = config::OriginKind::input, .where = {}, .name = concat("input ", name)}});
    }
  }
  CG_TRY(loaded_, config::load(file, given));
  CG_CHECK(check_login(loaded_.invocation));
  if (auto remote = git::check_remote(workspace_.root, loaded_.configuration.release.lease_remote); !remote)
    return fail(std::move(remote).error().within("release.lease-remote"));
  workspace_.state_name = loaded_.invocation.state;
  workflow_->keep_long_summaries(workspace_.state(), (workspace_.state_name / actions::kSummaryFile).string());
  given_credentials_ = {loaded_.invocation.username, Secret(std::exchange(loaded_.invocation.password_text, {}))};
  // The runner masks the password, and not what a registry's clients make of it.
  if (!given_credentials_.password.empty())
    workflow_->mask(Secret(base64(concat(given_credentials_.username, ":", given_credentials_.password.reveal()))));
  github_token_ = Secret(std::exchange(loaded_.invocation.github_token_text, {}));
  CG_TRY(push_app_, take_push_app(loaded_.invocation, line_.command));
  push_token_ = Secret(std::exchange(loaded_.invocation.push_token_text, {}));
  repository_ = std::make_unique<git::GitProgram>(processes_, environment_, workspace_.root);
  history_ = std::make_unique<git::GitRemoteHistory>(
      processes_, environment_, *repository_,
      git::PrivateRepository(processes_, environment_, workspace_.root, "origin", github_token_, git::Holds::history));
  return {};
}

int Application::jobs() const { return loaded_.invocation.jobs > 0 ? loaded_.invocation.jobs : sys::available_cores(); }

std::string Application::run_id() const { return environment_.get(actions::kRunId).value_or(""); }
std::string Application::run_attempt() const { return environment_.get(actions::kRunAttempt).value_or(""); }

Result<Secret> Application::record_key() {
  const std::string& name = loaded_.configuration.gate.hmac_secret_env;
  if (name.empty() || !record_key_.empty()) return record_key_;
  // A secret in its place is not repeated: hexadecimal digits can be a name.
  const bool may_be_secret = name.size() >= pipeline::kShortestKey && name.find('_') == std::string::npos;
  if (!is_variable_name(name) || may_be_secret) {
    return fail(ErrorCode::bad_input,
                concat("gate.hmac-secret-env: expected the name of an environment variable, found something else of ",
                       name.size(), " characters"),
                "Write the name there, such as CRATEGATE_HMAC_SECRET, and the secret into that variable only.");
  }
  auto value = environment_.get(name).value_or("");
  if (value.size() < pipeline::kShortestKey) {
    return fail(ErrorCode::bad_input,
                concat("gate.hmac-secret-env: expected a secret of at least ", pipeline::kShortestKey,
                       " bytes in the environment variable ", name, ", found ",
                       value.empty() ? std::string("none") : concat(value.size(), " bytes")),
                concat("Make one with `openssl rand -hex 32`, keep it as a secret, and set ", name,
                       " to it for digest, verify, push, release and run."));
  }
  record_key_ = Secret(std::move(value));
  workflow_->mask(record_key_);
  return record_key_;
}

Result<docker::Engine*> Application::engine() {
  const std::lock_guard lock(making_);
  if (!engine_) {
    CG_TRY(engine_, docker::HttpEngine::connect(engine_http_, clock_, environment_.get("DOCKER_HOST").value_or(""),
                                                docker::read_surroundings(environment_)));
  }
  return engine_.get();
}

Result<std::string> Application::cleanup_image(const config::Cleanup& settings) {
  if (!settings.image.empty() || !in_runner_) return settings.image;
  CG_TRY(docker::Engine* const connected, engine());
  CG_TRY(const auto own, connected->own_container());
  return own ? own->image_id : std::string();
}

Result<std::unique_ptr<docker::ImageBuilder>> Application::new_builder() {
  CG_TRY(docker::Engine* const connected, engine());
  return std::make_unique<docker::BuildxBuilder>(
      processes_, environment_, *connected, workspace_.root, loaded_.configuration.build.builder_image,
      docker::RegistryLogin{loaded_.invocation.registry, given_credentials_.username, given_credentials_.password});
}

Result<docker::ImageBuilder*> Application::builder() {
  CG_TRY(auto made, new_builder());
  const std::lock_guard lock(making_);
  if (!builder_) builder_ = std::move(made);
  return builder_.get();
}

Result<std::optional<registry::Credentials>> Application::credentials(const std::string& registry) {
  const std::string named = loaded_.invocation.registry.empty() ? std::string(kDockerHub) : loaded_.invocation.registry;
  if (!given_credentials_.username.empty() && registry == named) return given_credentials_;
  const std::string home = environment_.get("HOME").value_or("");
  const std::string configured = environment_.get("DOCKER_CONFIG").value_or("");
  if (configured.empty() && home.empty()) return std::nullopt;
  const sys::Path path = (configured.empty() ? sys::Path(home) / ".docker" : sys::Path(configured)) / "config.json";
  CG_TRY(const auto text, files().read(path));
  if (!text) return std::nullopt;
  CG_TRY(const auto known, registry::parse_docker_config(*text, path.string()));
  const registry::CredentialHelpers helpers(processes_, environment_, workspace_.root);
  return registry::find_login(known, helpers, registry);
}

Result<net::HttpClient*> Application::http() {
  const std::lock_guard lock(making_http_);
  if (!http_) {
    net::TransportOptions options;
    CG_TRY(options.proxies, net::parse_proxies(environment_));
    CG_TRY(options.tls, net::read_certificate_directory(files_, loaded_.invocation.registry_certificates));
    http_ = std::make_unique<net::PosixHttpClient>(std::move(options));
  }
  return http_.get();
}

std::unique_ptr<registry::HttpRegistry> Application::make_registry(net::HttpClient& client,
                                                                   registry::Patience patience) {
  return std::make_unique<registry::HttpRegistry>(
      client, clock_, [this](const std::string& host) { return credentials(host); },
      registry::RegistryOptions{.insecure = loaded_.invocation.insecure_registries,
                                .mirrors = loaded_.invocation.registry_mirrors,
                                .patience = std::move(patience)});
}

Result<registry::HttpRegistry*> Application::registry() {
  CG_TRY(net::HttpClient* const client, http());
  const std::lock_guard lock(making_);
  if (!registry_) registry_ = make_registry(*client, {});
  return registry_.get();
}

Result<std::unique_ptr<registry::HttpRegistry>> Application::brief_registry() {
  CG_TRY(net::HttpClient* const client, http());
  registry::Patience patience;
  patience.retry.tries = 2;
  patience.operation = patience.longest_pause = kBriefly;
  return make_registry(*client, std::move(patience));
}

Result<Application::Store> Application::store(const pipeline::Plan& plan) {
  if (plan.layout) {
    if (!layout_) {
      const sys::Path directory = layout_directory(plan);
      CG_CHECK(files().make_directories(directory));
      CG_TRY(auto opened, layout::OciLayout::open(directory));
      layout_ = std::make_unique<stages::LayoutRegistry>(std::move(opened));
    }
    return with_candidates(plan, {layout_.get(), layout_.get(), layout_.get()});
  }
  CG_TRY(registry::HttpRegistry* const client, registry());
  return with_candidates(plan, {client, client, client});
}

/// One plan a process: the first one that rebuilds stays.
Application::Store Application::with_candidates(const pipeline::Plan& plan, Store store) {
  if (!plan.rebuild) return store;
  if (!candidates_) candidates_ = std::make_unique<stages::CandidateReader>(plan, workspace_, *store.reader);
  store.candidates = candidates_.get();
  return store;
}

sys::Path Application::layout_directory(const pipeline::Plan& plan) const {
  if (!plan.layout) return {};
  const std::string& to = loaded_.invocation.to;
  if (to.starts_with("oci:") && to.size() > 4) return (workspace_.root / to.substr(4)).lexically_normal();
  return workspace_.state() / stages::kImagesDirectory;
}

std::string Application::store_name(const pipeline::Plan& plan) const {
  if (!plan.layout) {
    const auto repository = plan.cells.empty() ? Result<oci::Repository>(oci::Repository{})
                                               : oci::parse_repository(plan.cells.front().image);
    return repository ? repository->registry : std::string("the registry");
  }
  const std::string& to = loaded_.invocation.to;
  return to.starts_with("oci:") && to.size() > 4
             ? to
             : concat("oci:", (workspace_.state_name / stages::kImagesDirectory).string());
}

bool Application::hands_over() const {
  return in_runner_ && !environment_.get(actions::kRuntimeToken).value_or("").empty();
}

void Application::hurry_artifacts() {
  if (artifacts_until_) return;
  artifacts_until_ = clock_.monotonic() + kHurryInAll;
  artifacts_.reset();
}

bool Application::artifacts_given_up() const {
  return artifacts_given_up_ || (artifacts_until_ && clock_.monotonic() > *artifacts_until_);
}

Result<actions::ArtifactStore*> Application::artifacts() {
  const std::lock_guard lock(making_);  // cells ask side by side
  if (artifacts_) return artifacts_.get();
  if (in_runner_) {
    CG_TRY(auto access, actions::read_artifact_access(environment_));
    actions::ServiceLimits limits;
    if (artifacts_until_) {
      limits.patience.policy.tries = 1;
      limits.patience.total = limits.silence = limits.blocks.silence = kHurry;
    }
    CG_TRY(net::HttpClient* const client, http());
    artifacts_ = std::make_unique<actions::ServiceArtifactStore>(*client, clock_, std::move(access), limits);
  } else {
    CG_CHECK(files().make_directories(workspace_.state()));
    artifacts_ = std::make_unique<actions::FolderArtifactStore>(
        files_, clock_, workspace_.state(), stages::kArtifactsDirectory, actions::BackendIds{run_id(), "local"});
  }
  return artifacts_.get();
}

pipeline::Maker Application::maker() const {
  const auto variable = [this](std::string_view name) { return environment_.get(name).value_or(""); };
  const std::string& cell = loaded_.invocation.cell;
  const std::string job = variable(actions::kJob);
  const std::string part = cell.empty() ? join(loaded_.invocation.only, ",") : cell;
  return {.run = run_id(),
          .attempt = variable(actions::kRunAttempt),
          .job = concat(job, job.empty() || part.empty() ? "" : " ", part)};
}

Result<stages::JournalStore*> Application::journal(const pipeline::Plan& plan) {
  if (journal_ && journal_images_ == plan.image_set) return journal_.get();
  const auto& settings = loaded_.configuration.release;
  journal_.reset();
  if (settings.lease == "git") {
    if (!lease_)
      lease_ = std::make_unique<git::GitRefStore>(processes_, environment_, workspace_.root, settings.lease_remote,
                                                  github_token_);
    earlier_journal_ = std::make_unique<stages::FileJournal>(files_, workspace_, plan.image_set);
    journal_ =
        std::make_unique<stages::GitJournal>(*lease_, clock_, plan.image_set, lease_holder(), earlier_journal_.get());
  } else if (hands_over() && settings.journal == "artifact") {
    journal_ = std::make_unique<stages::ArtifactJournal>(
        [this] { return artifacts(); }, files_, workspace_, plan.image_set,
        stages::ArtifactJournal::Settings{loaded_.configuration.artifact.retention_days, maker()});
  } else {
    journal_ = std::make_unique<stages::FileJournal>(files_, workspace_, plan.image_set);
  }
  journal_images_ = plan.image_set;
  return journal_.get();
}

Result<void> Application::check_lease() {
  const auto& settings = loaded_.configuration.release;
  if (settings.lease != "git") return {};
  auto found = git::find_remote_access(processes_, environment_, workspace_.root, settings.lease_remote, github_token_);
  if (found) return {};
  return fail(std::move(found).error().within("release.lease-remote"));
}

pipeline::LeaseHolder Application::lease_holder() const {
  constexpr std::size_t kRandom = 16;
  std::string host(HOST_NAME_MAX + 1, '\0');
  if (::gethostname(host.data(), host.size()) != 0) host.clear();
  host.resize(std::min(host.size(), host.find(char{0})));
  return {.run = run_id(),
          .attempt = run_attempt(),
          .id = concat(host.empty() ? std::string("unnamed") : host, "-", sys::random_hex(kRandom))};
}

stages::PlanServices Application::plan_services() {
  return {.files = files_,
          .environment = environment_,
          .processes = processes_,
          .repository = *repository_,
          .history = history_.get()};
}

stages::Progress Application::progress(const std::string& label) {
  return [this, label](std::string_view text) { console_->tool_line(label, text); };
}

stages::CommandServices Application::check_services(const stages::Progress& progress) {
  return {.files = files_,
          .host = {.processes = processes_, .environment = environment_},
          .engine = [this] { return engine(); },
          .progress = progress};
}

std::string Application::repeat(const std::string& command) const {
  config::Argv options;
  if (!line_.workspace.empty()) options.push_back(concat("--workspace=", line_.workspace));
  if (!line_.config_file.empty()) options.push_back(concat("--config=", line_.config_file));
  if (loaded_.invocation.state != ".crategate") options.push_back(concat("--state=", loaded_.invocation.state));
  for (const auto& row : loaded_.in_force) {
    const bool given =
        row.origin.kind == config::OriginKind::command_line || row.origin.kind == config::OriginKind::input;
    const bool told = row.setting->file ? !pipeline::is_decided_by_plan(*row.setting) || command.starts_with("run ")
                                        : row.setting->name == "plan" && !command.starts_with("run ");
    if (!given || !told || row.setting->secret || row.value.empty()) continue;
    options.push_back(concat("--", config::option_name(*row.setting), "=", replace_all(row.value, "\n", " ")));
  }
  const std::string text = concat("crategate ", command);
  return options.empty() ? text : concat(text, " ", stages::describe_command(options));
}

}  // namespace crategate::app
