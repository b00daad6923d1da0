// The Docker engine through its API (https://docs.docker.com/reference/api/engine/version/v1.41/) on a unix socket.
// Belongs here: images and containers.  Not here: building (build.h).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "net/http.h"
#include "oci/digest.h"
#include "oci/image_config.h"
#include "sys/clock.h"
#include "sys/environment.h"
#include "sys/file_system.h"

namespace crategate::docker {

struct EngineInfo {
  std::string api_version;        ///< the newest that it speaks
  bool containerd_store = false;  ///< image store: containerd, else classic
  std::string root = {};          ///< directory of its state, in the view of the engine; empty = it does not say
  bool rootless = false;          ///< root in its containers is the person whose engine it is
};

/// An image as the engine describes it.
struct EngineImage {
  std::string id;  ///< config digest (classic store) or manifest/index digest (containerd store)
  std::vector<oci::Digest> diff_ids;
  std::string os, architecture, variant;
  std::vector<std::string> repo_digests;  ///< `repository@digest` of the registries that it came from
  oci::ContainerConfig config = {};       ///< what its containers run; nothing of it is proven by a digest
  /// Whether `id` is a manifest's (containerd store) or a configuration's (classic); nullopt = only `Engine::info` tells.
  std::optional<bool> id_is_manifest = std::nullopt;
};

/// What a container gets of the machine.
struct ContainerLimits {
  std::uint64_t memory = 0;        ///< bytes, with swap; 0 = no limit
  int cpus = 0;                    ///< processors; 0 = no limit
  std::int64_t processes = 4096;   ///< and threads
  std::uint64_t file_size = 0;     ///< bytes of each file that it writes (RLIMIT_FSIZE); 0 = no limit
  bool drop_capabilities = false;  ///< all of them, also those of its root
  bool read_only_root = false;
  std::map<std::string, std::string> tmpfs = {};  ///< place → options (`size=64m,mode=1777`)
};

struct ContainerSpec {
  std::string image;  ///< id or name
  std::vector<std::string> command;
  std::vector<std::string> entrypoint;  ///< used when `override_entrypoint`
  bool override_entrypoint = false;
  std::vector<std::string> env;
  std::vector<std::string> binds;  ///< absolute `host:container[:ro]`
  bool engine_paths = false;       ///< `binds` name places of the engine's machine, not of this process
  std::string workdir, user, network;
  std::map<std::string, std::string> labels;
  std::string name;
  ContainerLimits limits = {};
};

struct ContainerRun {
  std::chrono::milliseconds timeout{0};
  std::function<Result<void>(std::string_view bytes)> on_output;  ///< stdout and stderr combined, as they come
  /// Asked about once a second while it runs, by the thread that waits for it; an error kills it, and is the result.
  std::function<Result<void>()> watch = {};
};

struct ContainerOutcome {
  std::int64_t exit_code = 0;
  bool timed_out = false, cancelled = false, out_of_memory = false;
  std::string image_id;  ///< the engine's id of the image that the container really ran
  std::chrono::milliseconds elapsed{0};
};

/// A place of a container that is on the machine of the engine, too.
struct OwnMount {
  std::string type;  ///< bind, volume, …
  std::string name;  ///< of a volume
  std::string source, destination;
  bool writable = true;
};

/// The container that this process runs in, as the engine describes it.
struct OwnContainer {
  std::string id, image_id;
  std::vector<OwnMount> mounts;
};

/// A line of /proc/self/mountinfo.
struct SeenMount {
  std::string root;  ///< in its file system
  std::string point;
};

/// What a process sees of its container without asking anyone.
struct Surroundings {
  bool in_container = false;
  std::vector<std::string> ids;  ///< of containers, whole or short, as host name and mounts show them
  std::vector<SeenMount> mounts;
  std::string output_file;  ///< GITHUB_OUTPUT: its name is that of one step
  sys::Path root = "/";
};

Surroundings read_surroundings(const sys::Environment& environment, const sys::Path& root = "/");

/// How the engine shows itself at a registry.
struct PullLogin {
  std::string registry;  ///< in normal form (`docker.io`)
  std::string username;
  Secret password, identity_token{};
};

class Engine {
 public:
  virtual ~Engine() = default;
  /// Errors: engine, with a hint, when the socket is absent, not permitted, or the engine is older than API 1.41.
  virtual Result<EngineInfo> info() = 0;
  /// nullopt = the engine has no such image.
  virtual Result<std::optional<EngineImage>> find_image(const std::string& name) = 0;
  /// The `docker save` stream of one image into `sink`.
  virtual Result<void> save_image(const std::string& name, const net::BodySink& sink) = 0;
  /// From its registry, by the engine, without a login.
  /// Errors: not_found, forbidden, no_space, engine.
  virtual Result<void> pull_image(const std::string& name) = 0;
  /// The same with a login.
  virtual Result<void> pull_image_as(const std::string& name, const PullLogin& /*login*/) { return pull_image(name); }
  /// A `docker save` archive of `size` bytes into the engine, with the names that it carries.
  /// Errors: no_space, engine; whatever the source answers.
  virtual Result<void> load_image(const net::BodySource& archive, std::uint64_t size) = 0;
  /// Removes one name (and the image with its last name); absent is fine.
  virtual Result<void> remove_image(const std::string& name) = 0;
  /// Creates, attaches, starts, waits, and always removes the container; on time-out or cancellation it is killed
  /// first. Init process on, no TTY, no new privileges, no engine socket.
  /// `binds` are as this process sees them: in a container they are translated to what the engine's machine has there.
  /// Errors besides: bad_input for a bind of what only this container has.
  virtual Result<ContainerOutcome> run_container(const ContainerSpec& spec, const ContainerRun& run) = 0;
  /// nullopt outside of a container, and in one that this engine does not run. Asked once.
  virtual Result<std::optional<OwnContainer>> own_container() { return std::nullopt; }
};

class EngineApi;

class HttpEngine final : public Engine {
 public:
  ~HttpEngine() override;
  /// `host`: DOCKER_HOST (`unix:///path`), empty = unix:///var/run/docker.sock.
  static Result<std::unique_ptr<HttpEngine>> connect(net::HttpClient& http, sys::Clock& clock, const std::string& host,
                                                     Surroundings surroundings = {});
  Result<EngineInfo> info() override;
  Result<std::optional<EngineImage>> find_image(const std::string& name) override;
  Result<void> save_image(const std::string& name, const net::BodySink& sink) override;
  Result<void> pull_image(const std::string& name) override;
  Result<void> pull_image_as(const std::string& name, const PullLogin& login) override;
  Result<void> load_image(const net::BodySource& archive, std::uint64_t size) override;
  Result<void> remove_image(const std::string& name) override;
  Result<ContainerOutcome> run_container(const ContainerSpec& spec, const ContainerRun& run) override;
  Result<std::optional<OwnContainer>> own_container() override;

 private:
  HttpEngine(std::unique_ptr<EngineApi> api, sys::Clock& clock, Surroundings surroundings);
  std::unique_ptr<EngineApi> api_;
  sys::Clock& clock_;
  Surroundings surroundings_;
  std::mutex looking_;
  std::optional<std::optional<OwnContainer>> own_;
};

}  // namespace crategate::docker
