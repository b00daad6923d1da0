// Wiring: which implementation stands behind each role, made when first needed.
// Belongs here: ownership and construction.  Not here: what commands do with them (commands, run).
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "actions/artifact_store.h"
#include "actions/workflow.h"
#include "app/console.h"
#include "app/options.h"
#include "base/result.h"
#include "config/settings.h"
#include "docker/build.h"
#include "docker/engine.h"
#include "git/commit_transfer.h"
#include "git/ref_store.h"
#include "git/repository.h"
#include "github/app_token.h"
#include "github/client.h"
#include "layout/image_store.h"
#include "net/http.h"
#include "pipeline/lease.h"
#include "pipeline/plan.h"
#include "registry/client.h"
#include "stages/candidate_reader.h"
#include "stages/check.h"
#include "stages/hand_over.h"
#include "stages/journal_store.h"
#include "stages/layout_registry.h"
#include "stages/plan.h"
#include "stages/workspace.h"
#include "sys/clock.h"
#include "sys/environment.h"
#include "sys/file_system.h"
#include "sys/process.h"

namespace crategate::app {

class Application {
 public:
  /// A console and a way to tell the runner; nothing is read yet.
  static std::unique_ptr<Application> create(CommandLine line);
  /// Reads the configuration file and the inputs; starts nothing.
  /// Errors: bad_input.
  Result<void> load();

  const CommandLine& line() const { return line_; }
  const config::Configuration& configuration() const { return loaded_.configuration; }
  const config::Invocation& invocation() const { return loaded_.invocation; }
  const config::Loaded& loaded() const { return loaded_; }
  const stages::Workspace& workspace() const { return workspace_; }
  bool in_runner() const { return in_runner_; }
  int jobs() const;
  /// Of crategate, for containers on the engine's machine: `cleanup.image`, else what this process runs in itself;
  /// empty = this is no container.
  /// Errors: engine.
  Result<std::string> cleanup_image(const config::Cleanup& settings);
  std::string run_id() const;  ///< of the workflow run; empty outside one
  std::string run_attempt() const;
  /// That records are signed with, by gate.hmac-secret-env; empty = they are not.
  /// Errors: bad_input where the variable holds none.
  Result<Secret> record_key();

  Console& console() { return *console_; }
  sys::FileSystem& files() { return files_; }
  const sys::FileSystem& files() const { return files_; }
  sys::Clock& clock() { return clock_; }
  const sys::Environment& environment() const { return environment_; }
  sys::ProcessRunner& processes() { return processes_; }
  git::Repository& repository() { return *repository_; }
  actions::Workflow& workflow() { return *workflow_; }

  /// Errors: engine, with what to do.
  Result<docker::Engine*> engine();
  Result<docker::ImageBuilder*> builder();
  /// One for a single build: what it makes for that is removed with it.
  Result<std::unique_ptr<docker::ImageBuilder>> new_builder();

  /// Where a plan's images are: reader and writer of one destination, and where what is to be published is read.
  struct Store {
    registry::RegistryReader* reader = nullptr;
    registry::RegistryWriter* writer = nullptr;
    registry::RegistryReader* candidates = nullptr;
  };
  Result<Store> store(const pipeline::Plan& plan);
  /// Any registry, with the credentials in force.
  /// Errors: bad_input for proxies or certificates that cannot be used.
  Result<registry::HttpRegistry*> registry();
  /// The login in force for a registry, named as references name it; nullopt = none.
  /// Errors: bad_input, unauthenticated.
  Result<std::optional<registry::Credentials>> credentials(const std::string& registry);
  /// One that gives up after some seconds: for what is good to know.
  Result<std::unique_ptr<registry::HttpRegistry>> brief_registry();
  /// Where that is, for people: `oci:.crategate/images`, or the registry's host.
  std::string store_name(const pipeline::Plan& plan) const;
  /// The directory of the OCI layout; empty when the plan publishes to a registry.
  sys::Path layout_directory(const pipeline::Plan& plan) const;

  /// Of the run that this job belongs to; outside of one, a folder below the state directory.
  /// Errors: artifact_service.
  Result<actions::ArtifactStore*> artifacts();
  /// From now on its service gets a few seconds in all: a cancelled job has little time left.
  void hurry_artifacts();
  /// After a failure of the service nothing more is tried that may be left out.
  void give_up_artifacts() { artifacts_given_up_ = true; }
  bool artifacts_given_up() const;
  /// Whether jobs reach each other through that store only: a runner has given access to its service.
  bool hands_over() const;
  pipeline::Maker maker() const;
  /// Of the plan's images, by release.lease and release.journal. Nothing is asked and no lease taken yet.
  Result<stages::JournalStore*> journal(const pipeline::Plan& plan);
  /// That the lease's remote is one of the checkout, where it is called by name. Speaks to no remote.
  /// Errors: bad_input.
  Result<void> check_lease();
  /// GitHub's API, as whoever `github-token` is.
  /// Errors: bad_input.
  Result<github::GitHubClient*> github();
  bool has_github_token() const { return !github_token_.empty(); }
  /// Whether a push to `repository` with `github-token` would be let in.
  /// Errors: as github::may_push.
  Result<bool> may_push(const github::RepositoryName& repository);
  /// One that gives up early where waiting would mend it: for those that ask again themselves.
  Result<std::unique_ptr<github::GitHubClient>> brief_github();
  /// The same, for comments, which nobody writes without a token.
  /// Errors: bad_input.
  Result<github::CommentClient*> comments();
  Result<github::ReactionClient*> reactions();
  /// The same, for the versions of container packages.
  /// Errors: bad_input.
  Result<github::PackageClient*> packages();

  /// Between a remote (see git::find_remote_access) and a private repository, with the logins that are in force for it.
  std::unique_ptr<git::CommitTransfer> commit_transfer(const std::string& remote);
  /// The same, pushing as whoever `push-token` is, or as the App of `push-app-id`; without both as `github-token`.
  std::unique_ptr<git::CommitTransfer> pushing_transfer(const std::string& remote);
  /// Whether somebody else than the job pushes, so that checks start.
  bool has_push_token() const { return !push_token_.empty() || push_app_.has_value(); }
  /// Revokes the App's token, if one was made. It ends by itself within an hour: a failure is a warning.
  void end_pushing();
  /// The configuration file from the top of the workspace, whether it is there or not.
  std::string configuration_file() const;

  stages::PlanServices plan_services();
  /// Lines of a tool that works for `label`.
  stages::Progress progress(const std::string& label);
  stages::CommandServices check_services(const stages::Progress& progress);
  /// For a hint: this command with the options that choose configuration, workspace and state, and with the project's
  /// settings that this invocation was given by option or input.
  std::string repeat(const std::string& command) const;

 private:
  Result<std::unique_ptr<github::RestGitHubClient>> make_github(github::Options options);
  Application(CommandLine line, std::unique_ptr<Console> console);
  Result<std::optional<config::File>> read_configuration() const;
  std::unique_ptr<registry::HttpRegistry> make_registry(net::HttpClient& client, registry::Patience patience);
  Result<net::HttpClient*> http();
  Result<github::RestGitHubClient*> rest_client();
  Result<github::RestGitHubClient*> writing_client();
  Result<github::AppTokenClient> app_tokens();
  Result<Secret> make_app_token();
  pipeline::LeaseHolder lease_holder() const;

  CommandLine line_;
  Store with_candidates(const pipeline::Plan& plan, Store store);
  std::mutex making_;  ///< cells ask for the engine side by side
  std::mutex making_http_;
  config::Loaded loaded_;
  stages::Workspace workspace_;
  bool in_runner_ = false;
  std::unique_ptr<Console> console_;
  sys::SystemEnvironment environment_;
  sys::PosixFileSystem files_;
  sys::SystemClock clock_;
  sys::PosixProcessRunner processes_;
  net::PosixHttpClient engine_http_;            ///< unix sockets only
  std::unique_ptr<net::PosixHttpClient> http_;  ///< everything else: proxies, certificates
  std::unique_ptr<git::Repository> repository_;
  std::unique_ptr<git::RemoteHistory> history_;
  std::unique_ptr<actions::RunnerWorkflow> workflow_;
  std::unique_ptr<docker::Engine> engine_;
  std::unique_ptr<docker::ImageBuilder> builder_;
  std::unique_ptr<registry::HttpRegistry> registry_;
  std::unique_ptr<stages::LayoutRegistry> layout_;
  std::unique_ptr<stages::CandidateReader> candidates_;
  std::unique_ptr<actions::ArtifactStore> artifacts_;
  std::optional<sys::Instant> artifacts_until_;  ///< since they are hurried
  bool artifacts_given_up_ = false;
  std::unique_ptr<git::RefStore> lease_;
  std::unique_ptr<stages::JournalStore> earlier_journal_;  ///< outlives the next
  std::unique_ptr<stages::JournalStore> journal_;
  std::string journal_images_;  ///< whose it is
  std::unique_ptr<github::RestGitHubClient> github_;
  registry::Credentials given_credentials_;
  Secret github_token_, push_token_, record_key_;
  std::optional<github::GitHubApp> push_app_;
  Secret app_token_;  ///< that App's, while it pushes
};

}  // namespace crategate::app
