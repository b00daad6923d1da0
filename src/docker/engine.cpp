// HttpEngine: connecting and images.
// Not here: containers (container.cpp) and the transport (engine_api).
#include "docker/engine.h"

#include <algorithm>

#include "base/strings.h"
#include "docker/container.h"
#include "docker/engine_api.h"
#include "docker/host_paths.h"
#include "docker/image_transfer.h"
#include "docker/own_container.h"

namespace crategate::docker {
namespace {

// On the classic store the engine writes the whole archive to its disk before the first byte comes.
constexpr std::chrono::milliseconds kSaveSilence{1'800'000};

/// The containerd store lists the id among the digests of its names, and knows no directories of a driver.
Result<std::optional<bool>> is_manifest_id(const EngineImage& image, const json::Reader& root) {
  const std::string end = concat('@', image.id);
  if (std::ranges::any_of(image.repo_digests, [&end](const auto& digest) { return digest.ends_with(end); }))
    return true;
  CG_TRY(const auto driver, root.find("GraphDriver"));
  if (!driver) return std::nullopt;
  CG_TRY(const auto directories, driver->find("Data"));
  if (!directories) return std::nullopt;
  CG_TRY(const auto named, directories->members());
  return named.empty() ? std::nullopt : std::optional(false);
}

Result<EngineImage> read_image(const json::Reader& root) {
  EngineImage image;
  CG_TRY(image.id, root.string("Id"));
  CG_TRY(image.os, root.string_or("Os", ""));
  CG_TRY(image.architecture, root.string_or("Architecture", ""));
  CG_TRY(image.variant, root.string_or("Variant", ""));
  CG_TRY(const auto origins, root.find("RepoDigests"));
  if (origins) {
    CG_TRY(image.repo_digests, root.strings("RepoDigests"));
  }
  CG_TRY(image.id_is_manifest, is_manifest_id(image, root));
  CG_TRY(const auto config, root.find("Config"));
  if (config) {
    CG_TRY(image.config, oci::read_container_config(*config));
  }
  CG_TRY(const auto file_system, root.find("RootFS"));
  if (!file_system) return image;
  CG_TRY(const auto layers, file_system->strings("Layers"));
  for (const std::string& layer : layers) {
    CG_TRY(oci::Digest digest, oci::Digest::parse(layer));
    image.diff_ids.push_back(std::move(digest));
  }
  return image;
}

}  // namespace

HttpEngine::HttpEngine(std::unique_ptr<EngineApi> api, sys::Clock& clock, Surroundings surroundings)
    : api_(std::move(api)), clock_(clock), surroundings_(std::move(surroundings)) {}
HttpEngine::~HttpEngine() = default;

Result<std::unique_ptr<HttpEngine>> HttpEngine::connect(net::HttpClient& http, sys::Clock& clock,
                                                        const std::string& host, Surroundings surroundings) {
  CG_TRY(std::string socket, parse_docker_host(host));
  auto api = std::make_unique<EngineApi>(http, std::move(socket), surroundings.in_container);
  return std::unique_ptr<HttpEngine>(new HttpEngine(std::move(api), clock, std::move(surroundings)));
}

Result<EngineInfo> HttpEngine::info() { return api_->info(); }

Result<std::optional<EngineImage>> HttpEngine::find_image(const std::string& name) {
  CG_TRY(const std::string path, path_of_image(name));
  const Call call{.target = concat(path, "/json")};
  CG_TRY(const net::Response response, api_->send(call));
  if (response.status == 404) return std::nullopt;
  if (response.status != 200) return fail(engine_failure(concat("describe the image ", name), call, response));
  CG_TRY(const json::Document document, parse_answer(call, response));
  CG_TRY(EngineImage image, read_image(document.root()));
  return image;
}

Result<void> HttpEngine::save_image(const std::string& name, const net::BodySink& sink) {
  CG_TRY(const std::string path, path_of_image(name));
  const Call call{.target = concat(path, "/get"), .sink = sink, .timeout = kSaveSilence};
  CG_TRY(const net::Response response, api_->send(call));
  if (response.status == 404) {
    return fail(ErrorCode::not_found, concat("the Docker engine has no image ", name), "build the image first");
  }
  if (response.status != 200) return fail(engine_failure(concat("save the image ", name), call, response));
  return {};
}

Result<void> HttpEngine::pull_image(const std::string& name) { return docker::pull_image(*api_, name); }

Result<void> HttpEngine::pull_image_as(const std::string& name, const PullLogin& login) {
  return docker::pull_image(*api_, name, registry_auth(login));
}

Result<void> HttpEngine::load_image(const net::BodySource& archive, std::uint64_t size) {
  return docker::load_image(*api_, archive, size);
}

Result<void> HttpEngine::remove_image(const std::string& name) {
  CG_TRY(const std::string path, path_of_image(name));
  const Call call{.method = "DELETE", .target = path, .timeout = std::chrono::milliseconds(300'000)};
  CG_TRY(const net::Response response, api_->send(call));
  if (response.status == 200 || response.status == 404) return {};
  return fail(engine_failure(concat("remove the image ", name), call, response));
}

Result<ContainerOutcome> HttpEngine::run_container(const ContainerSpec& spec, const ContainerRun& run) {
  std::vector<HostMount> mounts;
  for (const std::string& bind : spec.binds) {
    CG_TRY(HostMount mount, parse_bind(bind));
    if (!spec.engine_paths) {
      CG_TRY(const auto own, own_container());
      CG_TRY(mount, to_host(std::move(mount), own));
    }
    mounts.push_back(std::move(mount));
  }
  return run_in_container(*api_, clock_, spec, mounts, run);
}

Result<std::optional<OwnContainer>> HttpEngine::own_container() {
  const std::lock_guard lock(looking_);
  if (!own_) {
    CG_TRY(own_, find_own_container(*api_, surroundings_));
  }
  return *own_;
}

}  // namespace crategate::docker
