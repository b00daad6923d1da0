// An engine without containers, and a builder that builds nothing: what they are asked is kept, the answers are the
// test's own.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "docker/build.h"
#include "docker/engine.h"
#include "support/test_image.h"

namespace crategate::test {

/// Images by name and id. `docker save` streams a real archive; a container "runs" by the script that was given.
class FakeEngine final : public docker::Engine {
 public:
  using Script =
      std::function<Result<docker::ContainerOutcome>(const docker::ContainerSpec&, const docker::ContainerRun&)>;

  /// As a build would load it. Returns the id: the config digest, in the containerd store the manifest digest.
  std::string add(const std::string& name, const TestImage& image);
  /// From now on `id` is saved as this archive.
  void replace_archive(const std::string& id, std::string archive) { archives_[id] = std::move(archive); }
  /// Containers print `output`, in two pieces, and end with `exit_code`.
  void containers_print(std::string output, std::int64_t exit_code = 0);
  void containers_run(Script script) { script_ = std::move(script); }

  Result<docker::EngineInfo> info() override;
  Result<std::optional<docker::EngineImage>> find_image(const std::string& name) override;
  /// Such an image appears, unless `pull_error`.
  Result<void> pull_image(const std::string& name) override;
  Result<void> save_image(const std::string& name, const net::BodySink& sink) override;
  /// The archive is read to its end; its image must be there by `add`.
  Result<void> load_image(const net::BodySource& archive, std::uint64_t size) override;
  Result<void> remove_image(const std::string& name) override;
  /// The image id of the outcome is the image's own unless the script gives one.
  Result<docker::ContainerOutcome> run_container(const docker::ContainerSpec& spec,
                                                 const docker::ContainerRun& run) override;

  bool containerd_store = false;
  std::string engine_root = "/var/lib/docker";
  std::optional<Error> save_error;                ///< after the first bytes
  std::vector<docker::ContainerSpec> containers;  ///< that were run
  std::vector<docker::ContainerRun> runs;
  std::optional<Error> pull_error;
  std::vector<std::string> saved, pulled, loaded;

 private:
  std::string id_of(const std::string& name) const;
  std::map<std::string, std::string> ids_;  ///< name → id
  std::map<std::string, docker::EngineImage> images_;
  std::map<std::string, std::string> archives_;
  Script script_;
};

/// Prints `lines` and answers `answer`.
class RecordingBuilder final : public docker::ImageBuilder {
 public:
  std::optional<docker::BaseImage> find_base(const std::string&, const docker::BuildRequest&) override { return base; }
  Result<std::vector<sys::Command>> commands(const docker::BuildRequest& request) override;
  Result<docker::BuildOutcome> build(const docker::BuildRequest& request, std::chrono::milliseconds timeout,
                                     const docker::ProgressLine& progress) override;

  Result<docker::BuildOutcome> answer = docker::BuildOutcome{"sha256:built", std::chrono::milliseconds(1500)};
  std::optional<docker::BaseImage> base;  ///< of every name
  std::function<void(const docker::BuildRequest&)> on_build;
  std::vector<std::string> lines;
  std::vector<docker::BuildRequest> requests;
  std::vector<std::chrono::milliseconds> timeouts;
};

}  // namespace crategate::test
