// buildx builds: a request as a value, its argv as a value, then the run.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "docker/base_image.h"
#include "docker/client_config.h"
#include "docker/engine.h"
#include "oci/digest.h"
#include "oci/platform.h"
#include "sys/environment.h"
#include "sys/process.h"

namespace crategate::docker {

/// Cache to read or write: a registry reference, or a local directory.
struct Cache {
  std::string reference;
  std::string directory;
  bool ignore_error = false;  ///< writing only
};

struct BuildRequest {
  std::string dockerfile, context = ".";
  std::vector<std::string> tags;  ///< of the loaded image
  oci::Platform platform;
  std::vector<oci::Platform> more_platforms;  ///< one index for all of them; only into `layout`
  bool fresh = false;                         ///< --pull --no-cache
  bool log_in = false;                        ///< whether the build may use the login of the invocation (A04)
  std::vector<Cache> cache_from, cache_to;
  bool inline_cache = false;  ///< the image itself says what later builds can take from it
  std::vector<std::string> build_args, build_contexts, secrets;  ///< as buildx takes them
  std::map<std::string, std::string> labels;
  std::vector<std::string> annotations;
  std::string target, network, builder;
  bool provenance = false;
  std::string metadata_file;
  /// Not empty: no file or history entry is later than this time (seconds since the epoch), which the build sees as the
  /// argument SOURCE_DATE_EPOCH (https://reproducible-builds.org/specs/source-date-epoch/), unless `build_args` has it.
  std::string source_date_epoch;
  /// Not empty: the image goes to this docker archive instead of the engine; relative to the workspace. Engines cannot
  /// load an image with rewritten times themselves.
  std::string archive;
  /// Not empty: the image goes to this directory as an OCI layout instead of the engine; relative to the workspace.
  std::string layout;
  bool isolated =
      false;  ///< by a BuildKit that has no layers of other builds, where there is an image to make one from
};

/// `docker buildx build --platform … -f FILE -t TAG --output=type=docker …`; every untrusted value in `--name=value` form (A73).
std::vector<std::string> build_arguments(const BuildRequest& request);

struct BuildOutcome {
  std::string image_id;  ///< of the loaded image, as the engine names it; empty for an archive or a layout
  std::chrono::milliseconds elapsed{0};
};

using ProgressLine = std::function<void(std::string_view line)>;

class ImageBuilder {
 public:
  virtual ~ImageBuilder() = default;
  /// What `FROM name` will stand for in this build; nullopt when it cannot be found out. Asked once for all builds.
  /// Effects: network(engine), process(buildx).
  virtual std::optional<BaseImage> find_base(const std::string& name, const BuildRequest& request) = 0;
  /// The commands `build` would run, in order (dry run, errors).
  virtual Result<std::vector<sys::Command>> commands(const BuildRequest& request) = 0;
  /// Errors: engine with the last lines of output and the failing Dockerfile line as location; no_space; interrupted.
  virtual Result<BuildOutcome> build(const BuildRequest& request, std::chrono::milliseconds timeout,
                                     const ProgressLine& progress) = 0;
};

/// Runs `docker buildx` (or stand-alone `buildx`). Where the engine's default builder cannot do what the request asks
/// (registry or local cache export, an archive or a layout, on the classic store), it makes a `docker-container` builder from `builder_image`
/// for this process and removes it at the end.
class BuildxBuilder final : public ImageBuilder {
 public:
  BuildxBuilder(sys::ProcessRunner& processes, const sys::Environment& environment, Engine& engine, sys::Path workspace,
                std::string builder_image, RegistryLogin login = {});
  ~BuildxBuilder() override;
  std::optional<BaseImage> find_base(const std::string& name, const BuildRequest& request) override;
  Result<std::vector<sys::Command>> commands(const BuildRequest& request) override;
  Result<BuildOutcome> build(const BuildRequest& request, std::chrono::milliseconds timeout,
                             const ProgressLine& progress) override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace crategate::docker
