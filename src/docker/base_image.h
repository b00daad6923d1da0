// What FROM of a build stands for, found before the build.
// Belongs here: where a base image is looked for.  Not here: what is done with its digest (stages/build).
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "docker/engine.h"
#include "oci/reference.h"
#include "sys/process.h"

namespace crategate::docker {

struct BaseImage {
  oci::Digest digest;      ///< of the manifest or index that the name stands for
  bool in_engine = false;  ///< found in the engine, so a build takes it from there; else in its registry
};

/// The digest under which the engine keeps `name`; nullopt for an image that came from no registry.
std::optional<oci::Digest> digest_in_engine(const EngineImage& image, const oci::Reference& name);

/// Base images by name, each looked up once.
class BaseImages {
 public:
  /// Runs `buildx ARGUMENTS…`: the registry is asked with the credentials that the build will use.
  using Buildx = std::function<Result<sys::ProcessOutcome>(const std::vector<std::string>& arguments)>;

  BaseImages(Engine& engine, Buildx buildx) : engine_(engine), buildx_(std::move(buildx)) {}
  /// nullopt when it cannot be found out: the base is not in a registry, or the registry does not answer.
  /// `sees_engine`: whether the builder uses the engine's images; asked when it matters.
  /// Effects: network(engine), process(buildx imagetools).
  std::optional<BaseImage> find(const std::string& name, const std::function<bool()>& sees_engine);

 private:
  std::optional<BaseImage> look_up(const oci::Reference& name, const std::function<bool()>& sees_engine);
  Engine& engine_;
  Buildx buildx_;
  std::map<std::string, std::optional<BaseImage>> known_;
};

}  // namespace crategate::docker
